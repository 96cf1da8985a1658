"""Intervals by a bootstrap over clusters: one mechanism for pooled values, paired differences and foreign corpora.

The seam is `interval(definition, clusters)`: what stands behind it may be replaced without anybody noticing. A
thousand resamples over thousands of sessions take a tenth of a second: sums are added up per cluster first, and
measurements are sorted once, so that a resample only says how often each of them is there.
"""

import math
from collections.abc import Callable, Iterator, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from simulator.score import Definition, Parts, distance, value_of

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Interval = tuple[float, float]
Resampled = Callable[[Counts], Floats]
"""Values without scale of resamples, int64 (resamples, clusters) -> float64 (resamples,), NaN where undefined."""

RESAMPLES = 1000
_BLOCK = 2_000_000
"""Cluster numbers drawn at a time: 16 MB, however many sessions there are."""


def interval(
    definition: Definition, clusters: Sequence[Parts], *, seed: int = 0, resamples: int = RESAMPLES
) -> Interval | None:
    """Give the 95 % percentile interval of a definition's value; None with fewer than two clusters.

    clusters: for each cluster the sum of its parts. Seeded, so the same parts give the same interval.
    """
    if len(clusters) < 2:
        return None
    return _middle(_resampled(definition, clusters), len(clusters), definition.scale, seed, resamples)


def interval_of_difference(
    definition: Definition, pairs: Sequence[tuple[Parts, Parts]], *, seed: int = 0, resamples: int = RESAMPLES
) -> Interval | None:
    """Give the interval of second minus first; a cluster is drawn with both its sides. None with fewer than two."""
    if len(pairs) < 2:
        return None
    first, second = (_resampled(definition, [pair[side] for pair in pairs]) for side in (0, 1))
    return _middle(lambda draws: second(draws) - first(draws), len(pairs), definition.scale, seed, resamples)


def clusters_of(names: Sequence[str]) -> list[list[int]]:
    """Group what is drawn: the places of each name; with fewer than two names every place by itself.

    Names are scenarios: repeats of a scenario are not independent, so they are drawn together.
    """
    groups: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        groups.setdefault(name, []).append(place)
    return list(groups.values()) if len(groups) > 1 else [[place] for place in range(len(names))]


def _middle(resampled: Resampled, clusters: int, scale: float, seed: int, resamples: int) -> Interval | None:
    """Give the 2.5th and 97.5th percentile of what resamples give; None when fewer than two of them give a value."""
    found = np.concatenate([resampled(draws) for draws in _draws(clusters, seed, resamples)])
    found = found[np.isfinite(found)]
    if len(found) < 2:
        return None
    low, high = np.quantile(found, (0.025, 0.975)) * scale
    return float(low), float(high)


def _draws(clusters: int, seed: int, resamples: int) -> Iterator[Counts]:
    """Give resamples in blocks, int64 (block, clusters)."""
    rng = np.random.default_rng(seed)
    block = max(1, _BLOCK // clusters)
    for first in range(0, resamples, block):
        yield rng.integers(0, clusters, (min(block, resamples - first), clusters))


def _resampled(definition: Definition, clusters: Sequence[Parts]) -> Resampled:
    if definition.statistic in ("ratio", "sum"):
        return _from_counts(definition, clusters)
    groups: list[Sequence[float]] = [parts.get("values", ()) for parts in clusters]
    if definition.statistic in ("mean", "fmean", "std"):
        return _from_moments(definition, groups)
    if definition.statistic == "trimmed_mean":
        return _from_values(definition, groups)
    return _from_sorted(definition, groups)


def _from_counts(definition: Definition, clusters: Sequence[Parts]) -> Resampled:
    count = _sums([parts.get("count", 0) for parts in clusters])
    if definition.statistic == "sum":
        of = _sums([parts.get("of", 1) for parts in clusters])
        return lambda draws: np.where(of(draws) > 0, count(draws), np.nan)
    of = _sums([parts.get("of", 0) for parts in clusters])
    return lambda draws: _divided(count(draws), of(draws))


def _from_moments(definition: Definition, groups: Sequence[Sequence[float]]) -> Resampled:
    count = _sums([len(values) for values in groups])
    first = _sums([math.fsum(values) for values in groups])
    if definition.statistic != "std":
        return lambda draws: _divided(first(draws), count(draws))
    second = _sums([math.fsum(value * value for value in values) for values in groups])

    def deviation(draws: Counts) -> Floats:
        mean = _divided(first(draws), count(draws))
        # Two nearly equal numbers are subtracted: rounding may leave a little less than nothing.
        spread: Floats = np.sqrt(np.maximum(_divided(second(draws), count(draws)) - mean * mean, 0))
        return spread

    return deviation


def _sums(amounts: Sequence[float]) -> Resampled:
    each = np.asarray(amounts, np.float64)

    def total(draws: Counts) -> Floats:
        drawn: Floats = each[draws].sum(axis=1)
        return drawn

    return total


def _divided(count: Floats, of: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(of > 0, count / of, np.nan)


def _from_values(definition: Definition, groups: Sequence[Sequence[float]]) -> Resampled:
    """Values that have no shortcut: of the drawn measurements themselves, in the order drawn."""
    plain = msgspec.structs.replace(definition, scale=1.0)

    def values(draws: Counts) -> Floats:
        drawn = ([value for place in draw for value in groups[place]] for draw in draws)
        return np.array([value_of(plain, {"values": every}) for every in drawn], np.float64)

    return values


def _from_sorted(definition: Definition, groups: Sequence[Sequence[float]]) -> Resampled:
    """Percentiles and distances: measurements are sorted once; a resample says how often each of them is there."""
    every = np.asarray([value for values in groups for value in values], np.float64)
    order = np.argsort(every, kind="stable")
    owner = np.repeat(np.arange(len(groups)), [len(values) for values in groups])[order]
    repeated = (
        distance(every[order], definition.reference)
        if definition.statistic == "w1"
        else _percentile(every[order], 0.5 if definition.statistic == "p50" else 0.95)
    )

    def values(draws: Counts) -> Floats:
        running = (np.cumsum(np.bincount(draw, minlength=len(groups))[owner]) for draw in draws)
        return np.array([repeated(upto) if len(upto) and upto[-1] else np.nan for upto in running], np.float64)

    return values


def _percentile(ordered: Floats, q: float) -> Callable[[Counts], float]:
    """The q-quantile of sorted measurements that are there several times (`upto`: running sum of the times)."""

    def value(upto: Counts) -> float:
        place = q * (upto[-1] - 1)
        below, above = (
            ordered[np.searchsorted(upto, at, side="right")] for at in (math.floor(place), math.ceil(place))
        )
        return float(below + (above - below) * (place - math.floor(place)))

    return value
