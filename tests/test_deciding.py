"""Rules of expectations with a confidence, of trials that go on until they decide, and of comparisons that gate."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from simulator.batch.settling import Settling
from simulator.cli import EXPECTATION_FAILED, INCOMPLETE, OK, REFUSED, main
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


def test_a_verdict_never_contradicts_the_value_beside_it() -> None:
    """Every other trial 1 of 1, the rest 4 of 10: 0.7 by trial, 0.45 pooled: at 0.6 nobody knows."""
    uneven = [share(trial, *((4, 10) if trial % 2 else (1, 1))) for trial in range(400)]
    assert outcome(f"{YIELD} >= 0.6 with confidence 0.95", uneven) == "undecided"
    assert outcome(f"{YIELD} >= 0.4 with confidence 0.95", uneven) == "held"
    late = [timed(trial, *((2.0,) * 5 if trial % 3 else (0.5,) * 60)) for trial in range(300)]
    assert (
        outcome(f"{LATENCY} > 1 with confidence 0.95", late) == "undecided"
    )  # two trials of three, one value of seven


def test_what_no_session_can_change_is_decided_at_once() -> None:
    """A share is at least 0 and never above 1; whatever lies between 0 and 10 s is below 20 s."""
    trials = [share(trial, trial % 2) for trial in range(4)]
    assert {outcome(f"{YIELD} {bound} with confidence 0.99", trials) for bound in (">= 0", "<= 1", "> -1")} == {"held"}
    assert {outcome(f"{YIELD} {bound} with confidence 0.99", trials) for bound in ("> 1", ">= 2", "< 0")} == {"failed"}
    assert outcome(f"{MEAN} < 20 with confidence 0.99", [timed(0, 0.4, metric=MEAN)], within=(0.0, 10.0)) == "held"
    assert outcome(f"{YIELD} >= 1 with confidence 0.99", [share(trial, 1) for trial in range(40)]) == "undecided"


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
        (f"{YIELD} > 1 with confidence 95", "confidence is 95; allowed are 0.5 up to below 1"),
        ({"metric": f"{YIELD} > 0", "within": [1, 0]}, "write the lower bound first"),
        ({"metric": f"{YIELD} > 0", "within": [0, float("inf")]}, "and numbers only"),
        (f"{MEAN} < 1e400", "1e400 is greater than any number"),
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
    for always in (f"{YIELD} >= 1", f"{YIELD} <= 0", {"metric": f"{MEAN} <= 0", "within": [0, 10]}):
        with pytest.raises(ScenarioError, match=r"no number of trials shows that it is always [01]; write a"):
            check_expectations(until(tmp_path, always).scenarios["talk"])
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


def test_what_is_gone_is_a_finding_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A metric that nobody measured any more, or sessions that all failed: exit 1; what has no partner is counted."""
    first = latencies(tmp_path / "a", 0.0)
    gone = write(tmp_path / "gone", [timed(0, 0.5, metric=MEAN, scenario=f"s{n}") for n in range(10)])
    failed = write(tmp_path / "failed", [Row(id=f"s{n}", scenario=f"s{n}", status="failed") for n in range(10)])
    fewer = write(tmp_path / "fewer", [timed(0, 0.5, scenario=f"{'s' if n < 4 else 'new'}{n}") for n in range(9)])
    for second, code, note in (
        (gone, EXPECTATION_FAILED, None),
        (failed, EXPECTATION_FAILED, "failed: 10 of 10 sessions not completed"),
        (fewer, OK, "sessions without a partner, left out: 6 of a and 5 of fewer"),
    ):
        command = ["compare", str(first), str(second), "--fail-on", "worse", "--metric", LATENCY, "--json"]
        assert main(command) == code
        told = msgspec.json.decode(capsys.readouterr().out)
        assert told["against"][str(second)][0]["reason"] == ("not measured on the second side" if code else None)
        assert told["notes"] == ([note] if note else [])


def test_identical_pairs_count_once_and_that_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Three trials with one sound a side are one pair."""
    for name in ("a", "b"):
        trials = [msgspec.structs.replace(timed(trial, 0.5), sound=name) for trial in range(3)]
        write(tmp_path / name, [*trials, timed(3, 0.6)])
    assert main(["compare", str(tmp_path / "a"), str(tmp_path / "b"), "--json"]) == OK
    told = msgspec.json.decode(capsys.readouterr().out)
    assert told["notes"] == ["3 identical trials count once"]
    assert [item["n"] for item in told["against"][str(tmp_path / "b")]] == [2]


def test_what_is_measured_newly_is_no_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A scorer that was added since: told below the table, and neither better nor lost."""
    first = latencies(tmp_path / "a", 0.0)
    rows = [timed(0, 0.5, metric=MEAN, scenario=f"s{n}") for n in range(10)]
    assert main(["compare", str(first), str(write(tmp_path / "b", rows)), "--metric", MEAN, "--fail-on", "worse"]) == OK
    told = capsys.readouterr().out
    assert f"not measured on the first side: {MEAN}" in told and "undefined" not in told


