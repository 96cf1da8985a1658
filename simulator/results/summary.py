"""Summaries: what the scores of a run's sessions come to, per scenario and over the whole run."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from simulator.intervals.observations import told
from simulator.planning.scorers import metrics_of
from simulator.reading.expect import Expectation, Verdict
from simulator.results.controls import ControlSummary, control_pairs, control_summary
from simulator.results.pooling import verdicts
from simulator.results.row import Row, keeping_invalid, scored, valid
from simulator.results.sweeps import SweepSummary, sweeps_of
from simulator.scenario import Scenario
from simulator.score import Definition, Score, pass_at_k, pass_hat_k
from simulator.scoring.pooling import pool
from simulator.scoring.validity import share_line
from simulator.sweep.sweep import SweepInfo


class Trials(msgspec.Struct, frozen=True, kw_only=True):
    """How often a scenario passes: a trial passes when it was completed and its own values hold every expectation.

    pass_at_1: the chance that one trial passes; pass_hat_k: that all k of them do, for k = the number of trials.
    """

    passed: int
    of: int
    pass_at_1: float | None
    pass_hat_k: float | None


class ScenarioSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario's pooled scores and verdicts over its trials; trials: None without expectations or repeats.

    agent: what kind it was. told: what its intervals speak for, what counted only once, what was left out. invalid: how
    many of the sessions were (see simulator/scoring/validity.py), kept or not. control: what its controls say.
    """

    name: str
    agent: str = ""
    told: list[str] = []
    sessions: int
    completed: int
    invalid: int = 0
    scores: list[Score]
    verdicts: list[Verdict]
    trials: Trials | None = None
    control: ControlSummary | UnsetType = UNSET


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a run came to. pooled: the one scenario's scores, or those over all where that was asked for.

    Several scenarios (and their agents) differ, so they are not pooled unless somebody says so. told: as a scenario's.
    """

    rows: list[Row]
    scenarios: list[ScenarioSummary]
    pooled: list[Score]
    definitions: dict[str, Definition]
    told: list[str] = []
    sweeps: list[SweepSummary] = []

    def failed(self) -> list[Verdict]:
        """The expectations that stop a release: failed or undecided, and not there to inform alone."""
        return [verdict for scenario in self.scenarios for verdict in scenario.verdicts if verdict.gates]

    def as_json(self, folder: str, exit_code: int) -> dict[str, Any]:
        """The result for machines."""
        return {
            "folder": folder,
            "exit_code": exit_code,
            "scenarios": self.scenarios,
            "pooled": self.pooled,
            "sessions": self.rows,
            **({"sweeps": self.sweeps} if self.sweeps else {}),
        }


def summarise(
    taken: Mapping[str, Scenario],
    rows: Sequence[Row],
    *,
    swept: Mapping[str, SweepInfo] | None = None,
    pool_all: bool = False,
    keep_invalid: bool = False,
) -> Summary:
    """Pool the scores of completed sessions by scenario, and over all if asked. taken: scenarios by name in rows.

    swept: what is known of its sweeps. keep_invalid: those of invalid sessions too.
    """
    counted = keeping_invalid(rows) if keep_invalid else list(rows)
    definitions: dict[str, Definition] = {}
    scenarios: list[ScenarioSummary] = []
    by_scenario: dict[str, list[Row]] = {}
    controls = control_pairs(counted)
    counted = [row for row in counted if not row.control_of]
    for row in counted:
        by_scenario.setdefault(row.scenario, []).append(row)
    for name, scenario in taken.items():
        own = metrics_of(scenario) if scenario.scorers != [] else {}
        definitions |= own
        mine = by_scenario.get(name, [])
        scenarios.append(
            ScenarioSummary(
                name=scenario.name,
                sessions=len(mine),
                completed=sum(row.status == "completed" for row in mine),
                invalid=sum(bool(row.invalid) for row in rows if row.scenario == name),
                agent=mine[0].agent if mine else "",
                told=rests_on(mine),
                scores=pooled_scores(own, mine),
                verdicts=verdicts(scenario.expect, own, mine),
                trials=trials_of(scenario.expect, mine) if scenario.expect and len(mine) > 1 else None,
                control=control_summary(controls[name], _asked(scenario)) if name in controls else UNSET,
            )
        )
    sweeps = sweeps_of(swept or {}, counted)
    summary = Summary(rows=list(rows), scenarios=scenarios, pooled=[], definitions=definitions, sweeps=sweeps)
    if len(scenarios) == 1:
        return msgspec.structs.replace(summary, pooled=scenarios[0].scores, told=scenarios[0].told)
    if pool_all:
        return msgspec.structs.replace(summary, pooled=pooled_scores(definitions, counted), told=rests_on(counted))
    return summary


def _asked(scenario: Scenario) -> list[str]:
    return [*scenario.measure, *(item.metric for item in scenario.expect)]


def rests_on(rows: Sequence[Row]) -> list[str]:
    """Say what a table over these sessions rests on: whom it speaks for, what counted once, what was left out."""
    ended = [row for row in rows if row.scores or row.invalid]
    invalid = [row.id for row in ended if row.invalid]
    names = dict.fromkeys(row.recognizer for row in ended if row.recognizer)
    heard = [f"content: words recognised by {', '.join(map(str, names))}"] if names else []
    return [*share_line(invalid, len(ended)), *told(row.origin for row in valid(ended)), *heard]


def trials_of(expected: Sequence[Expectation], rows: Sequence[Row]) -> Trials:
    """Count the valid trials that hold every expectation by their own values; those that only inform aside."""
    gating = [expectation for expectation in expected if not expectation.inform]
    passed = [
        row.status == "completed" and all(expectation.holds(row.value(expectation.metric)) for expectation in gating)
        for row in valid(rows)
    ]
    return Trials(
        passed=sum(passed), of=len(passed), pass_at_1=pass_at_k(passed, 1), pass_hat_k=pass_hat_k(passed, len(passed))
    )


def pooled_scores(definitions: Mapping[str, Definition], rows: Sequence[Row]) -> list[Score]:
    """Pool every metric over the sessions that have it."""
    found = {name: list(scored(rows, name)) for name in definitions}
    return [
        pool(card, [score for _, score in found[name]], [row.origin for row, _ in found[name]])
        for name, card in definitions.items()
    ]
