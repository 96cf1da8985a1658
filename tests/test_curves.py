"""Rules of psychometric functions: what is fitted is what was there, with honest intervals, or is refused."""

import math

import numpy as np
import pytest

from simulator.curves.fit import Cases, Fitted, fitted
from simulator.curves.function import Form
from tests.observers import KNOWN, Observer


def fit(cases: list[Cases], form: Form | None = None, resamples: int = 99, scale: str = "linear") -> Fitted:
    """A fit with few resamples."""
    return fitted(cases, form or Form(), np.random.default_rng(5), scale=scale, resamples=resamples)  # type: ignore[arg-type]


def around(observer: Observer, levels: int = 9) -> list[float]:
    """Levels from well below an observer's threshold to well above."""
    reach = 4 * observer.spread * (1 if observer.shape == "logistic" else observer.threshold)
    return np.linspace(observer.threshold - reach, observer.threshold + reach, levels).tolist()


def exactly(observer: Observer, levels: list[float], of: float = 1000.0) -> list[Cases]:
    """What it answers in so many cases if chance plays no part."""
    return [Cases(level, of * observer.probability(level), of) for level in levels]


@pytest.mark.parametrize("name", KNOWN)
def test_a_curve_without_chance_is_recovered(name: str) -> None:
    """Expected shares give back what they came from: the top of the likelihood lies there."""
    observer = KNOWN[name]
    form = Form(function=observer.shape, lapse=0.06)  # type: ignore[arg-type]
    found = fit(exactly(observer, around(observer, 15)), form, resamples=19).fit
    assert found is not None and found.falling == observer.falling
    assert found.threshold == pytest.approx(observer.threshold, rel=1e-3)
    assert found.lapse == pytest.approx(0.0 if observer.falling else observer.lapse, abs=2e-3) or observer.falling
    steep = 1 / (4 * observer.spread) if observer.shape == "logistic" else math.log(2) / 2 / observer.spread / 0.5
    assert found.slope == pytest.approx(steep, rel=0.05 if observer.falling else 1e-2)
    assert found.deviance < 12 and found.deviance_p > 0.05


def test_the_likelihood_is_the_logistic_regression_of_a_textbook() -> None:
    """Bliss's beetles (1935): the fit without lapses is that of Dobson & Barnett (table 7.3): -60.72 + 34.27 x."""
    dose = [1.6907, 1.7242, 1.7552, 1.7842, 1.8113, 1.8369, 1.8610, 1.8839]
    beetles, killed = [59, 60, 62, 56, 63, 59, 62, 60], [6, 13, 18, 28, 52, 53, 61, 60]
    cases = [Cases(*item) for item in zip(dose, map(float, killed), map(float, beetles), strict=True)]
    found = fit(cases, Form(lapse=0.0)).fit
    assert found is not None
    assert found.steepness == pytest.approx(34.27, abs=0.01)
    assert found.threshold == pytest.approx(60.72 / 34.27, abs=1e-4)
    assert found.deviance == pytest.approx(11.23, abs=0.01)
    half = 1.96 * 0.00387  # by the delta method from their covariance
    assert found.threshold_ci95 == pytest.approx((found.threshold - half, found.threshold + half), abs=0.003)


@pytest.mark.parametrize("name", KNOWN)
def test_thresholds_are_recovered_from_two_hundred_trials(name: str) -> None:
    """Over forty draws of 200 trials: the middle error is below 5 %, and most intervals hold the truth."""
    observer = KNOWN[name]
    form = Form(function=observer.shape, guess=0.03 if observer.falling else 0.0)  # type: ignore[arg-type]
    errors, held = [], []
    for draw in range(40):
        found = fit(observer.cases(around(observer, 8), 25, np.random.default_rng(draw)), form).fit
        assert found is not None
        errors.append(abs(found.threshold / observer.threshold - 1))
        held.append(found.threshold_ci95[0] <= observer.threshold <= found.threshold_ci95[1])
    assert np.median(errors) < 0.05 and np.mean(np.array(errors) < 0.05) >= 0.8
    assert sum(held) >= 34


