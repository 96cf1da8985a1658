"""Intervals of a share of cases that come in clusters: Wilson's, at the effective number of cases.

Cases of one cluster (barge-ins of a session, sessions of a scenario) are alike, so n of them tell less than n
independent ones: n / deff, deff = 1 + (m - 1) rho (Kish 1965), with m the size of a cluster that a case meets and rho
the correlation within clusters. Few clusters tell little of rho, and where every case went well they tell nothing of
it. So rho is drawn towards a cautious prior, which weighs as much as two clusters and fades as more are informative.
"""

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Owners = NDArray[np.int64]
"""To which cluster each value belongs."""
Bounds = tuple[float, float]

PRIOR_RHO = 0.4
"""The correlation that is believed before any is seen. With 0 a run of nothing but successes would pass for as many
independent ones; with 0.5 and more, runs that are independent get needlessly wide intervals
(tests/benchmarks/interval_coverage.py)."""
PRIOR_WEIGHT = 2.0


def sums(owner: Owners, amounts: Floats | None, clusters: int) -> Floats:
    """Add up by cluster, float64 (clusters,): amounts, float64 (n,), or 1 for each."""
    return np.asarray(np.bincount(owner, amounts, clusters), np.float64)


def effective_cases(count: Floats, of: Floats) -> float:
    """Give to how many independent cases those of clusters amount: float64 (k,) each, cases that count and all."""
    size = _size(of)
    if size <= 1:
        return float(of.sum())
    # A rare failure is told of by the clusters that have one, however many have none. One alone differs from nobody.
    informative = min(int((count < of).sum()), int((count > 0).sum())) if len(of) > 1 else 0
    seen = min(1.0, max(0.0, (_inflation(count, of) - 1) / (size - 1)))
    rho = (seen * informative + PRIOR_RHO * PRIOR_WEIGHT) / (informative + PRIOR_WEIGHT)
    return float(of.sum()) / (1 + (size - 1) * rho)


def cases_as_measured(count: Floats, of: Floats, z: float, t: float) -> float:
    """Give the same where all clusters tell of the correlation, so that none need be believed (Korn & Graubard 1998).

    z, t: the normal and Student's quantile of the confidence, as the inflation is known from few clusters only.
    """
    cases = float(of.sum())
    return cases if _size(of) <= 1 else cases / max(1.0, _inflation(count, of)) * (z / t) ** 2


def _size(of: Floats) -> float:
    """How many cases the cluster has that a case meets."""
    return float((of * of).sum()) / float(of.sum())


def _inflation(count: Floats, of: Floats) -> float:
    """The variance of the share between clusters over that of independent cases; 1 where there is none."""
    cases, clusters = float(of.sum()), len(of)
    share = float(count.sum()) / cases
    if not 0 < share < 1 or clusters == 1:
        return 1.0
    between = clusters / (clusters - 1) * float(((count - share * of) ** 2).sum()) / cases**2
    return between / (share * (1 - share) / cases)


def wilson(share: float, cases: float, z: float) -> Bounds:
    """Give Wilson's score interval (1927); cases may be a fraction."""
    scale = 1 + z * z / cases
    middle = (share + z * z / (2 * cases)) / scale
    reach = z / scale * math.sqrt(share * (1 - share) / cases + (z / (2 * cases)) ** 2)
    return middle - reach, middle + reach


def wilson_corrected(share: float, cases: float, z: float) -> Bounds:
    """Give Wilson's score interval with continuity correction (Newcombe 1998, method 4); cases may be a fraction.

    Without the correction it covers 86 % at three cases and a share of 0.95.
    """
    rest, square = 1 - share, z * z
    low_root = square - 2 - 1 / cases + 4 * share * (cases * rest + 1)
    high_root = square + 2 - 1 / cases + 4 * share * (cases * rest - 1)
    width = 2 * (cases + square)
    low = (2 * cases * share + square - 1 - z * math.sqrt(max(0.0, low_root))) / width
    high = (2 * cases * share + square + 1 + z * math.sqrt(max(0.0, high_root))) / width
    return (0.0 if share <= 0 else max(0.0, low)), (1.0 if share >= 1 else min(1.0, high))
