"""Corpus values over the rows of a run, and what becomes of expectations by them."""

from collections.abc import Mapping, Sequence

from simulator.reading.expect import Expectation, Verdict, judge
from simulator.results.deciding import decided
from simulator.results.row import Row, scored
from simulator.score import Definition, Score
from simulator.scoring.pooling import pool
from simulator.scoring.scorer import definition_of


def pooled(rows: Sequence[Row], metric: str) -> Score:
    """Pool a metric over sessions; undefined, with the reason, where no installed scorer defines it."""
    found = list(scored(rows, metric))
    definition = definition_of(metric)
    if definition is None:
        unit = found[0][1].unit if found else ""
        return Score(id=metric, value=None, unit=unit, n=len(found), reason=f"no installed scorer defines {metric}")
    return pool(definition, [score for _, score in found], [row.origin for row, _ in found])


def verdicts(
    expected: Sequence[Expectation], definitions: Mapping[str, Definition], rows: Sequence[Row]
) -> list[Verdict]:
    """Judge the expectations of a scenario by its values over trials; rows: the scenario's sessions."""
    found: list[Verdict] = []
    for item in expected:
        card = definitions.get(item.metric) or definition_of(item.metric)
        known = {item.metric: pooled(rows, item.metric)} if card is None else {}
        found.append(judge(item, known) if card is None else decided(item, card, rows))
    return found


def violates(verdict: Verdict, value: float | None) -> bool:
    """Say whether one session's value alone breaks an expectation; an undefined one breaks nothing by itself."""
    if value is None:
        return False
    alone = Score(id=verdict.metric, value=value, unit="", n=1)
    return not judge(verdict.expectation, {verdict.metric: alone}).passed