def test_what_no_curve_goes_through_fits_badly() -> None:
    """Shares that swing far more than counts do: the deviance is beyond that of counts from the curve."""
    swing = [Cases(level, 50 * share, 50.0) for level, share in enumerate((0.0, 0.7, 0.1, 0.9, 0.4, 1.0))]
    found = fit(swing, resamples=199).fit
    assert found is not None and found.fits_badly
    straight = fit(exactly(Observer("logistic", 2.5, 1.0), [float(level) for level in range(6)], 50.0)).fit
    assert straight is not None and not straight.fits_badly


@pytest.mark.parametrize(
    ("shares", "of", "reason"),
    [
        ((0.1, 0.9), 50, "2 levels with a value"),
        ((0.0, 0.0, 1.0, 1.0), 50, "a step between 1 and 2"),
        ((0.1, 0.2, 0.3, 0.4), 50, "never crosses one half: all shares lie between 0.1 and 0.4"),
        ((0.0, 0.25, 0.75, 1.0), 4, "16 independent cases; a curve needs 20"),
        ((0.5, 0.48, 0.52, 0.5), 50, "does not change with the level"),
    ],
)
def test_data_that_carry_no_curve_are_told_why(shares: tuple[float, ...], of: float, reason: str) -> None:
    """No threshold is made up: the reason says what there is to see, or what is missing."""
    found = fit([Cases(float(level), share * of, float(of)) for level, share in enumerate(shares)])
    assert found.fit is None and found.reason is not None and reason in found.reason


def test_one_level_between_tells_of_no_slope() -> None:
    """The threshold is where that level says; the slope is the largest that can be told, and said to be at least so."""
    found = fit([Cases(float(level), share * 40, 40.0) for level, share in enumerate((0.0, 0.0, 0.4, 1.0, 1.0))]).fit
    assert found is not None and found.steepest and found.threshold == pytest.approx(2.05, abs=0.1)
    assert not fit(KNOWN["pause"].cases(around(KNOWN["pause"]), 40, np.random.default_rng(3))).fit.steepest  # type: ignore[union-attr]


def test_a_logarithm_needs_levels_above_zero() -> None:
    """On a logarithmic scale, and for Weibull's function, which lives there."""
    cases = [Cases(level, share * 50, 50.0) for level, share in ((0.0, 0.0), (1.0, 0.3), (2.0, 0.9))]
    assert fit(cases, Form(function="weibull")).reason == "the level 0 has no logarithm"
    assert fit(cases, scale="log").reason == "the level 0 has no logarithm"
    assert fit(cases).fit is not None


def test_the_unit_of_the_levels_does_not_matter() -> None:
    """Seconds or milliseconds: the same curve, its threshold and slope in the unit; equal levels are one."""
    cases = KNOWN["pause"].cases(around(KNOWN["pause"]), 20, np.random.default_rng(3))
    in_ms = [Cases(1000 * level, yes, of) for level, yes, of in cases]
    halves = [Cases(level, yes / 2, of / 2) for level, yes, of in reversed(cases + cases)]
    one, other, third = fit(cases).fit, fit(in_ms).fit, fit(halves).fit
    assert one is not None and other is not None and third == one
    assert other.threshold == pytest.approx(1000 * one.threshold, rel=1e-6)
    assert other.slope == pytest.approx(one.slope / 1000, rel=1e-5)
    assert one.at(np.array([one.threshold]))[0] == pytest.approx(one.guess + (1 - one.guess - one.lapse) / 2)


def test_the_same_data_give_the_same_fit() -> None:
    """The bootstrap is seeded."""
    cases = KNOWN["offset"].cases(around(KNOWN["offset"]), 20, np.random.default_rng(3))
    assert fit(cases).fit == fit(cases).fit
