"""Rules of expectations with a confidence, of trials that go on until they decide, and of comparisons that gate."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from simulator.batch.settling import Settling
from simulator.cli import EXPECTATION_FAILED, OK, REFUSED, main
from simulator.errors import ScenarioError
from simulator.planning.checks import check_expectations
from simulator.planning.plan import Plan, plan_of
from simulator.reading.expect import Expectation
from simulator.results.deciding import decided
from simulator.results.row import Row, RowScore
from simulator.results.row_file import RESULTS, append_row
from simulator.scoring.scorer import all_definitions
from simulator.testing import scenario_of

YIELD = "barge_in.yield_rate"
LATENCY = "latency.response_p50_s"
MEAN = "latency.response_mean_s"
QUIET: dict[str, Any] = {"name": "talk", "user": "silent", "agent": "silent", "duration": "1s"}


def share(trial: int, count: int, of: int = 1, **more: Any) -> Row:
    """A session with a share."""
    score = RowScore(value=count / of if of else None, unit="ratio", n=of, parts={"count": count, "of": of})
    return Row(id=f"talk-{trial}", scenario="talk", trial=trial, scores={YIELD: score}, **{"sound": str(trial), **more})


def timed(trial: int, *values: float, metric: str = LATENCY, scenario: str = "talk") -> Row:
    """A session with measured values."""
    score = RowScore(value=values[0], unit="s", n=len(values), parts={"values": list(values)})
    return Row(id=f"{scenario}-{trial}", scenario=scenario, trial=trial, scores={metric: score}, sound=str(trial))


def outcome(text: str, rows: list[Row], **more: Any) -> str:
    """What becomes of an expectation, in one word."""
    expectation = Expectation(text, **more)
    return decided(expectation, all_definitions()[expectation.metric], rows).outcome


def test_the_bound_is_judged_and_not_the_point() -> None:
    """Nine successes of nine are no 90 % with confidence; a hundred are; without a confidence nine will do."""
    nine, many = [share(trial, 1) for trial in range(9)], [share(trial, 1) for trial in range(100)]
    assert outcome(f"{YIELD} >= 0.9", nine) == "held"
    assert outcome(f"{YIELD} >= 0.9 with confidence 0.95", nine) == "undecided"
    assert outcome(f"{YIELD} >= 0.9 with confidence 0.95", many) == "held"
    assert outcome(f"{YIELD} >= 0.9 with confidence 0.95", [share(trial, 0) for trial in range(9)]) == "failed"
    assert outcome(f"{YIELD} < 0.5 with confidence 0.95", [share(trial, 0) for trial in range(20)]) == "held"


def test_a_quantile_is_decided_by_the_share_below_its_bound() -> None:
    """Twelve sessions, all answers below 1.2 s: the median is; all above: it is not; the values may be anything."""
    fast = [timed(trial, 0.5, 0.7, 0.01) for trial in range(12)]
    assert outcome(f"{LATENCY} < 1.2 with confidence 0.99", fast) == "held"
    assert outcome(f"{LATENCY} > 1.2 with confidence 0.99", fast) == "failed"
    assert outcome(f"{LATENCY} < 1.2 with confidence 0.99", [timed(t, 5.0, 900.0) for t in range(12)]) == "failed"
    assert outcome(f"{LATENCY} < 1.2 with confidence 0.99", fast[:4]) == "undecided"


def test_a_mean_of_seconds_needs_a_range_or_the_end() -> None:
    """Within a stated range it is bet upon; without one its interval decides; what leaves the range decides nothing."""
    rows = [timed(trial, 0.5 + 0.01 * (trial % 5), metric=MEAN) for trial in range(60)]
    assert outcome(f"{MEAN} < 1.2 with confidence 0.95", rows) == "held"
    assert outcome(f"{MEAN} < 1.2 with confidence 0.95", rows[:2]) == "undecided"
    assert outcome(f"{MEAN} < 1.2 with confidence 0.95", rows, within=(0.0, 3.0)) == "held"
    assert outcome(f"{MEAN} < 1.2 with confidence 0.95", rows, within=(0.0, 0.5)) == "undecided"


def test_identical_trials_are_what_they_are() -> None:
    """Two trials that sound the same: the value is exact, and judged as it is."""
    alike = [share(trial, 1, sound="x") for trial in range(2)]
    verdict = decided(Expectation(f"{YIELD} >= 0.9 with confidence 0.99"), all_definitions()[YIELD], alike)
    assert verdict.outcome == "held" and verdict.reason == "2 identical trials: nothing in them depends on the seed"


def test_what_is_undefined_fails_and_what_informs_never_gates() -> None:
    """No barge-in in any trial: failed; with `inform` it is told and stops nothing."""
    rows = [share(trial, 0, 0) for trial in range(3)]
    expectation = Expectation(f"{YIELD} >= 0.9 with confidence 0.95", inform=True)
    verdict = decided(expectation, all_definitions()[YIELD], rows)
    assert verdict.outcome == "failed" and not verdict.gates and verdict.expectation == expectation
    assert decided(Expectation(f"{YIELD} >= 0.9"), all_definitions()[YIELD], rows).gates


@pytest.mark.parametrize(
    ("expect", "message"),
    [
        (f"{YIELD} == 1 with confidence 0.9", "a single value is never certain"),
        (f"{YIELD} > 1 with confidence 0.3", "allowed are 0.5 up to below 1"),
        ({"metric": f"{YIELD} > 0", "within": [1, 0]}, "write the lower bound first"),
        ({"metric": f"{YIELD} > 0", "informs": True}, "unknown field `informs`"),
    ],
)
def test_an_expectation_that_cannot_be_meant_is_refused(tmp_path: Path, expect: object, message: str) -> None:
    """With its place in the file and what is allowed."""
    with pytest.raises(ScenarioError, match=message):
        scenario_of(QUIET | {"expect": [expect]}, tmp_path)


def until(folder: Path, *expect: Any, at_most: int = 30) -> Plan:
    """A plan whose trials go on until they decide."""
    repeat = {"until": "decided", "at_most": at_most}
    return plan_of({"talk.yaml": scenario_of(QUIET | {"expect": list(expect), "repeat": repeat}, folder)})


def test_trials_are_planned_to_the_last_and_decided_with_confidence(tmp_path: Path) -> None:
    """So many jobs at most; an expectation without a confidence gets that of a gate that is trusted."""
    plan = until(tmp_path, f"{YIELD} >= 0.5", f"{YIELD} >= 0.4 with confidence 0.9")
    assert len(plan.jobs) == 30
    assert [item.text.partition(" with ")[2] for item in plan.scenarios["talk"].expect] == [
        "confidence 0.99", "confidence 0.9",
    ]  # fmt: skip


def test_trials_stop_when_they_have_decided_whatever_order_they_end_in(tmp_path: Path) -> None:
    """A gap holds the decision back: trials count in their order, as if one had been made after the other."""
    plan = until(tmp_path, f"{YIELD} >= 0.5")
    settling = Settling(plan)
    for trial in (*range(1, 15), 0):
        assert not settling.settled(plan.jobs[-1])
        settling.note(share(trial, 1))
    assert settling.settled(plan.jobs[-1])


def test_identical_trials_stop_at_two(tmp_path: Path) -> None:
    """A session that does not depend on its seed needs no third."""
    plan = until(tmp_path, f"{YIELD} >= 0.9")
    settling = Settling(plan)
    settling.note(share(0, 1, 2, sound="x"))
    assert not settling.settled(plan.jobs[1])
    settling.note(share(1, 1, 2, sound="x"))
    assert settling.settled(plan.jobs[2])


def test_what_trials_cannot_decide_is_refused_before_they_begin(tmp_path: Path) -> None:
    """A mean of seconds without a range; a scenario that expects nothing, or nothing that gates."""
    with pytest.raises(ScenarioError, match="nobody knows between what the values of"):
        check_expectations(until(tmp_path, f"{MEAN} < 1").scenarios["talk"])
    check_expectations(until(tmp_path, {"metric": f"{MEAN} < 1", "within": [0, 10]}).scenarios["talk"])
    check_expectations(until(tmp_path, {"metric": f"{MEAN} < 1", "inform": True}, f"{YIELD} > 0").scenarios["talk"])
    with pytest.raises(ScenarioError, match="there is none that decides"):
        until(tmp_path, {"metric": f"{YIELD} > 0", "inform": True})


def write(folder: Path, rows: list[Row]) -> Path:
    """Write rows as a run."""
    folder.mkdir()
    (folder / "run.json").write_text("{}")
    for row in rows:
        append_row(folder, row)
    return folder


def latencies(folder: Path, shift: float, sessions: int = 10) -> Path:
    """A run of scenarios of different difficulty, all answers so much later."""
    rows = [
        timed(0, *(base * factor + shift * (1 + 0.02 * number) for factor in (0.9, 1, 1.1)), scenario=f"s{number}")
        for number, base in enumerate(0.5 + 0.1 * step for step in range(sessions))
    ]
    return write(folder, rows)


def test_compare_is_a_gate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Slower everywhere exits 1 with --fail-on worse; the same run passes; a margin asks that it be shown."""
    first, slower = latencies(tmp_path / "a", 0.0), latencies(tmp_path / "b", 0.5)
    assert main(["compare", str(first), str(slower)]) == OK
    assert main(["compare", str(first), str(slower), "--fail-on", "worse"]) == EXPECTATION_FAILED
    assert main(["compare", str(first), str(first), "--fail-on", "worse"]) == OK
    assert main(["compare", str(slower), str(first), "--fail-on", "worse"]) == OK
    assert main(["compare", str(first), str(slower), "--margin", f"{LATENCY}=0.1"]) == EXPECTATION_FAILED
    assert main(["compare", str(first), str(first), "--margin", f"{LATENCY}=0.1"]) == OK
    assert "within 0.1" in capsys.readouterr().out
    assert main(["compare", str(first), str(slower), "--margin", "latency"]) == REFUSED


