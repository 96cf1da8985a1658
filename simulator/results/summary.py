"""Summaries: what the scores of a run's sessions come to, per scenario and over the whole run."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from simulator.planning.scorers import metrics_of
from simulator.reading.expect import Expectation, Verdict, judge
from simulator.results.row import Row, scored
from simulator.scenario import Scenario
from simulator.score import Definition, Score, pass_at_k, pass_hat_k
from simulator.scoring.pooling import pool


class Trials(msgspec.Struct, frozen=True, kw_only=True):
    """How often a scenario passes: a trial passes when it was completed and its own values hold every expectation.

    pass_at_1: the chance that one trial passes; pass_hat_k: that all k of them do, for k = the number of trials.
    """

    passed: int
    of: int
    pass_at_1: float | None
    pass_hat_k: float | None


class ScenarioSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario's pooled scores and verdicts over its trials; trials: None without expectations or repeats."""

    name: str
    sessions: int
    completed: int
    scores: list[Score]
    verdicts: list[Verdict]
    trials: Trials | None = None


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a run came to. pooled: over all scenarios (the one scenario's scores when there is only one)."""

    rows: list[Row]
    scenarios: list[ScenarioSummary]
    pooled: list[Score]
    definitions: dict[str, Definition]

    def failed(self) -> list[Verdict]:
        """The expectations that did not hold."""
        return [verdict for scenario in self.scenarios for verdict in scenario.verdicts if not verdict.passed]

    def as_json(self, folder: Path, exit_code: int) -> dict[str, Any]:
        """The result for machines."""
        return {
            "folder": str(folder),
            "exit_code": exit_code,
            "scenarios": self.scenarios,
            "pooled": self.pooled,
            "sessions": self.rows,
        }


def summarise(taken: Mapping[str, Scenario], rows: Sequence[Row]) -> Summary:
    """Pool the scores of completed sessions by scenario and over all. taken: scenarios by their name in rows."""
    definitions: dict[str, Definition] = {}
    scenarios: list[ScenarioSummary] = []
    for name, scenario in taken.items():
        own = metrics_of(scenario) if scenario.scorers != [] else {}
        definitions |= own
        mine = [row for row in rows if row.scenario == name]
        scores = pooled_scores(own, mine)
        by_id = {score.id: score for score in scores}
        scenarios.append(
            ScenarioSummary(
                name=scenario.name,
                sessions=len(mine),
                completed=sum(row.status == "completed" for row in mine),
                scores=scores,
                verdicts=[judge(expectation, by_id) for expectation in scenario.expect],
                trials=trials_of(scenario.expect, mine) if scenario.expect and len(mine) > 1 else None,
            )
        )
    pooled = scenarios[0].scores if len(scenarios) == 1 else pooled_scores(definitions, rows)
    return Summary(rows=list(rows), scenarios=scenarios, pooled=pooled, definitions=definitions)


def trials_of(expected: Sequence[Expectation], rows: Sequence[Row]) -> Trials:
    """Count the trials that hold every expectation by their own values."""
    passed = [
        row.status == "completed" and all(expectation.holds(row.value(expectation.metric)) for expectation in expected)
        for row in rows
    ]
    return Trials(
        passed=sum(passed), of=len(passed), pass_at_1=pass_at_k(passed, 1), pass_hat_k=pass_hat_k(passed, len(passed))
    )


def pooled_scores(definitions: Mapping[str, Definition], rows: Sequence[Row]) -> list[Score]:
    """Pool every metric over the sessions that have it."""
    found = {name: list(scored(rows, name)) for name in definitions}
    return [
        pool(card, [score for _, score in found[name]], [row.scenario for row, _ in found[name]])
        for name, card in definitions.items()
    ]
