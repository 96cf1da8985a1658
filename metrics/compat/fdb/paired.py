"""Paired comparisons: outlier removal on the differences, Student's paired t test, Holm's adjustment.

Student's t distribution is had by the incomplete beta function, evaluated as the continued fraction of DLMF 8.17.22 by
Lentz's method; exact to about 1e-13.
"""

import math
from collections.abc import Sequence
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

Outliers = Literal["mad", "iqr", "none"]

MAD_K = 3.5
MAD_TO_SD = 1.4826
IQR_K = 1.5
ALPHA = 0.05
FEWEST = 2

_TINY = 1e-300
_CLOSE = 1e-16
_MOST_TERMS = 10_000


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
    order = sorted((index for index, test in enumerate(tests) if test.p_t is not None), key=lambda i: tests[i].p_t or 0)
    adjusted = list(tests)
    highest = 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, (len(order) - rank) * (tests[index].p_t or 0)))
        adjusted[index] = msgspec.structs.replace(tests[index], p_adj=highest)
    return adjusted


def two_sided_p(t: float, df: int) -> float:
    """Give the probability of a value at least as far from 0 as t, under df degrees of freedom (1 or more).

    It is the regularised incomplete beta function I_x(df/2, 1/2) at x = df / (df + t^2).
    """
    square = t * t
    if square == 0 or math.isinf(square):
        return float(square == 0)
    a, b = df / 2, 0.5
    x, rest = df / (df + square), square / (df + square)
    front = _gamma_ratio(df) / math.sqrt(math.pi) * math.pow(x, a) * math.sqrt(rest)
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(a, b, x) / a
    return 1 - front * _fraction(b, a, rest) / b


def _gamma_ratio(df: int) -> float:
    """Give gamma((df + 1) / 2) / gamma(df / 2), as a product: differences of log-gammas would lose digits."""
    ratio = 1 / math.sqrt(math.pi) if df % 2 else math.sqrt(math.pi) / 2
    for n in range(1 if df % 2 else 2, df, 2):
        ratio *= (n + 1) / n
    return ratio


def _fraction(a: float, b: float, x: float) -> float:
    """Evaluate the continued fraction 1/(1 + d1/(1 + d2/(1 + ...))) of the incomplete beta function."""
    upper, lower = 1.0, _away_from_zero(1 - (a + b) * x / (a + 1))
    lower = 1 / lower
    value = lower
    for m in range(1, _MOST_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            lower = 1 / _away_from_zero(1 + term * lower)
            upper = _away_from_zero(1 + term / upper)
            step = upper * lower
            value *= step
        if abs(step - 1) < _CLOSE:
            break
    return value


def _away_from_zero(value: float) -> float:
    return _TINY if abs(value) < _TINY else value


def critical_t(p: float, df: int) -> float:
    """Give the t whose two-sided probability is p (0.05 for a 95 % interval), 0 < p < 1."""
    low, high = 0.0, 1.0
    while two_sided_p(high, df) > p:
        low, high = high, high * 2
    while True:
        middle = (low + high) / 2
        if middle in (low, high):
            return middle
        low, high = (middle, high) if two_sided_p(middle, df) > p else (low, middle)
