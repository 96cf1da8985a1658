"""Corpus values of compatibility scorers from joined parts, and their bootstrap intervals.

Parts are those of `simulator.score`: {"values": [...]} for means and percentiles, {"count": c, "of": n} for
shares.
"""

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from simulator.score import RESAMPLES, count_of, quantile

Statistic = Literal["mean", "fmean", "std", "trimmed_mean", "p50", "ratio", "sum"]

TRIM = 0.05
FEWEST_TRIMMED = 3
_SEED = 0


def value_of(statistic: Statistic, parts: Mapping[str, Any] | None, scale: float = 1.0) -> float | None:
    """Compute a value from parts; None when nothing was measured.

    mean: as most originals add up, one value after the other; fmean: exactly rounded, as others do; std: with
    ddof 0; trimmed_mean: of the values between the 5th and the 95th percentile when there are at least three;
    p50; ratio: count / of; sum: count (None when `of` is 0). All but sum are multiplied by `scale`.
    """
    if not parts:
        return None
    if statistic == "sum":
        return float(parts["count"]) if parts.get("of", 1) else None
    if statistic == "ratio":
        return scale * parts["count"] / parts["of"] if parts["of"] else None
    values = parts["values"]
    return scale * _STATISTICS[statistic](values) if values else None


def entered(statistic: Statistic, parts: Mapping[str, Any]) -> int:
    """Give how many values or cases a value is made of."""
    return len(_trimmed(parts["values"])) if statistic == "trimmed_mean" else count_of(parts)


def _mean(values: Sequence[float]) -> float:
    return reduce(operator.add, values) / len(values)  # `sum` has compensated its errors since Python 3.12


def _fmean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _std(values: Sequence[float]) -> float:
    mean = _fmean(values)
    return math.sqrt(_fmean([(value - mean) ** 2 for value in values]))


def _trimmed(values: Sequence[float]) -> Sequence[float]:
    if len(values) < FEWEST_TRIMMED:
        return values
    low, high = np.percentile(values, [100 * TRIM, 100 * (1 - TRIM)])
    return [value for value in values if low <= value <= high]


def _trimmed_mean(values: Sequence[float]) -> float:
    return _mean(_trimmed(values))


_STATISTICS: dict[str, Callable[[Sequence[float]], float]] = {
    "mean": _mean,
    "fmean": _fmean,
    "std": _std,
    "trimmed_mean": _trimmed_mean,
    "p50": lambda values: quantile(values, 0.5),
}


def interval(
    statistic: Statistic, parts: Sequence[Mapping[str, Any]], scale: float = 1.0
) -> tuple[float, float] | None:
    """Give the 95 % percentile-bootstrap interval over samples (drawn with all their parts), seeded.

    None with fewer than two samples, and for sums: a count is what it is.
    """
    if len(parts) < 2 or statistic == "sum":
        return None
    draws = np.random.default_rng(_SEED).integers(0, len(parts), (RESAMPLES, len(parts)))
    found = _resampled(statistic, parts, draws)
    found = found[np.isfinite(found)]
    if len(found) < 2:
        return None
    low, high = np.percentile(found, [2.5, 97.5]) * scale
    return float(low), float(high)


def _resampled(
    statistic: Statistic, parts: Sequence[Mapping[str, Any]], draws: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Compute the statistic (without scale) of every row of drawn samples; NaN where nothing was measured."""
    if statistic in ("trimmed_mean", "p50"):
        values = [list(part["values"]) for part in parts]
        rows = ([value for index in row for value in values[index]] for row in draws)
        return np.array([value_of(statistic, {"values": row}) if row else np.nan for row in rows], np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        if statistic == "ratio":
            return _sums(parts, "count", draws) / _sums(parts, "of", draws)
        count = _drawn([len(part["values"]) for part in parts], draws)
        mean = _drawn([math.fsum(part["values"]) for part in parts], draws) / count
        if statistic in ("mean", "fmean"):
            return mean
        square = _drawn([math.fsum(value * value for value in part["values"]) for part in parts], draws) / count
        return np.sqrt(np.maximum(square - mean * mean, 0))


def _sums(parts: Sequence[Mapping[str, Any]], field: str, draws: NDArray[np.int64]) -> NDArray[np.float64]:
    return _drawn([part[field] for part in parts], draws)


def _drawn(amounts: Sequence[float], draws: NDArray[np.int64]) -> NDArray[np.float64]:
    totals: NDArray[np.float64] = np.asarray(amounts, np.float64)[draws].sum(axis=1)
    return totals
