"""Two runs, pair by pair: the same scenario and trial, once with each; differences with intervals.

Pairing takes the difficulty of a scenario out of the comparison. Scenarios are drawn with both their sides (a
paired bootstrap clustered by scenario), so repeats of a scenario do not count as independent evidence.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import msgspec
import numpy as np

from simulator.results.judged import definitions
from simulator.results.policy import mean_ranks
from simulator.results.row import Row
from simulator.results.run import Run
from simulator.score import RESAMPLES, Definition, add_parts, quantile, value_of

Tone = Literal["better", "worse", "unclear", ""]

Parts = Mapping[str, Any]


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
    return [difference_of(definitions()[metric], pairs, seed=seed) for metric in metrics if metric in definitions()]


def difference_of(definition: Definition, pairs: Sequence[Pair], *, seed: int = 0) -> Difference:
    """Give the paired difference of one metric: of the pooled values, not the mean of single differences."""
    scored = [pair for pair in pairs if definition.id in pair.first.scores and definition.id in pair.second.scores]
    sides = [
        [(pair.first.scenario, row.scores[definition.id].parts) for pair in scored for row in (pair[side],)]
        for side in (0, 1)
    ]
    first, second = (value_of(definition, total) if total else None for total in map(_total, sides))
    value = second - first if first is not None and second is not None else None
    ci95 = _interval(definition, sides[0], sides[1], seed) if value is not None else None
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


def _total(side: Sequence[tuple[str, Parts]]) -> dict[str, Any]:
    return add_parts([parts for _, parts in side])


def _interval(
    definition: Definition, first: Sequence[tuple[str, Parts]], second: Sequence[tuple[str, Parts]], seed: int
) -> tuple[float, float] | None:
    clustered = len({scenario for scenario, _ in first}) > 1
    groups: dict[str, tuple[list[Parts], list[Parts]]] = {}
    for index, ((scenario, left), (_, right)) in enumerate(zip(first, second, strict=True)):
        group = groups.setdefault(scenario if clustered else str(index), ([], []))
        group[0].append(left)
        group[1].append(right)
    if len(groups) < 2:
        return None
    sums = [(add_parts(left), add_parts(right)) for left, right in groups.values()]
    draws = np.random.default_rng(seed).integers(0, len(sums), (RESAMPLES, len(sums)))
    found = [value for draw in draws if (value := _drawn(definition, [sums[index] for index in draw])) is not None]
    return (quantile(found, 0.025), quantile(found, 0.975)) if len(found) > 1 else None


def _drawn(definition: Definition, sums: Sequence[tuple[Parts, Parts]]) -> float | None:
    first = value_of(definition, add_parts([left for left, _ in sums]))
    second = value_of(definition, add_parts([right for _, right in sums]))
    return second - first if first is not None and second is not None else None


def _tone(definition: Definition, value: float | None, ci95: tuple[float, float] | None) -> Tone:
    if definition.better == "neither" or value is None:
        return ""
    if ci95 is None or ci95[0] <= 0 <= ci95[1]:
        return "unclear"
    return "better" if (value > 0) == (definition.better == "higher") else "worse"
