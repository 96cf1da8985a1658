"""The interval of a pooled value: one mechanism for our metrics and for other projects' alike.

The seam is `interval(definition, clusters)`. Shares of cases have Wilson's interval (share.py), quantiles Woodruff's
(quantile.py), all else the delete-one-cluster jackknife with Student's t, corrected for skewness (Johnson 1978, JASA
73:536): waiting times are skewed, and without it a mean over five sessions is covered 92 times of a hundred. Nothing is
drawn at random. How often each covers: tests/benchmarks/interval_coverage.py, the table in docs/metrics.md.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from simulator.intervals.influence import flat, influences
from simulator.intervals.quantile import FEWEST_FOR_P95, quantile_bounds, too_few_for_p95
from simulator.intervals.share import Bounds, Floats, effective_cases, sums, wilson_corrected
from simulator.intervals.student import critical_t
from simulator.score import Definition, Parts, add_parts, value_of

FEWEST_CLUSTERS = 3
"""Two clusters tell a spread only by chance: Student's t at one degree of freedom is 12.7."""
SHARES = ("ratio", "share", "%")
QUANTILES = {"p50": 0.5, "p95": 0.95}


class Interval(NamedTuple):
    """An interval, or None and the reason why there is none."""

    bounds: Bounds | None
    reason: str | None = None


def interval(definition: Definition, clusters: Sequence[Parts], *, confidence: float = 0.95) -> Interval:
    """Give the two-sided interval of a definition's value. clusters: for each the sum of its parts.

    None, with the reason, for a sum, for fewer than three clusters that hold anything, for a 95th percentile of fewer
    than 20 values, and where all clusters give the same value: a width of zero would claim a certainty nobody has.
    """
    clusters = [parts for parts in clusters if parts.get("values") or parts.get("of")]
    if definition.statistic == "sum":
        return Interval(None, "a count is what it is")
    if len(clusters) < FEWEST_CLUSTERS:
        return Interval(None, f"{observations(len(clusters))}; an interval needs {FEWEST_CLUSTERS}")
    bounds = _bounds(definition, clusters, confidence)
    if isinstance(bounds, str):
        return Interval(None, bounds)
    low, high = sorted(bound * definition.scale for bound in bounds)
    if not low < high:
        return Interval(None, f"all {len(clusters)} observations give the same value")
    return Interval((low, high))


def observations(number: int) -> str:
    """Say how many independent observations there are."""
    return f"{number} independent observation{'s' * (number != 1)}"


def cases_of(definition: Definition, clusters: Sequence[Parts]) -> tuple[Floats, Floats] | None:
    """Give the cases that count and all cases, float64 (k,) each, where a value is a share of cases; None elsewhere.

    A share of seconds is none, nor is a rate whose count may exceed what it is divided by.
    """
    if definition.statistic == "ratio" and not is_rate(definition):
        count, of = (np.array([parts.get(name, 0) for parts in clusters], np.float64) for name in ("count", "of"))
    elif definition.statistic in ("mean", "fmean") and definition.unit in SHARES:
        values, owner = flat(clusters)
        if not np.isin(values, (0.0, 1.0)).all():
            return None
        count, of = sums(owner, values, len(clusters)), sums(owner, None, len(clusters))
    else:
        return None
    whole = bool((count == np.round(count)).all() and (of == np.round(of)).all())
    return (count, of) if whole and (count >= 0).all() and (count <= of).all() else None


def is_rate(definition: Definition) -> bool:
    """Whether a ratio is by time: counts a minute."""
    return definition.unit == "Hz" or any(sign in definition.unit for sign in ("per ", "/"))


def _bounds(definition: Definition, clusters: Sequence[Parts], confidence: float) -> Bounds | str:
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    cases = cases_of(definition, clusters)
    if cases is not None:
        count, of = cases
        return wilson_corrected(float(count.sum() / of.sum()), effective_cases(count, of), z)
    if definition.statistic in QUANTILES:
        values, owner = flat(clusters)
        if definition.statistic == "p95" and len(values) < FEWEST_FOR_P95:
            return too_few_for_p95(len(values))
        t = critical_t(1 - confidence, len(clusters))
        return quantile_bounds(values, owner, QUANTILES[definition.statistic], z, t)
    return _skewed_t(definition, clusters, confidence)


def _skewed_t(definition: Definition, clusters: Sequence[Parts], confidence: float) -> Bounds:
    """Student's t over the clusters' influences; the side to which they are skewed reaches further out."""
    value = value_of(definition, add_parts(clusters))
    pulls = influences(definition, clusters)
    number = len(pulls)
    error = math.sqrt(number / (number - 1) * float((pulls**2).sum()))
    if value is None or error <= 1e-12 * abs(value / definition.scale):  # what rounding leaves of no difference at all
        return 0.0, 0.0
    middle = value / definition.scale
    t = critical_t(1 - confidence, number - 1)
    skewness = float((pulls**3).mean()) / float((pulls**2).mean()) ** 1.5
    shift = skewness * error * (1 + 2 * t * t) / (6 * math.sqrt(number))
    low, high = middle - t * error + min(0.0, shift), middle + t * error + max(0.0, shift)
    return _possible(definition, clusters, low, high)


def _possible(definition: Definition, clusters: Sequence[Parts], low: float, high: float) -> Bounds:
    """Cut off what no value could be: a time below zero, a share above one."""
    if definition.statistic == "ratio":
        least = 0.0 if all(parts["count"] >= 0 for parts in clusters) else -math.inf
        bounded = not is_rate(definition) and all(parts["count"] <= parts["of"] for parts in clusters)
        return max(least, low), min(1.0, high) if bounded else high
    if definition.statistic in ("std", "w1") or float(flat(clusters)[0].min()) >= 0:
        return max(0.0, low), high
    return low, high
