"""Rules of staircases: they go where the curve bends, whoever plays them, and go on where they stopped."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulator.batch.climbing import played_or_next
from simulator.cli import OK, main
from simulator.curves.fit import Cases, fitted
from simulator.curves.function import Form
from simulator.curves.staircase import Staircase
from simulator.planning.plan import Plan
from simulator.results.row import Row, RowScore
from simulator.results.row_file import read_rows
from simulator.sweep.dimension import number_of
from tests.observers import KNOWN, Observer
from tests.test_sweeps import METRIC, PAUSE, planned, refusal, written

SPANS = {"pause": (0.2, 1.6), "steep pause": (0.2, 1.6), "offset": (0.1, 2.0), "snr": (0.0, 30.0)}
STAIRS = {"pause": {"path": PAUSE, "from": "200ms", "to": "1400ms", "steps": 25}, "design": "staircase"}


def climb(plan: Plan, observer: Observer, seed: int = 0) -> dict[str, Row]:
    """Play a plan with an observer in the agent's place: the level alone decides how likely a yes is."""
    rows: dict[str, Row] = {}
    while todo := [job for job in played_or_next(plan, rows) if job.id not in rows]:
        for job in todo:
            assert job.point is not None
            rng = np.random.default_rng([seed, job.scenario.seed])
            yes = observer.answers(number_of(job.point.at["pause"]) or 0.0, rng)
            score = RowScore(value=float(yes), n=1, parts={"count": int(yes), "of": 1})
            rows[job.id] = Row(id=job.id, scenario=job.group, point=job.point, scores={METRIC: score})
    return rows


def test_a_staircase_steps_as_kaernbach_says() -> None:
    """Down 2(1-p) and up 2p steps of a quarter of the levels; a reversal halves the step, down to one level."""
    stairs = Staircase(17, 0.25, 8.0)
    places = []
    for yes in (False, False, True, None, False, True):
        stairs.answered(yes=yes)
        places.append(stairs._place)
    # The step is 4.25; the third answer is a reversal, the fourth is none and leads back, the others are reversals.
    assert places == pytest.approx([10.125, 12.25, 12.25 - 1.5 * 2.125, 12.25, 12.25 + 0.5 * 1, 12.75 - 1.5 * 1])
    falling = Staircase(17, 0.5, 8.0, rising=False)
    falling.answered(yes=True)
    assert falling.level == 12


def test_levels_without_an_answer_do_not_hold_a_staircase() -> None:
    """Below 0.5 s nothing can be measured: a climb that runs into it comes back, and still finds the threshold."""
    levels = np.linspace(0.2, 1.6, 25)
    stairs, rng, answered = Staircase(25, 0.3, 8.0), np.random.default_rng(4), 0
    for _ in range(60):
        level = float(levels[stairs.level])
        yes = KNOWN["pause"].answers(level, rng) if level >= 0.5 else None
        answered += yes is not None
        stairs.answered(yes=yes)
    assert answered > 50
    silent = Staircase(25, 0.3, 8.0)
    silent.answered(yes=None)
    assert silent.level == 8


@pytest.mark.parametrize("target", [0.3, 0.5, 0.7])
def test_a_staircase_hovers_at_its_target(target: float) -> None:
    """Over a long climb the levels that it asks at have that share of yes."""
    levels = np.linspace(0.2, 1.6, 41)
    stairs, rng, yes = Staircase(41, target, 20.0), np.random.default_rng(2), []
    for _ in range(3000):
        yes.append(KNOWN["pause"].answers(float(levels[stairs.level]), rng))
        stairs.answered(yes=yes[-1])
    assert np.mean(yes[100:]) == pytest.approx(target, abs=0.03)


@pytest.mark.parametrize("name", KNOWN)
def test_eighty_trials_find_the_threshold(name: str) -> None:
    """Over forty climbs: nine of ten thresholds are within 5 % of the observer's."""
    observer, (low, high) = KNOWN[name], SPANS[name]
    weibull = observer.shape == "weibull"
    levels = (np.geomspace if weibull else np.linspace)(low, high, 25)
    form = Form(function=observer.shape, guess=0.03 if observer.falling else 0.0)  # type: ignore[arg-type]
    close = 0
    for seed in range(40):
        rng, cases = np.random.default_rng(seed), []
        stairs = [Staircase(25, target, start, rising=not observer.falling) for target, start in ((0.3, 8), (0.7, 16))]
        for trial in range(80):
            stair = stairs[trial % 2]
            level = float(levels[stair.level])
            yes = observer.answers(level, rng)
            cases.append(Cases(level, float(yes), 1.0))
            stair.answered(yes=yes)
        found = fitted(cases, form, rng, resamples=9).fit
        close += found is not None and abs(found.threshold / observer.threshold - 1) < 0.05
    assert close >= 36


