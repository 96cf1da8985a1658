"""How far two raters agree, and what a judge's rate says of the true one.

kappa: Cohen (1960), weighted (1968), with the large-sample error of Fleiss, Cohen & Everitt (1969, Psychological
Bulletin 72:323). Corrected rates: Rogan & Gladen (1978, American Journal of Epidemiology 107:71), their interval as
Lang & Reiczigel (2014, Preventive Veterinary Medicine 113:13) adjust it for sensitivities estimated from few labels.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from simulator.intervals.share import Bounds, wilson_corrected

Z95 = 1.959963984540054
Pair = tuple[int, int]
"""What people say and what the judge says."""


class Kappa(NamedTuple):
    """Agreement beyond chance, at most 1; value None where either always says the same. bounds: its 95 % interval."""

    value: float | None
    bounds: Bounds | None = None


class Estimate(NamedTuple):
    """A share with its 95 % interval; None where there is nothing to count."""

    value: float | None
    bounds: Bounds | None = None
    of: int = 0


def kappa(pairs: Sequence[Pair], points: Sequence[int]) -> Kappa:
    """Give kappa over pairs; of more than two points with quadratic weights, for which far apart is worse than near.

    points: the scale, in order. The interval is missing where every pair agrees: a width of zero would be a lie.
    """
    place = {point: index for index, point in enumerate(points)}
    table = np.zeros((len(points), len(points)))
    for first, second in pairs:
        table[place[first], place[second]] += 1
    if not len(pairs):
        return Kappa(None)
    share = table / len(pairs)
    weights = 1 - (np.subtract.outer(np.arange(len(points)), np.arange(len(points))) / (len(points) - 1)) ** 2
    rows, columns = share.sum(axis=1), share.sum(axis=0)
    seen, chance = float((weights * share).sum()), float((weights * np.outer(rows, columns)).sum())
    if chance >= 1:
        return Kappa(None)
    value = (seen - chance) / (1 - chance)
    mean = np.add.outer(weights @ columns, weights @ rows)
    spread = float((share * (weights - mean * (1 - value)) ** 2).sum()) - (value - chance * (1 - value)) ** 2
    error = math.sqrt(max(0.0, spread) / len(pairs)) / (1 - chance)
    bounds = (max(-1.0, value - Z95 * error), min(1.0, value + Z95 * error)) if error > 0 else None
    return Kappa(value, bounds)


def proportion(count: int, of: int) -> Estimate:
    """Give a share of independent cases with Wilson's interval, corrected for continuity."""
    return Estimate(count / of, wilson_corrected(count / of, of, Z95), of) if of else Estimate(None)


class Confusion(NamedTuple):
    """Pairs of verdicts, met or not, by what people said and what the judge said."""

    both: int
    judge_alone: int
    people_alone: int
    neither: int

    @classmethod
    def of(cls, pairs: Sequence[Pair]) -> "Confusion":
        """Count pairs of 1 (met) and 0."""
        counts = [sum(pair == wanted for pair in pairs) for wanted in ((1, 1), (0, 1), (1, 0), (0, 0))]
        return cls(*counts)

    @property
    def sensitivity(self) -> Estimate:
        """Of what people find met, how much the judge finds met."""
        return proportion(self.both, self.both + self.people_alone)

    @property
    def specificity(self) -> Estimate:
        """Of what people find not met, how much the judge finds not met."""
        return proportion(self.neither, self.neither + self.judge_alone)


def corrected_rate(met: int, of: int, confusion: Confusion) -> Estimate:
    """Give the share that people would find met, from what the judge found and how it errs on the labelled ones.

    None where people labelled nothing met, or nothing not met, or the judge is no better than chance.
    """
    positives, negatives = confusion.both + confusion.people_alone, confusion.neither + confusion.judge_alone
    if not of or not positives or not negatives:
        return Estimate(None)
    sensitivity, specificity = confusion.both / positives, confusion.neither / negatives
    if sensitivity + specificity <= 1:
        return Estimate(None)
    value = _clipped((met / of + specificity - 1) / (sensitivity + specificity - 1))
    return Estimate(value, _bounds(met, of, confusion), of)


def _bounds(met: int, of: int, confusion: Confusion) -> Bounds:
    """Lang and Reiczigel's limits: two verdicts are added to each count before errors are propagated."""
    positives = confusion.both + confusion.people_alone + 2
    negatives = confusion.neither + confusion.judge_alone + 2
    sensitivity, specificity = (confusion.both + 1) / positives, (confusion.neither + 1) / negatives
    tested = of + Z95**2
    share = (met + Z95**2 / 2) / tested
    scale = sensitivity + specificity - 1
    if scale <= 0:
        return 0.0, 1.0
    middle = (share + specificity - 1) / scale
    missed, false = sensitivity * (1 - sensitivity) / positives, specificity * (1 - specificity) / negatives
    shift = 2 * Z95**2 * (middle * missed - (1 - middle) * false)
    error = math.sqrt(share * (1 - share) / tested + middle**2 * missed + (1 - middle) ** 2 * false) / scale
    return _clipped(middle + shift - Z95 * error), _clipped(middle + shift + Z95 * error)


def _clipped(value: float) -> float:
    return min(1.0, max(0.0, value))
