"""Scores: what a scorer says about a session, with what is needed to trust it and to pool it.

A score's `parts` add up over sessions: a share is a count of a count, a time is a list of measured values. A
corpus value is computed from the summed parts, never from an average of averages, with a bootstrap interval
clustered by scenario. A value that is undefined is None with a reason; it is never made up.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Counts = NDArray[np.int64]

Statistic = Literal["ratio", "mean", "p50", "p95", "sum", "w1"]


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """A definition card: what a metric measures, told so that a stranger could recompute it.

    statistic: how the value comes from parts: `ratio` = count / of (times `scale`), `mean`, `p50`, `p95` over
    `values`, `sum` = count, `w1` = Wasserstein-1 distance of `values` from `reference`. better: which way is
    good, for reports. card: about ten lines for `simulate explain`.
    """

    id: str
    unit: str
    statistic: Statistic
    title: str
    card: str
    better: Literal["higher", "lower", "neither"] = "neither"
    scale: float = 1.0
    source: str = ""
    reference: tuple[float, ...] = ()


class Evidence(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A stretch of the session [start, end) in samples that a score rests on, and what was measured there.

    value is in the metric's unit (None where it is a yes or no told by `label`).
    """

    start: int
    end: int
    party: str = ""
    label: str = ""
    value: float | None = None


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """One number about one session (or, pooled, about many). `n` counts the values or cases that entered."""

    id: str
    value: float | None
    unit: str
    n: int
    ci95: tuple[float, float] | None = None
    reason: str | None = None
    parts: dict[str, Any] = {}
    evidence: list[Evidence] = []
    definition: str = ""


class Scorer(Protocol):
    """A pure function from a session to scores, with the cards of the metrics it gives."""

    definitions: Mapping[str, Definition]

    def score(self, session: Any) -> list[Score]:
        """Score one session (a `simulator.session.Session`); one Score per definition, in their order."""
        ...


def share(
    definition: Definition, count: float, of: float, evidence: Sequence[Evidence] = (), *, reason: str
) -> Score:
    """Make a ratio score, scale * count / of; undefined with `reason` when `of` is 0."""
    return from_parts(definition, {"count": count, "of": of}, evidence, reason=reason)


def spread(
    definition: Definition, values: Sequence[float], evidence: Sequence[Evidence] = (), *, reason: str
) -> Score:
    """Make a mean or percentile score over measured values; undefined with `reason` when there are none."""
    return from_parts(definition, {"values": [float(value) for value in values]}, evidence, reason=reason)


def from_parts(
    definition: Definition, parts: dict[str, Any], evidence: Sequence[Evidence] = (), *, reason: str
) -> Score:
    """Make the score that these parts give under a definition."""
    value = value_of(definition, parts)
    return Score(
        id=definition.id,
        value=value,
        unit=definition.unit,
        n=count_of(parts),
        reason=None if value is not None else reason,
        parts=parts,
        evidence=list(evidence),
        definition=definition.id,
    )


def undefined(definition: Definition, reason: str) -> Score:
    """Make the score of a metric that cannot be measured on this session, and say why."""
    parts: dict[str, Any] = (
        {"count": 0, "of": 0} if definition.statistic in ("ratio", "sum") else {"values": []}
    )
    return from_parts(definition, parts, reason=reason)


def count_of(parts: Mapping[str, Any]) -> int:
    """The number of cases or values behind parts."""
    if "values" in parts:
        return len(parts["values"])
    return int(parts.get("n", parts.get("of", 0)))


def value_of(definition: Definition, parts: Mapping[str, Any]) -> float | None:
    """Compute a definition's value from parts; None when nothing was measured."""
    if definition.statistic == "sum":
        return float(parts["count"]) if parts.get("of", 1) else None
    if definition.statistic == "ratio":
        return definition.scale * parts["count"] / parts["of"] if parts["of"] else None
    values = parts["values"]
    if not values:
        return None
    if definition.statistic == "mean":
        return math.fsum(values) / len(values)
    if definition.statistic == "w1":
        return wasserstein_1(values, definition.reference) if definition.reference else None
    return quantile(values, 0.5 if definition.statistic == "p50" else 0.95)


def wasserstein_1(values: Sequence[float], reference: Sequence[float]) -> float:
    """The Wasserstein-1 (earth mover's) distance of two samples: the area between their distribution
    functions.

    In the unit of the values; 0 when they are the same distribution. Neither may be empty.
    """
    mine = np.sort(np.asarray(values, float))
    return _distance(mine, reference)(np.arange(1, len(mine) + 1))


