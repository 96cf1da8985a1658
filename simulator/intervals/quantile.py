"""Intervals of a quantile of values that come in clusters: the interval of the share below it, read off the values.

Woodruff (1952): where the share of values below the quantile lies between two bounds, the quantile lies between the
values at those shares. The bounds are the clustered Wilson's of share.py, so that the median and the 95th percentile
need no density and no resampling, which are what fails with few sessions. Where a bound lies beyond the outermost
value, the tail is continued as an exponential one: its mean excess is that of the outer quarter of the values.
"""

import math

import numpy as np

from simulator.intervals.share import (
    Bounds,
    Floats,
    Owners,
    cases_as_measured,
    effective_cases,
    sums,
    wilson,
    wilson_corrected,
)

FEWEST_FOR_P95 = 20
"""Below so many values not one is expected beyond the 95th percentile."""
_TAIL = 4
_FARTHEST = 1e-4
"""A tail is never continued beyond this share: there the exponential form is a belief and no more."""


def too_few_for_p95(values: int) -> str:
    """Say why so many values have no interval of their 95th percentile."""
    return f"{values} values; the interval of a 95th percentile needs {FEWEST_FOR_P95}"


def quantile_bounds(values: Floats, owner: Owners, q: float, z: float, t: float) -> Bounds:
    """Give the interval of the q-quantile. values: float64 (n,), in any order; owner: int64 (n,), their clusters.

    z, t: the normal quantile of the confidence, and Student's with as many degrees of freedom as there are clusters.
    """
    ordered = np.sort(values)
    below = (values <= np.quantile(ordered, q)).astype(np.float64)
    clusters = int(owner.max()) + 1
    count, of = sums(owner, below, clusters), sums(owner, None, clusters)
    if q == 0.5:  # every cluster has values on both sides, or tells by having none
        low, high = wilson(q, cases_as_measured(count, of, z, t), z)
    else:
        low, high = wilson_corrected(q, effective_cases(count, of), z)
    return _value_at(ordered, low), _value_at(ordered, high)


def _value_at(ordered: Floats, share: float) -> float:
    """Give the value below which this share lies: between the ordered values, or on a tail beyond them."""
    count = len(ordered)
    place = share * (count + 1)
    if 1 <= place <= count:
        under = int(place)
        over = min(under, count - 1)
        return float(ordered[under - 1] + (place - under) * (ordered[over] - ordered[under - 1]))
    outer = min(max(2, math.ceil(count / _TAIL)), count - 1)
    if place > count:
        excess = float(ordered[-outer:].mean() - ordered[-outer - 1])
        return float(ordered[-1]) + excess * _steps(1 - share, count)
    excess = float(ordered[outer] - ordered[:outer].mean())
    return float(ordered[0]) - excess * _steps(share, count)


def _steps(share: float, count: int) -> float:
    """How many mean excesses beyond the outermost value a share lies that is smaller than the outermost's own."""
    return math.log(1 / (count + 1) / max(share, _FARTHEST)) if share < 1 / (count + 1) else 0.0