def test_a_metric_that_lost_its_value_is_a_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No answer in any session any more: said, and a gate does not pass it."""
    first = latencies(tmp_path / "a", 0.0)
    silent = [
        Row(id=f"s{n}-0", scenario=f"s{n}", scores={LATENCY: RowScore(value=None, parts={"values": []})})
        for n in range(10)
    ]
    second = write(tmp_path / "b", silent)
    assert main(["compare", str(first), str(second), "--fail-on", "worse", "--json"]) == EXPECTATION_FAILED
    told = msgspec.json.decode(capsys.readouterr().out)["against"][str(second)][0]
    assert (told["tone"], told["reason"]) == ("undefined", "undefined on the second side")


def test_a_baseline_stands_for_its_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A small file, written from a blessed run, to which another compares as to the run itself."""
    first, slower, kept = latencies(tmp_path / "a", 0.0), latencies(tmp_path / "b", 0.5), tmp_path / "blessed.json"
    assert main(["compare", str(first), "--write-baseline", str(kept)]) == OK
    assert kept.stat().st_size < 4000 and kept.read_text().count("\n") == 12  # a line for each session
    capsys.readouterr()
    assert main(["compare", str(slower), "--baseline", str(kept), "--fail-on", "worse", "--json"]) == EXPECTATION_FAILED
    by_file = msgspec.json.decode(capsys.readouterr().out)["against"][str(slower)]
    main(["compare", str(first), str(slower), "--json"])
    by_run = msgspec.json.decode(capsys.readouterr().out)["against"][str(slower)]
    assert [item["tone"] for item in by_file] == [item["tone"] for item in by_run] == ["worse"]
    assert by_file[0]["ci95"] == pytest.approx(by_run[0]["ci95"], abs=1e-5)
    assert main(["compare", str(first), "--baseline", str(first / RESULTS)]) == REFUSED
    assert main(["compare", str(first), "--baseline", str(kept), "--fail-on", "worse"]) == OK


def test_a_gate_that_judged_nothing_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One session a side is no comparison: nothing is worse, and why nothing could be is told beside the table."""
    first, second = write(tmp_path / "a", [timed(0, 0.5)]), write(tmp_path / "b", [timed(0, 0.9)])
    command = ["compare", str(first), str(second), "--fail-on", "worse"]
    assert main([*command, "--json"]) == OK
    told = "simulate: remark: nothing could be judged worse: 1 independent observation; a comparison needs 3 "
    told += "(--repeat)\n"
    assert capsys.readouterr().err == told
    assert main(command[:-2]) == OK
    assert capsys.readouterr().err == "", "who asks for no gate reads it below the table"
    judged = ["compare", str(latencies(tmp_path / "c", 0.0)), str(latencies(tmp_path / "d", 0.0)), "--fail-on", "worse"]
    assert main(judged) == OK
    assert "could be judged" not in capsys.readouterr().err


def test_more_sessions_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--need says how many more of each run would show so small a difference."""
    first, second = latencies(tmp_path / "a", 0.0), latencies(tmp_path / "b", 0.01)
    assert main(["compare", str(first), str(second), "--need", "0.00001"]) == OK
    assert "more sessions of each run would show a difference of 1e-05" in capsys.readouterr().out
