"""What a run says at its end, and a dry run before its beginning."""

import json
import socket
from pathlib import Path

import pytest
import yaml

from simulator.cli.closing import closing_lines
from simulator.doctor.addresses import unreachable
from simulator.results.pace import recent_pace, recent_sessions
from simulator.results.row import Row, RowScore
from simulator.results.run_info import RunInfo, SessionWall, write_info
from simulator.results.summary import ScenarioSummary, Summary
from simulator.scenario import load
from simulator.score import Score
from tests.command_line import SHORT, simulate


def told(folder: Path, run_s: float | None = None, foreign: str = "", **more: object) -> list[str]:
    """The lines of a run of two sessions of 60 s, of which one failed; the other took 2.5 s."""
    write_info(folder, RunInfo(wall_s=run_s, sessions={"a-0": SessionWall(status="completed", wall_s=2.5)}))
    rows = [
        Row(id="a-0", scenario="a", duration_s=60.0, scores={"m": RowScore(value=1.0, n=1)}),
        Row(id="a-1", scenario="a", duration_s=60.0, status="failed"),
    ]
    scores = [
        Score(id=name, definition=name, value=value, unit="s", n=1)
        for name, value in (("latency.response_p50_s", 0.7), ("turns.fto_p50_s", None), ("content.user_wer", 0.0))
    ]
    scores += [Score(id=foreign, definition=foreign, value=0.5, unit="share", n=1)] if foreign else []
    one = ScenarioSummary(name="a", sessions=2, completed=1, scores=scores, verdicts=[], **more)  # type: ignore[arg-type]
    return list(closing_lines(Summary(rows=rows, scenarios=[one], pooled=[], definitions={}), folder))


def test_a_scenario_closes_with_one_line(tmp_path: Path) -> None:
    """What ran, what failed, how long, and the metrics that are asked for first; undefined ones are left out.

    Another project's stand before ours: nobody gets them without naming them.
    """
    assert told(tmp_path) == [
        "a: 2 sessions of 2.0 min in all, 1 failed, took 2.5 s; latency.response_p50_s 0.700, content.user_wer 0"
    ]
    assert "; fdb:task.tor 0.500, latency.response_p50_s" in told(tmp_path, foreign="fdb:task.tor")[0]
    assert "1 failed, 1 invalid, took" in told(tmp_path, invalid=1)[0]
    # Sessions that went side by side took no longer than their run.
    assert "took 2.0 s;" in told(tmp_path, run_s=2.0)[0] and "took 2.5 s;" in told(tmp_path, run_s=9.0)[0]


def test_a_dry_run_goes_by_the_last_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of a scenario that ran here by its own sessions, of another by all; nothing is promised where nothing ran."""
    path = tmp_path / "short.yaml"
    path.write_text(yaml.safe_dump(SHORT | {"report": "none"}))
    assert simulate(path, "--out", tmp_path / "runs" / "one", "--dry-run", "--json") == 0
    assert json.loads(capsys.readouterr().out)[0]["estimate"] is None
    assert simulate(path, "--out", tmp_path / "runs" / "one", "--json") == 0
    write_info(tmp_path / "runs" / "one", RunInfo(sessions={"short-0": SessionWall(status="completed", wall_s=1.5)}))
    capsys.readouterr()
    pace = recent_pace(recent_sessions(tmp_path / "runs"), "short")
    assert pace is not None and (pace.wall_per_s, pace.sessions, pace.alike) == (0.5, 1, True)
    assert simulate(path, "--out", tmp_path / "runs" / "two", "--repeat", 4, "--concurrency", 2, "--dry-run") == 0
    assert ", about 3 s of real time (by 1 session(s) of it that ran here last)" in capsys.readouterr().out
    other = recent_pace(recent_sessions(tmp_path / "runs"), "another")
    assert other is not None and not other.alike


def test_what_is_undefined_is_one_line_unless_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The names alone; -v says why."""
    path = tmp_path / "short.yaml"
    path.write_text(yaml.safe_dump(SHORT | {"report": "none", "scorers": ["barge_in", "backchannel"]}))
    assert simulate(path, "--out", tmp_path / "quiet") == 0
    quiet = capsys.readouterr().out
    assert quiet.count("undefined (why: -v): ") == quiet.count("undefined (") == 1
    assert simulate(path, "--out", tmp_path / "loud", "-v") == 0
    assert capsys.readouterr().out.count("undefined (") > 1


def test_far_ends_that_are_not_there_are_found_before_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where all scenarios have one the run is refused and nothing written; of several it is said, and the rest runs."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        there = tmp_path / "there.yaml"
        there.write_text(yaml.safe_dump(SHORT | {"agent": {"kind": "moshi", "url": f"ws://127.0.0.1:{port}"}}))
        assert unreachable({"there": load(there)}) == {}
    gone = f"the agent (moshi): nothing answers at 127.0.0.1:{port} (connection refused)"
    assert unreachable({"there": load(there)}) == {"there": f"short: {gone}"}
    assert simulate(there, "--out", tmp_path / "out") == 2
    assert not (tmp_path / "out").exists()
    assert f"{gone}; start it, or try all the same with --no-probe" in capsys.readouterr().err
    assert simulate(there, "--out", tmp_path / "out", "--no-probe") == 3
    assert simulate(there, "--out", tmp_path / "out", "--resume") == 2
    rows = tmp_path / "out" / "results.jsonl"
    rows.write_text(rows.read_text().replace('"failed"', '"completed"'))
    capsys.readouterr()
    assert simulate(there, "--out", tmp_path / "out", "--resume") == 0  # nothing is left that needs it
    assert gone not in capsys.readouterr().err
    other = tmp_path / "other.yaml"
    other.write_text(yaml.safe_dump(SHORT | {"name": "other", "report": "none"}))
    assert simulate(there, other, "--out", tmp_path / "both", "--json") == 3
    told = capsys.readouterr()
    assert [row["status"] for row in json.loads(told.out.splitlines()[-1])["sessions"]] == ["failed", "completed"]
    assert gone in told.err


