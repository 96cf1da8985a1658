"""Fits: a psychometric function to counts at levels, how sure it is, how well it fits; or why the data carry none.

Intervals and the goodness of fit are had by a parametric bootstrap (Wichmann & Hill 2001, I and II): counts are drawn
from the fitted curve and fitted anew. The deviance is held against that of the drawn counts and not against
chi-square's distribution, which it does not follow where a level has few trials.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from simulator.curves.function import Floats, Form, Parameters, Scale, Shape, probability, slope_at_threshold
from simulator.curves.likelihood import Counts, Maximum, best_of_starts, climb, log_likelihood, start_from, steepest

RESAMPLES = 999
FEWEST_LEVELS = 3
FEWEST_CASES = 20
"""Below so many the threshold's interval is as wide as the levels reach."""
FLAT = 3.84
"""Twice the log-likelihood that a curve must gain over a constant: chi-square's 95 % at one degree of freedom."""
FITS_BADLY = 0.01


class Cases(NamedTuple):
    """What was seen at a level: so many yes, of so many independent cases (which may be a fraction)."""

    level: float
    yes: float
    of: float


class Fit(msgspec.Struct, frozen=True, kw_only=True):
    """A fitted curve. threshold: the level at which it is half way between its asymptotes; slope: its rise there.

    slope: per unit of the level, of the function without its asymptotes; falling: whether the curve falls, slope is
    above 0 all the same; steepest: whether it is as steep as these levels can tell, or steeper. deviance_p: how often
    counts drawn from the curve itself fit it no better; below 0.01 it fits badly.
    """

    function: Shape
    scale: Scale
    falling: bool
    threshold: float
    threshold_ci95: tuple[float, float]
    slope: float
    slope_ci95: tuple[float, float]
    guess: float
    lapse: float
    deviance: float
    deviance_p: float
    levels: int
    cases: float
    place: float
    steepness: float
    steepest: bool = False

    @property
    def fits_badly(self) -> bool:
        """Whether the counts lie further from the curve than chance puts them."""
        return self.deviance_p < FITS_BADLY

    def at(self, levels: Floats) -> Floats:
        """Give the curve's probability at levels, float64 (n,)."""
        found = Parameters(*(np.array([item]) for item in (self.place, self.steepness, self.guess, self.lapse)))
        u = np.log(levels) if self.scale == "log" else levels
        return np.asarray(probability(self.function, found, u, falling=self.falling)[0])


class Fitted(NamedTuple):
    """A fit, or the reason why there is none; thresholds: those of the bootstrap, float64 (n,), empty without a fit."""

    fit: Fit | None
    reason: str | None = None
    thresholds: Floats = np.zeros(0)


def fitted(
    cases: Sequence[Cases],
    form: Form,
    rng: np.random.Generator,
    *,
    scale: Scale = "linear",
    resamples: int = RESAMPLES,
) -> Fitted:
    """Fit a curve to cases at levels, in any order; levels that are equal are one. rng: of the bootstrap."""
    merged = _merged(cases)
    log = scale == "log" or form.function == "weibull"
    reason = _uncarried(merged, log=log)
    if reason is not None:
        return Fitted(None, reason)
    levels, yes, of = (np.array(column, np.float64) for column in zip(*merged, strict=True))
    u = np.log(levels) if log else levels
    middle, half = (u[0] + u[-1]) / 2, (u[-1] - u[0]) / 2
    counts = Counts((u - middle) / half, yes[None], of[None])
    falling = _falls(counts)
    top = best_of_starts(form, counts, falling=falling)
    reason = _meaningless(counts, top)
    if reason is not None:
        return Fitted(None, reason)
    drawn, deviances = _bootstrap(form, counts, top, rng, resamples, falling=falling)
    seen = _deviance(counts, probability(form.function, top.found, counts.levels, falling=falling))[0]
    thresholds, slopes = _unscaled(form, drawn, middle, half, log=log)
    (threshold,), (slope,) = _unscaled(form, top.found, middle, half, log=log)
    fit = Fit(
        function=form.function,
        scale="log" if log else "linear",
        falling=falling,
        threshold=float(threshold),
        threshold_ci95=middle_95(thresholds),
        slope=float(slope),
        slope_ci95=middle_95(slopes),
        guess=float(top.found.guess[0]),
        lapse=float(top.found.lapse[0]),
        deviance=float(seen),
        deviance_p=float((1 + (deviances >= seen).sum()) / (1 + len(deviances))),
        levels=len(levels),
        cases=float(of.sum()),
        place=float(top.found.place[0] * half + middle),
        steepness=float(top.found.steepness[0] / half),
        steepest=bool(top.found.steepness[0] >= 0.999 * steepest(counts.levels)),
    )
    return Fitted(fit, None, thresholds)


