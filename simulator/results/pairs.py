"""Two runs, pair by pair: the same scenario and trial, once with each; differences with intervals.

Pairing takes the difficulty of a scenario out of the comparison. Scenarios are drawn with both their sides (a
paired bootstrap clustered by scenario), so repeats of a scenario do not count as independent evidence.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import msgspec

from simulator.bootstrap import clusters_of, interval_of_difference
from simulator.results.policy import mean_ranks
from simulator.results.row import Row
from simulator.results.run import Run
from simulator.score import Definition, Parts, add_parts, value_of
from simulator.scoring.scorer import all_definitions

Tone = Literal["better", "worse", "unclear", ""]


class Pair(NamedTuple):
    """The same scenario and trial in two runs."""

    first: Row
    second: Row


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One metric over pairs: both values, second minus first with its 95 % interval, and which way that is good.

    tone: `better` or `worse` where the metric has a good side and the interval leaves zero out, `unclear`
    where it does not, empty where the metric has no good side. n: pairs in which both sessions were scored by
    it.
    """

    metric: str
    unit: str
    first: float | None
    second: float | None
    value: float | None
    ci95: tuple[float, float] | None
    n: int
    tone: Tone


def pairs_of(first: Run, second: Run) -> list[Pair]:
    """Give the pairs of two runs by scenario, dataset item and trial, in the first run's order."""
    others = {_key(row): row for row in second.rows}
    return [Pair(row, others[_key(row)]) for row in first.rows if _key(row) in others]


def _key(row: Row) -> tuple[str, str, int]:
    return row.scenario, row.sample, row.trial


def differences(pairs: Sequence[Pair], *, seed: int = 0) -> list[Difference]:
    """Give the paired difference of every metric that both sides have and an installed scorer defines."""
    metrics = dict.fromkeys(metric for pair in pairs for metric in pair.first.scores if metric in pair.second.scores)
    known = all_definitions()
    return [difference_of(known[metric], pairs, seed=seed) for metric in metrics if metric in known]


def difference_of(definition: Definition, pairs: Sequence[Pair], *, seed: int = 0) -> Difference:
    """Give the paired difference of one metric: of the pooled values, not the mean of single differences."""
    scored = [pair for pair in pairs if definition.id in pair.first.scores and definition.id in pair.second.scores]
    parts = [(pair.first.scores[definition.id].parts, pair.second.scores[definition.id].parts) for pair in scored]
    first, second = (value_of(definition, side) for side in _added(parts))
    value = second - first if first is not None and second is not None else None
    clusters = [_added([parts[at] for at in group]) for group in clusters_of([pair.first.scenario for pair in scored])]
    ci95 = interval_of_difference(definition, clusters, seed=seed) if value is not None else None
    return Difference(
        metric=definition.id,
        unit=definition.unit,
        first=first,
        second=second,
        value=value,
        ci95=ci95,
        n=len(scored),
        tone=_tone(definition, value, ci95),
    )


def most_different(pairs: Sequence[Pair]) -> list[Pair]:
    """Order pairs by how far apart their sessions lie in rank over all metrics with a good side."""
    rows = [msgspec.structs.replace(row, id=f"{side}/{row.id}") for pair in pairs for side, row in enumerate(pair)]
    metrics = tuple(dict.fromkeys(metric for row in rows for metric in row.scores))
    ranks = mean_ranks(rows, metrics)
    return sorted(
        pairs,
        key=lambda pair: (-abs(ranks[f"0/{pair.first.id}"] - ranks[f"1/{pair.second.id}"]), pair.first.id),
    )


def _added(parts: Sequence[tuple[Parts, Parts]]) -> tuple[Parts, Parts]:
    return add_parts([first for first, _ in parts]), add_parts([second for _, second in parts])


def _tone(definition: Definition, value: float | None, ci95: tuple[float, float] | None) -> Tone:
    if definition.better == "neither" or value is None:
        return ""
    if ci95 is None or ci95[0] <= 0 <= ci95[1]:
        return "unclear"
    return "better" if (value > 0) == (definition.better == "higher") else "worse"