def test_an_address_is_looked_at_under_every_name_it_has_and_one_that_is_none_is_told(tmp_path: Path) -> None:
    """A webhook and a worker count as addresses; a host that no name server could know is no fault of ours."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    agents = {
        "webhook": {"kind": "twilio", "webhook": f"http://127.0.0.1:{port}/voice"},
        "worker": {"kind": "turn_based", "responder": {"kind": "llama_omni", "worker": f"http://127.0.0.1:{port}"}},
        "nameless": {"kind": "websocket", "url": "ws://a..b/talk"},
    }
    found = {}
    for name, agent in agents.items():
        file = tmp_path / f"{name}.yaml"
        file.write_text(yaml.safe_dump(SHORT | {"agent": agent}))
        found |= unreachable({name: load(file)})
    assert list(found) == list(agents)
    assert all(f"nothing answers at 127.0.0.1:{port}" in found[name] for name in ("webhook", "worker"))
    assert "nothing answers at a..b:80 (that is no name of a host)" in found["nameless"]


def test_judges_recognisers_and_voices_are_looked_for_as_parties_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each that is asked and not there is told by what it is; a judge that nothing asks, or of kept replies, is not."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    url = f"http://127.0.0.1:{port}/v1"
    judge, ears = (
        {"judge": {"model": "m", "base_url": url}},
        {"recognizer": {"kind": "openai", "model": "m", "base_url": url}},
    )
    asked: dict[str, list[object]] = {"expect": [{"judge": "The agent is polite.", "inform": True}]}
    voice = {"kind": "openai", "base_url": url, "model": "m", "name": "n"}
    wait = {"kind": "interruption", "party": "user", "cue": {"at": "1s"}, "say": "Wait.", "voice": voice}
    babble = {"kind": "talker", "say": ["So."], "voice": voice}
    dead = {
        "judge": ({"scorers": ["turns"], **judge, **asked}, "the judge (m)"),
        "criteria": ({"scorers": [{"kind": "judge", "criteria": {"polite": "It is."}, **judge}]}, "the judge (m)"),
        "original": (
            {"scorers": [{"kind": "fdb:user_interruption", "judge_model": "m", "judge_url": url}]},
            "the judge (fdb:user_interruption)",
        ),
        "mapped": ({"scorers": [{"kind": "voicebench:open", "judge": f"m@{url}"}]}, "the judge (m)"),
        "two": ({"agent": {"kind": "cascade", "voice": voice, "ears": "level"}}, "the agent (cascade)"),
        "ears": ({"scorers": ["turns"], **ears}, "the recognizer (openai)"),
        "injector": ({"injectors": [wait]}, "$.injectors[0].voice"),
        "line": ({"lines": {"user_to_agent": [babble]}}, "$.lines.user_to_agent[0].voice"),
    }
    alive = {
        "idle": {"scorers": ["turns"], **judge},
        "kept": {"scorers": ["turns"], "judge": {**judge["judge"], "record": "never"}, **asked},
        "unscored": {"scorers": [], **judge, **ears},
    }
    files = {name: tmp_path / f"{name}.yaml" for name in (*dead, *alive)}
    for name, more in {**{name: more for name, (more, _) in dead.items()}, **alive}.items():
        files[name].write_text(yaml.safe_dump(SHORT | more))
    for name, (_, who) in dead.items():
        told = f"short: {who}: nothing answers at 127.0.0.1:{port} (connection refused)"
        assert unreachable({name: load(files[name])}) == {name: told}
    assert unreachable({name: load(files[name]) for name in alive}) == {}
    assert simulate(files["judge"], "--out", tmp_path / "out") == 2
    assert "the judge (m): nothing answers at" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_an_address_in_the_environment_is_looked_for_and_told_as_host_and_port(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of a caller's model; what else the variable holds is told nowhere; one that is not set is refused by its user."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    caller = {"kind": "caller", "goal": "Ask when it opens.", "llm": {"base_url": "${LLM_URL}", "model": "m"}}
    file = tmp_path / "call.yaml"
    file.write_text(yaml.safe_dump(SHORT | {"user": caller}))
    monkeypatch.setenv("LLM_URL", f"http://bob:hidden-word@127.0.0.1:{port}/v1")
    assert simulate(file, "--out", tmp_path / "out") == 2
    told = capsys.readouterr().err
    assert f"short: the user (caller): nothing answers at 127.0.0.1:{port} (connection refused); start it" in told
    assert "hidden-word" not in told and not (tmp_path / "out").exists()
    monkeypatch.delenv("LLM_URL")
    assert unreachable({"call": load(file)}) == {}