def _merged(cases: Sequence[Cases]) -> list[Cases]:
    found: dict[float, Cases] = {}
    for level, yes, of in cases:
        if of > 0:
            before = found.get(level, Cases(level, 0.0, 0.0))
            found[level] = Cases(level, before.yes + yes, before.of + of)
    return [found[level] for level in sorted(found)]


def _uncarried(cases: Sequence[Cases], *, log: bool) -> str | None:
    """Say why counts carry no curve, before any is fitted."""
    total = sum(item.of for item in cases)
    if len(cases) < FEWEST_LEVELS:
        return f"{len(cases)} levels with a value; a curve needs {FEWEST_LEVELS}"
    if log and cases[0].level <= 0:
        return f"the level {cases[0].level:g} has no logarithm"
    shares = [item.yes / item.of for item in cases]
    if max(shares) < 0.5 or min(shares) > 0.5:
        return f"it never crosses one half: all shares lie between {min(shares):.2g} and {max(shares):.2g}"
    if all(share in (0.0, 1.0) for share in shares):
        turns = [place for place in range(1, len(shares)) if shares[place] != shares[place - 1]]
        if len(turns) == 1:
            below, above = cases[turns[0] - 1].level, cases[turns[0]].level
            return f"it is a step between {below:g} and {above:g}, without a level at which both happen"
    if total < FEWEST_CASES:
        return f"{total:.3g} independent cases; a curve needs {FEWEST_CASES}"
    return None


def _falls(counts: Counts) -> bool:
    """Whether shares fall with the level: the sign of their weighted covariance."""
    of, yes = counts.of[0], counts.yes[0]
    centre = float((of * counts.levels).sum() / of.sum())
    return float(((counts.levels - centre) * yes).sum()) < 0


def _meaningless(counts: Counts, top: Maximum) -> str | None:
    """Say why a curve that was found means nothing."""
    constant = counts.yes.sum() / counts.of.sum()
    flat = log_likelihood(counts, np.full_like(counts.of, constant))[0]
    if 2 * (top.value[0] - flat) < FLAT:
        return "it does not change with the level by more than chance would have it"
    if not -1 <= top.found.place[0] <= 1:
        return "its threshold lies outside the levels that were played"
    return None


def _bootstrap(
    form: Form, counts: Counts, top: Maximum, rng: np.random.Generator, resamples: int, *, falling: bool
) -> tuple[Parameters, Floats]:
    """Draw counts from the curve and fit them: their parameters and deviances, (resamples,) each."""
    p = probability(form.function, top.found, counts.levels, falling=falling)
    whole = np.maximum(1, np.round(counts.of)).astype(np.int64)
    drawn = rng.binomial(np.repeat(whole, resamples, 0), np.repeat(p, resamples, 0)).astype(np.float64)
    many = Counts(counts.levels, drawn, np.repeat(whole, resamples, 0).astype(np.float64))
    again = climb(form, many, start_from(top.found, resamples), falling=falling)
    return again.found, _deviance(many, probability(form.function, again.found, counts.levels, falling=falling))


def _deviance(counts: Counts, p: Floats) -> Floats:
    """Twice the log-likelihood that the shares as they were seen have over the curve's, (b,)."""
    shares = np.clip(counts.yes / counts.of, 1e-12, 1 - 1e-12)
    return 2 * (log_likelihood(counts, shares) - log_likelihood(counts, p))


def _unscaled(form: Form, found: Parameters, middle: float, half: float, *, log: bool) -> tuple[Floats, Floats]:
    """Give thresholds and slopes in the levels' own unit."""
    place = found.place * half + middle
    slope = slope_at_threshold(form.function, found) / half
    return (np.exp(place), slope / np.exp(place)) if log else (place, slope)


def middle_95(values: Floats) -> tuple[float, float]:
    """Give what a bootstrap's draws, float64 (n,), say of an interval: its percentiles."""
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)
