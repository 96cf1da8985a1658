"""Maximum likelihood of psychometric functions, for many sets of counts at once.

Fisher scoring, damped as Levenberg and Marquardt do: where a step does not raise the likelihood the next one is
shorter and turns towards the gradient. Asymptotes live in a box; one that lies on its edge and wants to leave is held
there while the others move (Wichmann & Hill 2001, I, bound them the same way).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.curves.function import Floats, Form, Parameters, between, inner

Flags = NDArray[np.bool_]

MOST_STEPS = 200
_DAMPING = (1e-9, 1e9)
_CLOSE = 1e-10
_FARTHEST = 3.0
"""A threshold is sought up to so many half-ranges from the middle of the levels."""
_FLATTEST, _STEEPEST = 0.3, 12.0
"""Per half-range, and per gap between neighbouring levels: beyond them no counts tell curves apart."""


class Counts(NamedTuple):
    """What was seen. levels: float64 (m,), ascending, from -1 to 1; yes, of: float64 (b, m), of may be a fraction."""

    levels: Floats
    yes: Floats
    of: Floats


class Maximum(NamedTuple):
    """The best parameters of each set of counts and their log-likelihood, float64 (b,)."""

    found: Parameters
    value: Floats


def log_likelihood(counts: Counts, p: Floats) -> Floats:
    """Give it without the binomial coefficients, (b,). p: (b, m)."""
    return np.asarray((counts.yes * np.log(p) + (counts.of - counts.yes) * np.log1p(-p)).sum(axis=1))


def best_of_starts(form: Form, counts: Counts, *, falling: bool) -> Maximum:
    """Climb from a grid of starts, for one set of counts (b = 1): the likelihood may have more than one top."""
    places, steps = np.meshgrid([-0.8, -0.4, 0.0, 0.4, 0.8], np.log([1.0, 3.0, 9.0, 27.0]))
    number = places.size
    start = np.stack(
        [places.ravel(), steps.ravel(), np.full(number, form.guess / 4), np.full(number, form.lapse / 4)], axis=1
    )
    many = Counts(counts.levels, np.repeat(counts.yes, number, 0), np.repeat(counts.of, number, 0))
    top = climb(form, many, start, falling=falling)
    best = int(np.argmax(top.value))
    return Maximum(Parameters(*(item[best : best + 1] for item in top.found)), top.value[best : best + 1])


def steepest(levels: Floats) -> float:
    """Give the steepness above which curves over these levels look all the same."""
    return _STEEPEST / float(np.diff(levels).min())


def start_from(found: Parameters, number: int) -> Floats:
    """Give the start of so many climbs from one place, as `climb` takes it."""
    return np.repeat(np.stack([found.place, np.log(found.steepness), found.guess, found.lapse], axis=1), number, axis=0)


def climb(form: Form, counts: Counts, start: Floats, *, falling: bool) -> Maximum:
    """Climb from a start each, float64 (b, 4): place, ln steepness, guess, lapse."""
    low = np.array([-_FARTHEST, np.log(_FLATTEST), 0.0, 0.0])
    high = np.array([_FARTHEST, np.log(steepest(counts.levels)), form.guess, form.lapse])
    at = np.clip(start, low, high)
    p, jacobian = _curve(form, at, counts.levels, falling=falling)
    value, damping = log_likelihood(counts, p), np.full(len(at), 1e-2)
    going = np.ones(len(at), bool)
    for _ in range(MOST_STEPS):
        step = _step(counts, p, jacobian, damping, (at <= low, at >= high))
        tried = np.clip(at + step, low, high)
        tried_p, tried_jacobian = _curve(form, tried, counts.levels, falling=falling)
        gain = log_likelihood(counts, tried_p) - value
        better = going & (gain > 0)
        at[better], p[better], jacobian[better] = tried[better], tried_p[better], tried_jacobian[better]
        value[better] += gain[better]
        done = (better & (gain < _CLOSE)) | (going & ~better & (damping >= _DAMPING[1]))
        damping = np.clip(np.where(better, damping / 5, damping * 5), *_DAMPING)
        going &= ~done
        if not going.any():
            break
    return Maximum(_parameters(at), value)


def _parameters(at: Floats) -> Parameters:
    return Parameters(at[:, 0], np.exp(at[:, 1]), at[:, 2], at[:, 3])


def _curve(form: Form, at: Floats, levels: Floats, *, falling: bool) -> tuple[Floats, Floats]:
    """Give P, (b, m), and its derivatives by what is climbed in, (b, m, 4)."""
    found = _parameters(at)
    away = levels - found.place[:, None]
    value, rate = inner(form.function, found.steepness[:, None] * away)
    if falling:
        value, rate = 1 - value, -rate
    room = (1 - found.guess - found.lapse)[:, None]
    by_z = room * rate
    steep = found.steepness[:, None]
    jacobian = np.stack([-by_z * steep, by_z * steep * away, 1 - value, -value], axis=2)
    return between(value, found), jacobian


def _step(counts: Counts, p: Floats, jacobian: Floats, damping: Floats, edges: tuple[Flags, Flags]) -> Floats:
    weight = counts.of / (p * (1 - p))
    gradient = np.einsum("bm,bmi->bi", (counts.yes - counts.of * p) / (p * (1 - p)), jacobian)
    information = np.einsum("bm,bmi,bmj->bij", weight, jacobian, jacobian)
    held = (edges[0] & (gradient <= 0)) | (edges[1] & (gradient >= 0))
    gradient = np.where(held, 0.0, gradient)
    information *= ~held[:, :, None] & ~held[:, None, :]
    diagonal = np.einsum("bii->bi", information)
    extra = damping[:, None] * (diagonal + 1e-6) + held
    information = information + extra[:, :, None] * np.eye(4)
    return np.asarray(np.linalg.solve(information, gradient[:, :, None])[:, :, 0])