def test_a_margin_is_shown_or_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One pair shows nothing; where no side is good it holds both ways; 0.5 s more everywhere is 0.5 s more."""
    offset, one = "turns.fto_p50_s", write(tmp_path / "one", [timed(0, 0.5)])
    assert main(["compare", str(one), str(one), "--margin", f"{LATENCY}=0.1"]) == EXPECTATION_FAILED
    sides = [
        write(tmp_path / f"by{shift}", [timed(0, n + shift, metric=offset, scenario=f"s{n}") for n in range(6)])
        for shift in (0.0, 0.5, -0.5)
    ]
    for second in sides[1:]:
        for margin, code in ((0.6, OK), (0.4, EXPECTATION_FAILED)):
            assert main(["compare", str(sides[0]), str(second), "--margin", f"{offset}={margin}"]) == code
    assert f"{offset}: not shown to be within 0.4" in capsys.readouterr().out
    assert main(["compare", str(sides[1]), str(sides[2]), "--margin", f"{offset}=nan"]) == REFUSED


def test_what_cannot_be_asked_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A run named twice; a margin on what no installed scorer defines, which would pass unseen; a need of nothing."""
    rows = [timed(0, 0.5, metric="acme.score", scenario=f"s{n}") for n in range(4)]
    first, second = write(tmp_path / "a", rows), write(tmp_path / "b", rows)
    for words, said in (
        ([str(second)], "name each run once"),
        (["--margin", "acme.score=0.1"], "acme.score: no installed scorer defines it"),
        (["--need", "inf"], "--need inf: a difference of 1e-09 or more"),
    ):
        assert main(["compare", str(first), str(second), *words]) == REFUSED
        assert said in capsys.readouterr().err
    assert main(["compare", str(first), str(second), "--all"]) == OK
    assert "left out, as no installed scorer defines them: acme.score" in capsys.readouterr().out


def test_a_baseline_is_read_with_care(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A later format whatever it holds, and parts of another definition, are refused; a line that is there twice counts
    once."""
    first, kept = latencies(tmp_path / "a", 0.0), tmp_path / "blessed.json"
    main(["compare", str(first), "--write-baseline", str(kept)])
    text = kept.read_text()
    line = text.splitlines()[1]
    for edited, said in (
        ('{"format": 2, "rows": {}}', "is a baseline of format 2; this version reads 1"),
        (text.replace('"parts":{"values"', '"parts":{"count"'), "a p50 has other parts than count; it is no baseline"),
    ):
        kept.write_text(edited)
        assert main(["compare", str(first), "--baseline", str(kept)]) == REFUSED
        assert said in capsys.readouterr().err
    kept.write_text(text.replace(line, f"{line}\n{line}"))
    assert main(["compare", str(first), "--baseline", str(kept), "--json"]) == OK
    assert msgspec.json.decode(capsys.readouterr().out)["notes"] == []


def test_a_baseline_of_half_a_run_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is kept as good lacks what was not completed: exit 3, as of a run that lacks it."""
    rows = [timed(0, 0.5, scenario="a"), Row(id="b-0", scenario="b", status="failed")]
    run, kept = write(tmp_path / "run", rows), tmp_path / "blessed.json"
    assert main(["compare", str(run), "--write-baseline", str(kept)]) == INCOMPLETE
    assert "1 of 2 sessions were not completed and are not in it" in capsys.readouterr().err
    assert kept.is_file()


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


def test_a_baseline_of_a_run_is_no_different_from_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Thirds of a second in ten scenarios: what a small file leaves of them is no finding, worse or better."""
    run = write(tmp_path / "run", [timed(0, 2 / 3, metric=MEAN, scenario=f"s{n}") for n in range(10)])
    kept = tmp_path / "blessed.json"
    assert main(["compare", str(run), "--write-baseline", str(kept)]) == OK
    capsys.readouterr()
    assert main(["compare", str(run), "--baseline", str(kept), "--json"]) == OK
    (found,) = msgspec.json.decode(capsys.readouterr().out)["against"][str(run)]
    assert (found["value"], found["p"], found["tone"]) == (0.0, 1.0, "unclear")


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
    one = write(tmp_path / "one", [timed(0, 0.5)])
    assert main(["compare", str(one), str(one), "--need", "0.1"]) == OK
    assert "nobody knows how many more sessions would show a difference of 0.1: 1 indep" in capsys.readouterr().out