def quantile(values: Sequence[float], q: float) -> float:
    """The q-quantile by linear interpolation between the sorted values (the common definition, numpy's
    default)."""
    ordered = sorted(values)
    place = q * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def add_parts(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Add parts up: numbers are summed, lists are joined."""
    total: dict[str, Any] = {}
    for part in parts:
        for name, item in part.items():
            total[name] = (
                total[name] + item if name in total else (list(item) if isinstance(item, list) else item)
            )
    return total


RESAMPLES = 1000


def pool(
    definition: Definition,
    scores: Sequence[Score],
    clusters: Sequence[str],
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Score:
    """Pool one metric over sessions: the value of the summed parts, with a 95 % percentile-bootstrap
    interval.

    clusters: for each score the scenario it belongs to. Clusters are drawn, not sessions: repeats of a
    scenario are not independent. With fewer than two clusters the sessions themselves are drawn; with one
    session there is no interval. Seeded, so the same scores give the same interval.
    """
    total = add_parts([score.parts for score in scores])
    reasons = sorted({score.reason for score in scores if score.reason})
    pooled = (
        from_parts(definition, total, reason="; ".join(reasons) or "no sessions")
        if total
        else undefined(definition, "; ".join(reasons) or "no sessions")
    )
    names = list(clusters) if len(set(clusters)) > 1 else [str(index) for index in range(len(scores))]
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for name, score in zip(names, scores, strict=True):
        groups.setdefault(name, []).append(score.parts)
    if pooled.value is None:
        return pooled
    return msgspec.structs.replace(pooled, ci95=_interval(definition, list(groups.values()), seed, resamples))


def _interval(
    definition: Definition, groups: Sequence[Sequence[Mapping[str, Any]]], seed: int, resamples: int
) -> tuple[float, float] | None:
    """Draw clusters with replacement and give the 2.5th and 97.5th percentile of the values that come
    about."""
    if len(groups) < 2:
        return None
    sums = [add_parts(group) for group in groups]
    by_sums = definition.statistic in ("ratio", "sum", "mean")
    value_of_draws = _from_sums(definition, sums) if by_sums else _from_values(definition, sums)
    values: list[float] = []
    for draws in _draws(len(groups), seed, resamples):
        values += value_of_draws(draws)
    return (quantile(values, 0.025), quantile(values, 0.975)) if len(values) > 1 else None


def _draws(clusters: int, seed: int, resamples: int) -> Iterator[Counts]:
    """Give resamples in blocks, int64 (block, clusters): 16 MB at a time, however many sessions there are."""
    rng = np.random.default_rng(seed)
    block = max(1, 2_000_000 // clusters)
    for first in range(0, resamples, block):
        yield rng.integers(0, clusters, (min(block, resamples - first), clusters))


def _from_sums(definition: Definition, sums: Sequence[Mapping[str, Any]]) -> Callable[[Counts], list[float]]:
    """Values that need two sums per cluster: a count and what it is of."""
    pairs = [
        (math.fsum(part.get("values", [])), len(part.get("values", [])))
        if definition.statistic == "mean"
        else (part.get("count", 0), part.get("of", 1 if definition.statistic == "sum" else 0))
        for part in sums
    ]
    counts, ofs = np.asarray(pairs, float).T
    scale = definition.scale if definition.statistic == "ratio" else 1.0

    def values(draws: Counts) -> list[float]:
        drawn, of = counts[draws].sum(axis=1), ofs[draws].sum(axis=1)
        measured = of > 0
        found = drawn[measured] if definition.statistic == "sum" else scale * drawn[measured] / of[measured]
        return [float(value) for value in found]

    return values


def _from_values(
    definition: Definition, sums: Sequence[Mapping[str, Any]]
) -> Callable[[Counts], list[float]]:
    """Values that need every single measurement: percentiles and distances.

    Measurements are sorted once; a resample only says how often each of them is there.
    """
    groups = [part.get("values", []) for part in sums]
    every = np.asarray([value for group in groups for value in group], float)
    order = np.argsort(every, kind="stable")
    owner = np.repeat(np.arange(len(groups)), [len(group) for group in groups])[order]
    repeated = (
        _distance(every[order], definition.reference)
        if definition.statistic == "w1"
        else _percentile(every[order], 0.5 if definition.statistic == "p50" else 0.95)
    )

    def values(draws: Counts) -> list[float]:
        running = (np.cumsum(np.bincount(draw, minlength=len(groups))[owner]) for draw in draws)
        return [repeated(upto) for upto in running if len(upto) and upto[-1]]

    return values


def _percentile(ordered: Values, q: float) -> Callable[[Counts], float]:
    """The q-quantile of sorted measurements that are there several times (`upto`: running sum of the
    times)."""

    def value(upto: Counts) -> float:
        place = q * (upto[-1] - 1)
        below, above = (
            ordered[np.searchsorted(upto, at, side="right")] for at in (math.floor(place), math.ceil(place))
        )
        return float(below + (above - below) * (place - math.floor(place)))

    return value


def _distance(ordered: Values, reference: Sequence[float]) -> Callable[[Counts], float]:
    """The Wasserstein-1 distance of sorted measurements that are there several times from a reference."""
    theirs = np.sort(np.asarray(reference, float))
    places = np.sort(np.concatenate([ordered, theirs]))
    mine_below = np.searchsorted(ordered, places[:-1], side="right")
    theirs_below = np.searchsorted(theirs, places[:-1], side="right") / max(1, len(theirs))
    widths = np.diff(places)

    def value(upto: Counts) -> float:
        share = np.concatenate([[0], upto])[mine_below] / upto[-1]
        return float(np.sum(np.abs(share - theirs_below) * widths))

    return value


def pass_at_k(passed: Sequence[bool], k: int) -> float | None:
    """The chance that at least one of k trials drawn from these passes (pass@k); None with fewer than k
    trials."""
    if not 1 <= k <= len(passed):
        return None
    failures = len(passed) - sum(passed)
    return 1 - math.comb(failures, k) / math.comb(len(passed), k)


def pass_hat_k(passed: Sequence[bool], k: int) -> float | None:
    """The chance that all of k trials drawn from these pass (pass^k); None with fewer than k trials."""
    if not 1 <= k <= len(passed):
        return None
    return math.comb(sum(passed), k) / math.comb(len(passed), k)
