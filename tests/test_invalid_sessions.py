"""Invalid sessions in a run: listed with their reason, left out of what is pooled, taken in where somebody asks."""

import json
from pathlib import Path

import msgspec
import pytest
import yaml

from simulator.cli import main
from simulator.errors import SessionError
from simulator.reading.expect import Expectation
from simulator.results.pairs import differences, paired, pairs_of
from simulator.results.pooling import pooled, verdicts
from simulator.results.row import Row, RowScore
from simulator.results.row_file import append_row
from simulator.results.run import Run, load_run
from simulator.results.summary import rests_on
from simulator.scoring.scorer import all_definitions
from simulator.scoring.validity import INVALID
from tests.command_line import SHORT, simulate

LATENCY = "latency.response_p50_s"
YIELD = "barge_in.yield_rate"


def row(trial: int, latency: float, *, invalid: str = "") -> Row:
    scores = {
        LATENCY: RowScore(value=latency, unit="s", n=1, parts={"values": [latency]}),
        INVALID: RowScore(value=float(bool(invalid)), unit="ratio", n=1, parts={"count": int(bool(invalid)), "of": 1}),
    }
    return Row(id=f"a-{trial}", scenario="a", trial=trial, scores=scores, invalid=invalid)


ROWS = [row(0, 1.0), row(1, 2.0), row(2, 30.0, invalid="nobody could hear it"), row(3, 3.0)]


def test_a_pooled_value_leaves_invalid_sessions_out() -> None:
    """1, 2 and 3 s have the median 2 s, whatever the invalid one measured; the share of invalid ones is of all four."""
    assert (pooled(ROWS, LATENCY).value, pooled(ROWS, LATENCY).n) == (2.0, 3)
    assert (pooled(ROWS, INVALID).value, pooled(ROWS, INVALID).n) == (0.25, 4)
    (verdict,) = verdicts([Expectation(f"{LATENCY} < 2.2")], all_definitions(), ROWS)
    assert verdict.passed


def test_the_share_of_invalid_sessions_is_told() -> None:
    """With their names, and that the option exists."""
    first = rests_on(ROWS)[0]
    assert "1 of 4 sessions (25%) invalid" in first and "a-2" in first and "--keep-invalid" in first
    assert not any("invalid" in line for line in rests_on(ROWS[:2]))


def test_a_run_that_keeps_invalid_sessions_counts_them() -> None:
    """Median of 1, 2, 3 and 30 s."""
    assert pooled(Run(Path("nowhere"), ROWS).keeping_invalid().rows, LATENCY).value == 2.5


def test_a_pair_with_an_invalid_session_is_none() -> None:
    """Three of the four trials are compared, and none differs."""
    first, second = Run(Path("a"), ROWS), Run(Path("b"), [row(trial, 1.0 + trial % 3) for trial in range(4)])
    pairs = pairs_of(first, second)
    assert [pair.first.trial for pair in pairs] == [0, 1, 3]
    assert len(pairs_of(first.keeping_invalid(), second)) == 4
    again = Run(Path("a"), [*first.rows, msgspec.structs.replace(first.rows[2], id="s-2.retry-1", invalid="")])
    kept = again.keeping_invalid()
    assert all(pair.first.id == pair.second.id for pair in pairs_of(kept, kept)), "an attempt pairs with its like"
    assert differences(pairs)[0].n == 3


def test_runs_of_which_nothing_is_valid_are_told_from_runs_that_share_nothing() -> None:
    """The same scenario and trial on both sides, but the tester failed in all of one."""
    fine, useless = Run(Path("a"), ROWS[:2]), Run(Path("b"), [row(0, 1.0, invalid="x"), row(1, 1.0, invalid="x")])
    with pytest.raises(SessionError, match="b: no session is valid"):
        paired(fine, useless)
    with pytest.raises(SessionError, match="c: shares no scenario and trial with a"):
        paired(fine, Run(Path("c"), [row(7, 1.0)]))


def test_a_comparison_says_what_was_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In the terminal, in JSON and on the page; with --keep-invalid nothing is, and all four pairs count."""
    for name, rows in (("a", ROWS), ("b", [row(trial, 1.0 + trial % 3) for trial in range(4)])):
        (tmp_path / name).mkdir()
        for one in rows:
            append_row(tmp_path / name, one)
    compare = ("compare", tmp_path / "a", tmp_path / "b", "--out", tmp_path / "page.html")
    assert simulate(*compare) == 0
    assert "a: 1 of 4 sessions (25%) invalid" in capsys.readouterr().out
    assert "a: 1 of 4 sessions (25%) invalid" in (tmp_path / "page.html").read_text(encoding="utf-8")
    found = {}
    for options in ((), ("--keep-invalid",)):
        assert simulate(*compare, *options, "--json") == 0
        told = json.loads(capsys.readouterr().out)
        (items,) = told["against"].values()
        found[options] = (items[0]["n"], len(told["notes"]))
    assert found == {(): (3, 2), ("--keep-invalid",): (4, 0)}  # and one of b has no partner


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose interruption is said on a dead line: 70 dB down, nobody hears it."""
    home = tmp_path_factory.mktemp("run")
    scenario = SHORT | {
        "scorers": [{"kind": "barge_in"}],
        "injectors": [{"kind": "interruption", "cue": {"at": "500ms"}, "say": "Wait, please."}],
        "user": "silent",
        "lines": {"user_to_agent": [{"kind": "gain", "db": -70}]},
        "expect": [f"{YIELD} <= 1"],
        "agent": {"kind": "scripted", "turns": [{"at": "100ms", "say": "Good evening, this is the restaurant."}]},
    }
    (home / "dead.yaml").write_text(yaml.safe_dump(scenario | {"name": "dead"}))
    assert simulate(home / "dead.yaml", "--out", home / "out") == 1  # nothing valid was measured
    return home


def test_an_invalid_session_is_listed_with_its_reason(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In its row, in the terminal's table, on its page and on the run's; the exit code is that of what is left."""
    (only,) = load_run(run / "out").rows
    assert only.invalid == "the user's interruption could not be heard by the other"
    for page in ("index.html", "dead-0/report.html"):
        assert "invalid" in (run / "out" / page).read_text(encoding="utf-8")
    assert simulate(run / "dead.yaml", "--out", run / "again", "--set", "report=none") == 1
    told = capsys.readouterr().out
    assert "invalid dead-0: the user's interruption could not be heard" in told
    assert "1 of 1 session (100%) invalid" in told.replace("\n", " ")


def test_a_run_may_keep_what_is_invalid(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Then its values count, and the row says all the same what it is."""
    assert simulate(run / "dead.yaml", "--out", run / "kept", "--keep-invalid", "--json", "--set", "report=none") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["scenarios"][0]["invalid"] == 1 and told["sessions"][0]["invalid"]


def test_scoring_a_run_again_leaves_invalid_sessions_out(run: Path) -> None:
    """`simulate score RUN` pools what is valid, and says in the session's notes why it was not taken."""
    results = []
    for options in ((), ("--keep-invalid",)):
        assert main(["score", str(run / "out"), *options, "--json", str(run / "score.json")]) == 0
        results.append(json.loads((run / "score.json").read_text()))
    assert [result["metrics"]["barge_in.undecided_rate"]["n"] for result in results] == [0, 1]
    assert "invalid: the user's interruption could not be heard by the other" in results[0]["samples"][0]["notes"]
