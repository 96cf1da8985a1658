"""Paired comparisons: outlier removal on the differences, Student's paired t test, Holm's adjustment."""

import math
from collections.abc import Sequence
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from simulator.intervals.difference import holm_adjusted
from simulator.intervals.student import critical_t, two_sided_p

Outliers = Literal["mad", "iqr", "none"]

MAD_K = 3.5
MAD_TO_SD = 1.4826
IQR_K = 1.5
ALPHA = 0.05
FEWEST = 2


class PairedTest(msgspec.Struct, frozen=True, kw_only=True):
    """What a paired test found; after minus before. None where it is undefined, with the reason.

    n_raw pairs came in, n_valid of them have both values, n_used remain after n_dropped outliers.
    """

    n_raw: int
    n_valid: int
    n_used: int
    n_dropped: int
    mean_before: float | None = None
    mean_after: float | None = None
    mean_diff: float | None = None
    ci95_low: float | None = None
    ci95_high: float | None = None
    t: float | None = None
    df: int | None = None
    p_t: float | None = None
    cohen_dz: float | None = None
    p_adj: float | None = None
    reason: str | None = None


def paired_test(before: Sequence[float], after: Sequence[float], outliers: Outliers) -> PairedTest:
    """Test paired values, NaN where one is missing."""
    first, second = np.asarray(before, np.float64), np.asarray(after, np.float64)
    valid = ~(np.isnan(first) | np.isnan(second))
    first, second = first[valid], second[valid]
    kept = without_outliers(second - first, outliers)
    first, second = first[kept], second[kept]
    test = PairedTest(
        n_raw=len(before),
        n_valid=int(valid.sum()),
        n_used=len(first),
        n_dropped=int(valid.sum()) - len(first),
    )
    if len(first) < FEWEST:
        reason = f"{len(first)} pairs are left; a paired test needs {FEWEST}"
        return msgspec.structs.replace(test, reason=reason)
    test = msgspec.structs.replace(
        test, mean_before=float(first.mean()), mean_after=float(second.mean()), df=len(first) - 1
    )
    return _tested(test, second - first)


def _tested(test: PairedTest, differences: NDArray[np.float64]) -> PairedTest:
    n = len(differences)
    mean, deviation = float(differences.mean()), float(differences.std(ddof=1))
    if deviation == 0:
        return msgspec.structs.replace(test, mean_diff=mean, reason="all differences are alike")
    error = deviation / math.sqrt(n)
    reach = critical_t(ALPHA, n - 1) * error
    return msgspec.structs.replace(
        test,
        mean_diff=mean,
        ci95_low=mean - reach,
        ci95_high=mean + reach,
        t=mean / error,
        p_t=two_sided_p(mean / error, n - 1),
        cohen_dz=mean / deviation,
    )


def without_outliers(differences: NDArray[np.float64], outliers: Outliers) -> NDArray[np.bool_]:
    """Say which differences stay: within 3.5 scaled median deviations, or 1.5 quartile ranges, or all."""
    everything = np.ones(len(differences), np.bool_)
    if outliers == "none" or len(differences) == 0:
        return everything
    if outliers == "iqr":
        low, high = np.percentile(differences, [25, 75])
        margin = IQR_K * (high - low)
        inside: NDArray[np.bool_] = (differences >= low - margin) & (differences <= high + margin)
        return inside
    distance = np.abs(differences - np.median(differences))
    scale = float(np.median(distance))
    if scale == 0:
        return everything
    near: NDArray[np.bool_] = distance / (MAD_TO_SD * scale) <= MAD_K
    return near


def holm(tests: Sequence[PairedTest]) -> list[PairedTest]:
    """Give the tests with p_adj: Holm's step-down adjustment over all that have a p."""
    return [
        msgspec.structs.replace(test, p_adj=adjusted)
        for test, adjusted in zip(tests, holm_adjusted([test.p_t for test in tests]), strict=True)
    ]
