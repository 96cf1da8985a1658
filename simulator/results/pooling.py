"""Corpus values over the rows of a run, and what becomes of expectations by them."""

from collections.abc import Sequence

from simulator.reading.expect import Expectation, Verdict, judge
from simulator.results.row import Row, scored
from simulator.score import Score
from simulator.scoring.pooling import pool
from simulator.scoring.scorer import all_definitions


def pooled(rows: Sequence[Row], metric: str) -> Score:
    """Pool a metric over sessions; undefined, with the reason, where no installed scorer defines it."""
    found = list(scored(rows, metric))
    definition = all_definitions().get(metric)
    if definition is None:
        unit = found[0][1].unit if found else ""
        return Score(id=metric, value=None, unit=unit, n=len(found), reason=f"no installed scorer defines {metric}")
    return pool(definition, [score for _, score in found], [row.scenario for row, _ in found])


def verdicts(expected: Sequence[str], rows: Sequence[Row]) -> list[Verdict]:
    """Judge the expectations of a scenario by its values pooled over trials; rows: the scenario's sessions."""
    found = [Expectation(text) for text in expected]
    return [judge(item, {item.metric: pooled(rows, item.metric)}) for item in found]


def violates(verdict: Verdict, value: float | None) -> bool:
    """Say whether one session's value alone breaks an expectation; an undefined one breaks nothing by itself."""
    if value is None:
        return False
    alone = Score(id=verdict.metric, value=value, unit="", n=1)
    return not judge(Expectation(verdict.text), {verdict.metric: alone}).passed
