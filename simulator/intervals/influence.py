"""What each cluster pulls at a pooled value: the delete-one-cluster jackknife, exact or in its limit.

A cluster's influence is by how much the value moves because it is there. k / (k - 1) times the sum of their squares
is the value's variance (Tukey 1958; Efron 1982 for the limit that sets in for long lists).
"""

from collections.abc import Sequence

import numpy as np

from simulator.intervals.share import Floats, Owners, sums
from simulator.score import TRIM, Definition, Parts


def influences(definition: Definition, clusters: Sequence[Parts]) -> Floats:
    """Give the influence of each cluster, float64 (k,), without scale; the statistic is no quantile."""
    if definition.statistic in ("ratio", "sum"):
        count = np.array([parts.get("count", 0) for parts in clusters], np.float64)
        if definition.statistic == "sum":
            pull: Floats = count - count.mean()
            return pull
        return _of_ratio(count, np.array([parts.get("of", 0) for parts in clusters], np.float64))
    values, owner = flat(clusters)
    if definition.statistic in ("mean", "fmean"):
        return _of_ratio(sums(owner, values, len(clusters)), sums(owner, None, len(clusters)))
    pulls = {"std": _of_deviation, "trimmed_mean": _of_trimmed}.get(definition.statistic)
    each = pulls(values) if pulls else _of_distance(values, definition.reference)
    return sums(owner, each / len(values), len(clusters))


def flat(clusters: Sequence[Parts]) -> tuple[Floats, Owners]:
    """Give all values of clusters, float64 (n,), and the number of each one's cluster, int64 (n,)."""
    lists = [parts.get("values", ()) for parts in clusters]
    owner = np.repeat(np.arange(len(lists)), [len(values) for values in lists])
    return np.fromiter((value for values in lists for value in values), np.float64, len(owner)), owner


def _of_ratio(count: Floats, of: Floats) -> Floats:
    """Exact: the value of all clusters, less that of all but one; what a heavy cluster pulls is not understated."""
    total, cases = count.sum(), of.sum()
    with np.errstate(invalid="ignore", divide="ignore"):
        without = np.where(cases > of, (total - count) / (cases - of), total / cases)
    pull: Floats = (len(of) - 1) / len(of) * (without.mean() - without)
    return pull


def _of_deviation(values: Floats) -> Floats:
    deviation = values.std()
    if deviation == 0:
        return np.zeros_like(values)
    pull: Floats = ((values - values.mean()) ** 2 - deviation**2) / (2 * deviation)
    return pull


def _of_trimmed(values: Floats) -> Floats:
    """Huber (1981), 3.3: a trimmed mean moves as a mean of values that are pulled in to the trimming points."""
    low, high = np.percentile(values, [100 * TRIM, 100 * (1 - TRIM)])
    inner = np.clip(values, low, high)
    pull: Floats = (inner - inner.mean()) / (1 - 2 * TRIM)
    return pull


def _of_distance(values: Floats, reference: Sequence[float]) -> Floats:
    """One value more at x moves the area between two distribution functions by what it raises where it lies above."""
    theirs = np.sort(np.asarray(reference, float))
    places = np.sort(np.concatenate([values, theirs]))
    mine_below = np.searchsorted(np.sort(values), places[:-1], side="right") / len(values)
    sign = np.sign(mine_below - np.searchsorted(theirs, places[:-1], side="right") / len(theirs))
    area = np.concatenate([[0.0], np.cumsum(sign * np.diff(places))])
    beyond = area[-1] - area[np.searchsorted(places, values)]
    pull: Floats = beyond - beyond.mean()
    return pull
