"""Summaries: what the scores of a run's sessions come to, per scenario and over the whole run."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from simulator.batch.job import Row
from simulator.batch.metrics import definitions_of
from simulator.batch.plan import Plan
from simulator.expect import Verdict, judge
from simulator.score import Definition, Score, pool


class ScenarioSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario's pooled scores and verdicts over its trials."""

    name: str
    sessions: int
    completed: int
    scores: list[Score]
    verdicts: list[Verdict]


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
        return {"folder": str(folder), "exit_code": exit_code, "scenarios": self.scenarios, "pooled": self.pooled,
                "sessions": self.rows}


def summarise(plan: Plan, rows: Sequence[Row]) -> Summary:
    """Pool the scores of completed sessions by scenario and over all."""
    definitions: dict[str, Definition] = {}
    scenarios: list[ScenarioSummary] = []
    for name, scenario in plan.scenarios.items():
        own = definitions_of(scenario) if scenario.scorers != [] else {}
        definitions |= own
        mine = [row for row in rows if row.scenario == name]
        scores = pooled_scores(own, mine)
        by_id = {score.id: score for score in scores}
        scenarios.append(ScenarioSummary(
            name=scenario.name, sessions=len(mine), completed=sum(row.status == "completed" for row in mine), scores=scores,
            verdicts=[judge(expectation, by_id) for expectation in scenario.expect],
        ))  # fmt: skip
    pooled = scenarios[0].scores if len(scenarios) == 1 else pooled_scores(definitions, rows)
    return Summary(rows=list(rows), scenarios=scenarios, pooled=pooled, definitions=definitions)


def pooled_scores(definitions: Mapping[str, Definition], rows: Sequence[Row]) -> list[Score]:
    """Pool every metric over the sessions that have it."""
    pooled: list[Score] = []
    for name, definition in definitions.items():
        having = [row for row in rows if name in row.scores]
        scores = [_score(name, row.scores[name]) for row in having]
        pooled.append(pool(definition, scores, [row.scenario for row in having]))
    return pooled


def _score(name: str, fields: Mapping[str, Any]) -> Score:
    return Score(id=name, value=fields["value"], unit=fields["unit"], n=fields["n"], reason=fields["reason"],
                 parts=dict(fields["parts"]))
