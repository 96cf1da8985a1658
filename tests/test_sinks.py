"""Sinks: a run logged elsewhere when it is over; the first of them in its offline mode, with the real package."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from simulator.ci.logged import log_run
from simulator.errors import RemoteError, ScenarioError
from simulator.results.row import Row
from simulator.results.summary import ScenarioSummary, Summary
from simulator.score import Score
from simulator.sinks.sink import LoggedCheck, LoggedRun, SinkSpec
from simulator.sinks.weights_and_biases import summary_of
from simulator.testing import scenario_of
from tests.command_line import SHORT, simulate

LOGGED: list[LoggedRun] = []


class NotedSpec(SinkSpec, frozen=True, kw_only=True, tag="noted"):
    """A sink in a few lines, as somebody else's package would have it."""

    broken: bool = False

    def log(self, run: LoggedRun) -> str:
        """Note the run."""
        if self.broken:
            raise RemoteError("the tracker is down")
        LOGGED.append(run)
        return f"noted: {len(run.sessions)} sessions"


def handed(folder: Path, **sinks: SinkSpec | None) -> tuple[list[str], list[str]]:
    """Hand a run of these scenarios to their sinks; what was said, and what was complained of."""
    import msgspec

    plain = scenario_of({"user": "silent", "agent": "silent"}, folder)
    scenarios = {name: msgspec.structs.replace(plain, name=name, log=sink) for name, sink in sinks.items()}
    score = Score(id="latency.response_p50_s", value=0.5, unit="s", n=1)
    summary = Summary(
        rows=[Row(id=f"{name}-0", scenario=name, seed=3) for name in scenarios],
        scenarios=[
            ScenarioSummary(name=name, sessions=1, completed=1, scores=[score], verdicts=[]) for name in scenarios
        ],
        pooled=[], definitions={},
    )  # fmt: skip
    said: list[str] = []
    complaints: list[str] = []
    log_run(scenarios, summary, folder, code=1, say=said.append, complain=complaints.append)
    return said, complaints


def test_scenarios_that_name_one_sink_alike_are_logged_together(tmp_path: Path) -> None:
    """A run of two of them is one; a scenario without a sink is in none."""
    LOGGED.clear()
    assert handed(tmp_path, a=NotedSpec(), b=NotedSpec(), c=None) == (["noted: 2 sessions"], [])
    (run,) = LOGGED
    assert [session.id for session in run.sessions] == ["a-0", "b-0"] and run.exit_code == 1
    assert run.pooled == {name: {"latency.response_p50_s": 0.5} for name in ("a", "b")}


def test_a_sink_that_fails_is_told_and_the_others_are_asked(tmp_path: Path) -> None:
    """The run lies in its folder whatever a tracker says."""
    said, complaints = handed(tmp_path, a=NotedSpec(broken=True), b=NotedSpec())
    assert said == ["noted: 1 sessions"] and complaints == ["the run was not logged: the tracker is down"]


def test_a_run_in_figures() -> None:
    """Undefined values are left out; of several scenarios each figure has the name."""
    checks = [LoggedCheck(scenario="a", text="x < 1", became=word) for word in ("held", "failed")]
    run = LoggedRun(name="r", folder=Path(), exit_code=1, scenarios={}, sessions=[], checks=checks,
                    pooled={"a": {"x": 1.5, "y": None}})  # fmt: skip
    counts = {"sessions_played": 0, "expectations_held": 1, "expectations_in_all": 2, "exit_code": 1}
    assert summary_of(run) == {"x": 1.5, **counts}
    several = LoggedRun(name="r", folder=Path(), exit_code=1, scenarios={}, sessions=[], checks=checks,
                        pooled={"a": {"x": 1.5}, "b": {"x": 2.0}})  # fmt: skip
    assert summary_of(several) == {"a/x": 1.5, "b/x": 2.0, **counts}


def test_a_sink_that_is_not_installed_is_refused_before_the_run(tmp_path: Path, capsys: Any) -> None:
    """An unknown one with those there are; one whose package is missing with the command that brings it."""
    path = tmp_path / "short.yaml"
    path.write_text(yaml.safe_dump({**SHORT, "log": "wand"}), encoding="utf-8")
    assert simulate(path) == 2 and "did you mean wandb" in capsys.readouterr().err
    try:
        import wandb  # noqa: F401
    except ImportError:
        with pytest.raises(ScenarioError, match="needs wandb; install it with"):
            scenario_of({"user": "silent", "agent": "silent", "log": "wandb"}, tmp_path)


@pytest.mark.slow
def test_wandb_gets_scores_tables_sound_and_pages_offline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """The files that `wandb sync` would send: tables with the values, the session's sound to the byte, its page."""
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_API_KEY", "0123456789abcdef0123456789abcdef01234567")
    path = tmp_path / "short.yaml"
    scenario = {**SHORT, "scorers": ["latency"], "expect": ["latency.response_p50_s < 3"], "log": "wandb"}
    path.write_text(yaml.safe_dump(scenario), encoding="utf-8")
    assert simulate(path, "--out", tmp_path / "run") == 0
    place = Path(re.findall(r"^wandb: (.+)$", capsys.readouterr().out, re.MULTILINE)[-1])
    assert place.parent == tmp_path / "run" / "wandb"
    (sessions,) = place.rglob("sessions_*.table.json")
    table = json.loads(sessions.read_text(encoding="utf-8"))
    row = dict(zip(table["columns"], table["data"][0], strict=True))
    assert (row["session"], row["status"]) == ("short-0", "completed") and 0 < row["latency.response_p50_s"] < 3
    (checks,) = place.rglob("expectations_*.table.json")
    assert json.loads(checks.read_text(encoding="utf-8"))["data"][0][:3] == [
        "short", "latency.response_p50_s < 3", "held"
    ]  # fmt: skip
    said = (tmp_path / "run" / "short-0" / "conversation.wav").read_bytes()
    assert said in [file.read_bytes() for file in place.rglob("*.wav")]
    assert len(list(place.rglob("*.html"))) == 2
    kept = b"".join(file.read_bytes() for file in place.rglob("*") if file.is_file())
    assert b"0123456789abcdef" not in kept
