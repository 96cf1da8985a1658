"""Psychometric functions: the probability of a yes over a level, between two asymptotes.

    P(x) = guess + (1 - guess - lapse) F(k (u(x) - t))

F is the logistic function of u = x (of u = ln x on a logarithmic scale), or Weibull's, which is a function of ln x by
itself; both are written so that F = 1/2 at the threshold t, whatever the asymptotes are (Wichmann & Hill 2001, I). A
falling curve has 1 - F in its place. guess is the lower asymptote and lapse one minus the upper, falling or not.
"""

import math
from typing import Literal, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Shape = Literal["logistic", "weibull"]
Scale = Literal["linear", "log"]

LN2 = math.log(2)
_EDGE = 1e-9
"""A probability stays so far from 0 and 1: nothing that was seen may be impossible."""
_STEEPEST = 500.0
"""exp of more is a number no more."""


class Form(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is fitted: `{function: weibull, guess: 0.05, lapse: 0.06}`.

    guess, lapse: the most that the asymptotes may be away from 0 and 1; any value up to it is as likely as another. The
    defaults are the prior of Wichmann & Hill (2001, I) for lapses, and none for guesses. function: its shape.
    """

    function: Shape = "logistic"
    guess: float = 0.0
    lapse: float = 0.06

    def __post_init__(self) -> None:
        for name in ("guess", "lapse"):
            if not 0 <= getattr(self, name) <= 0.5:
                raise ValueError(f"{name} is {getattr(self, name):g}; allowed are 0 to 0.5")


class Parameters(NamedTuple):
    """float64 (b,) each, for b curves at once: the threshold in u, the steepness k, both asymptotes."""

    place: Floats
    steepness: Floats
    guess: Floats
    lapse: Floats


def inner(shape: Shape, z: Floats) -> tuple[Floats, Floats]:
    """Give F and dF/dz; F(0) = 1/2."""
    z = np.clip(z, -_STEEPEST, _STEEPEST)
    if shape == "logistic":
        value = np.where(z >= 0, 1 / (1 + np.exp(-np.abs(z))), np.exp(-np.abs(z)) / (1 + np.exp(-np.abs(z))))
        return value, value * (1 - value)
    hazard = LN2 * np.exp(np.minimum(z, 100.0))
    return -np.expm1(-hazard), hazard * np.exp(-hazard)


def probability(shape: Shape, found: Parameters, levels: Floats, *, falling: bool) -> Floats:
    """Give P, float64 (b, levels). levels: float64 (levels,), as u."""
    value, _ = inner(shape, found.steepness[:, None] * (levels - found.place[:, None]))
    return between(1 - value if falling else value, found)


def between(value: Floats, found: Parameters) -> Floats:
    """Put F between the asymptotes; (b, levels), away from 0 and 1."""
    guess, lapse = found.guess[:, None], found.lapse[:, None]
    return np.clip(guess + (1 - guess - lapse) * value, _EDGE, 1 - _EDGE)


def slope_at_threshold(shape: Shape, found: Parameters) -> Floats:
    """Give dF/du at the threshold, (b,)."""
    return found.steepness * (0.25 if shape == "logistic" else LN2 / 2)
