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

Z95 = 1.959963984540054


def sums(owner: Owners, amounts: Floats | None, clusters: int) -> Floats:
    """Add up by cluster, float64 (clusters,): amounts, float64 (n,), or 1 for each."""
    return np.asarray(np.bincount(owner, amounts, clusters), np.float64)


def effective_cases(count: Floats, of: Floats) -> float:
    """Give to how many independent cases those of clusters amount: float64 (k,) each, cases that count and all."""
    cases = float(of.sum())
    size = float((of * of).sum()) / cases
    if size <= 1:
        return cases
    return cases / (1 + (size - 1) * _correlation(count, of, size))


def _correlation(count: Floats, of: Floats, size: float) -> float:
    """The correlation within clusters, from the variance between them, drawn towards the prior."""
    cases, clusters = float(of.sum()), len(of)
    share = float(count.sum()) / cases
    seen, informative = 0.0, 0
    if 0 < share < 1:
        between = clusters / (clusters - 1) * float(((count - share * of) ** 2).sum()) / cases**2
        inflation = between / (share * (1 - share) / cases)
        seen = min(1.0, max(0.0, (inflation - 1) / (size - 1)))
        # A rare failure is told of by the clusters that have one, however many have none.
        informative = min(int((count < of).sum()), int((count > 0).sum()))
    return (seen * informative + PRIOR_RHO * PRIOR_WEIGHT) / (informative + PRIOR_WEIGHT)


def wilson(share: float, cases: float, z: float = Z95) -> Bounds:
    """Give Wilson's score interval with continuity correction (Newcombe 1998, method 4); cases may be a fraction.

    Without the correction Wilson's interval covers 86 % at three cases and a share of 0.95.
    """
    rest, square = 1 - share, z * z
    low_root = square - 2 - 1 / cases + 4 * share * (cases * rest + 1)
    high_root = square + 2 - 1 / cases + 4 * share * (cases * rest - 1)
    width = 2 * (cases + square)
    low = (2 * cases * share + square - 1 - z * math.sqrt(max(0.0, low_root))) / width
    high = (2 * cases * share + square + 1 + z * math.sqrt(max(0.0, high_root))) / width
    return (0.0 if share <= 0 else max(0.0, low)), (1.0 if share >= 1 else min(1.0, high))
