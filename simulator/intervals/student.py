"""Student's t distribution, had by the incomplete beta function.

That is evaluated as the continued fraction of DLMF 8.17.22 by Lentz's method; exact to about 1e-13.
"""

import math
from functools import cache

_TINY = 1e-300
_CLOSE = 1e-16
_MOST_TERMS = 10_000
_LONG = 1000
"""Degrees of freedom from which a product of gammas gives way to its series, whose next term is below 1e-17."""
_NORMAL = 10**7
"""Degrees of freedom beyond which Student's t and the normal quantile differ in the seventh digit and later."""


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
    if df > _LONG:  # Stirling's series in 1 / x
        x = df / 2
        return math.sqrt(x) * (1 - 1 / (8 * x) + 1 / (128 * x**2) + 5 / (1024 * x**3) - 21 / (32768 * x**4))
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


@cache  # a table of a hundred metrics asks for the same few
def critical_t(p: float, df: int) -> float:
    """Give the t whose two-sided probability is p (0.05 for a 95 % interval), 0 < p < 1."""
    low, high, df = 0.0, 1.0, min(df, _NORMAL)
    while two_sided_p(high, df) > p:
        low, high = high, high * 2
    while True:
        middle = (low + high) / 2
        if middle in (low, high):
            return middle
        low, high = (middle, high) if two_sided_p(middle, df) > p else (low, middle)