def test_a_plan_climbs_and_spends_its_trials_at_the_bend(tmp_path: Path) -> None:
    """Eighty trials of one flight, each with its own seed, most of them where the curve is neither 0 nor 1."""
    plan = planned(tmp_path, STAIRS, measure=[METRIC])
    assert [job.id for job in plan.jobs] == ["talk-pause-600ms-0", "talk-pause-1s-1"]
    rows = climb(plan, KNOWN["pause"])
    jobs = played_or_next(plan, rows)
    assert [job.scenario.seed for job in jobs] == list(range(80)) and len(rows) == 80
    shares = [KNOWN["pause"].probability(number_of(job.point.at["pause"]) or 0.0) for job in jobs if job.point]
    assert np.mean([0.05 < share < 0.95 for share in shares[10:]]) > 0.75
    assert climb(plan, KNOWN["pause"]).keys() == rows.keys() != climb(plan, KNOWN["pause"], seed=1).keys()


def test_the_next_round_waits_for_the_last(tmp_path: Path) -> None:
    """One of two answers is not enough; what comes next depends on the answers, and not on their order."""
    plan = planned(tmp_path, STAIRS, measure=[METRIC])
    rows = climb(plan, KNOWN["pause"])
    first, second = (job.id for job in plan.jobs)
    assert [job.id for job in played_or_next(plan, {second: rows[second]})] == [first, second]
    both = played_or_next(plan, {second: rows[second], first: rows[first]})
    assert len(both) == 4 and {job.id for job in both} <= rows.keys()


def test_what_has_no_answer_is_asked_again(tmp_path: Path) -> None:
    """A session that failed, or is invalid, or has no value: the same level, and a trial is spent."""
    plan = planned(tmp_path, STAIRS, measure=[METRIC])
    good = {METRIC: RowScore(value=1.0, n=1, parts={"count": 1, "of": 1})}
    rows = {
        plan.jobs[0].id: Row(id=plan.jobs[0].id, scenario=plan.jobs[0].group, status="failed"),
        plan.jobs[1].id: Row(id=plan.jobs[1].id, scenario=plan.jobs[1].group, invalid="noise", scores=good),
    }
    assert [job.group for job in played_or_next(plan, rows)[2:]] == [job.group for job in plan.jobs]


@pytest.mark.parametrize(
    ("sweep", "fields", "message"),
    [
        ({}, {}, "$.measure: is missing; a staircase asks its first metric"),
        ({}, {"measure": ["latency.response_p50_s"], "scorers": ["latency"]}, "asks for yes or no"),
        ({}, {"measure": [METRIC], "repeat": 3}, "$.repeat: a staircase repeats nothing"),
        ({"trials": 9}, {"measure": [METRIC]}, "say how many it makes as design.trials"),
        ({"design": {"kind": "staircase", "over": "snr"}}, {}, "design.over is 'snr'; a staircase climbs one of pause"),
        ({"pause": {"path": PAUSE, "values": ["1s", "2s"]}, "design": {"kind": "staircase", "over": "pause"}}, {},
         "climbs 5 or more rising numbers or times; pause has others"),
        ({"design": {"kind": "staircase", "targets": [0.99]}}, {}, "design.targets[0]: expected `float` <= 0.9"),
    ],
)  # fmt: skip
def test_what_no_staircase_climbs_is_refused(
    tmp_path: Path, sweep: dict[str, Any], fields: dict[str, Any], message: str
) -> None:
    """Before anything runs."""
    assert message in refusal(tmp_path, {**STAIRS, **sweep}, **fields)


def test_a_climb_is_the_same_beside_others_and_when_it_is_resumed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Six real sessions: in turn, two at a time, and cut off after three, they are the same ones."""
    sweep = {**STAIRS, "design": {"kind": "staircase", "trials": 6}}
    path = written(tmp_path, sweep=sweep, measure=[METRIC])
    alone, beside = tmp_path / "alone", tmp_path / "beside"
    assert main([str(path), "--out", str(alone), "--json"]) == OK
    assert main([str(path), "--out", str(beside), "--json", "--concurrency", "2"]) == OK
    rows = {row.id: row.scores for row in read_rows(alone)[0]}
    assert len(rows) == 6 and {row.id: row.scores for row in read_rows(beside)[0]} == rows
    lines = (beside / "results.jsonl").read_text().splitlines(keepends=True)
    (beside / "results.jsonl").write_text("".join(lines[:3]))
    capsys.readouterr()
    assert main([str(path), "--out", str(beside), "--json", "--resume"]) == OK
    assert {row.id: row.scores for row in read_rows(beside)[0]} == rows
    assert len(json.loads(capsys.readouterr().out)["sessions"]) == 6
