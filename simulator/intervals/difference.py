"""Paired differences over clusters: interval, probability, effect size, and how many more would decide.

A cluster's two sides share its difficulty, so what varies is the difference of their influences (influence.py), and
Student's t does the rest. A quantile is compared within clusters: its difference is the mean of the clusters' own,
since the pooled quantile of scenarios of different difficulty is moved by the few that lie around it.
"""

import math
from collections.abc import Sequence

import msgspec
import numpy as np

from simulator.intervals.influence import influences
from simulator.intervals.pooled import FEWEST_CLUSTERS, QUANTILES, cases_of, observations
from simulator.intervals.quantile import FEWEST_FOR_P95, too_few_for_p95
from simulator.intervals.share import Bounds
from simulator.intervals.student import critical_t, two_sided_p
from simulator.score import Definition, Parts, add_parts, quantile, value_of

ALPHA = 0.05
_POWER_Z = 0.8416212335729143  # 80 % power


class PairedEstimate(msgspec.Struct, frozen=True, kw_only=True):
    """A difference of two values, second minus first, over so many clusters; what is None cannot be told: the reason.

    p: two-sided, before any adjustment. effect: the difference in standard deviations of the clusters' differences
    (Cohen's d_z). error: its standard error.
    """

    first: float | None
    second: float | None
    value: float | None
    clusters: int
    bounds: Bounds | None = None
    p: float | None = None
    effect: float | None = None
    error: float | None = None
    reason: str | None = None


def interval_of_difference(definition: Definition, pairs: Sequence[tuple[Parts, Parts]]) -> PairedEstimate:
    """Give second minus first of a definition's value. pairs: for each cluster the sums of both sides' parts.

    A cluster with a value on one side alone is left out, and told: an agent that falls silent where answers come late
    would have the better mean without any answer that came earlier.
    """
    pairs = [pair for pair in pairs if any(map(_holds, pair))]
    whole = _bare(definition, pairs)
    if whole.first is None or whole.second is None:
        missing = "the first side" if whole.first is None else "the second side"
        return _because(whole, f"undefined on {'both sides' if whole.first is whole.second else missing}")
    both = [pair for pair in pairs if all(map(_holds, pair))]
    if not both:
        return _because(msgspec.structs.replace(whole, value=None), "no observation has a value on both sides")
    bare = _bare(definition, both)
    if len(both) < len(pairs):
        out = f"{len(pairs) - len(both)} of {observations(len(pairs))} left out"
        bare = _because(bare, f"{out}: a value on one side alone")
    if bare.value is None:
        return bare
    if len(both) < FEWEST_CLUSTERS:
        return _because(bare, f"{observations(len(both))}; a comparison needs {FEWEST_CLUSTERS}")
    sides = [[pair[side] for pair in both] for side in (0, 1)]
    if definition.statistic in QUANTILES:
        return _of_quantile(definition, bare, *sides)
    return _of_influences(definition, bare, bare.value, *sides)


def _bare(definition: Definition, pairs: Sequence[tuple[Parts, Parts]]) -> PairedEstimate:
    first, second = (value_of(definition, add_parts([pair[side] for pair in pairs])) for side in (0, 1))
    value = None if first is None or second is None else second - first
    return PairedEstimate(first=first, second=second, value=value, clusters=len(pairs))


def _because(bare: PairedEstimate, reason: str) -> PairedEstimate:
    return msgspec.structs.replace(bare, reason="; ".join(filter(None, (bare.reason, reason))))


def _holds(parts: Parts) -> bool:
    return bool(parts.get("values") or parts.get("of") or ("count" in parts and "of" not in parts))


def holm_adjusted(probabilities: Sequence[float | None]) -> list[float | None]:
    """Give Holm's step-down adjustment (1979) over all that have a probability: the family errs as seldom as one."""
    known = sorted((p, place) for place, p in enumerate(probabilities) if p is not None)
    adjusted: list[float | None] = [None] * len(probabilities)
    highest = 0.0
    for rank, (p, place) in enumerate(known):
        highest = max(highest, min(1.0, (len(known) - rank) * p))
        adjusted[place] = highest
    return adjusted


def clusters_needed(error: float, clusters: int, difference: float) -> int:
    """Give how many clusters would show a difference of this size four times of five, at the spread that was seen."""
    spread = error * math.sqrt(clusters)
    needed = FEWEST_CLUSTERS
    while (critical_t(ALPHA, needed - 1) + _POWER_Z) * spread / math.sqrt(needed) > abs(difference):
        needed = max(needed + 1, min(2 * needed, _at_least(spread, difference)))
    return needed


def _at_least(spread: float, difference: float) -> int:
    return math.ceil(((1.96 + _POWER_Z) * spread / abs(difference)) ** 2)


def _of_influences(
    definition: Definition, bare: PairedEstimate, value: float, first: Sequence[Parts], second: Sequence[Parts]
) -> PairedEstimate:
    pulls = (influences(definition, second) - influences(definition, first)) * definition.scale
    counted = [cases_of(definition, side) for side in (first, second)]
    # Shares that moved alike in every cluster: one case might have gone the other way all the same.
    cases = [float(found[1].sum()) for found in counted if found is not None]
    if len(cases) < 2:
        return _tested(bare, value, float((pulls**2).sum()))
    found = _tested(bare, value, max(float((pulls**2).sum()), (definition.scale / min(cases)) ** 2))
    if found.bounds is None:
        return found
    low, high = (min(definition.scale, max(-definition.scale, bound)) for bound in found.bounds)
    return msgspec.structs.replace(found, bounds=(low, high))  # no two shares are further apart


def _of_quantile(
    definition: Definition, bare: PairedEstimate, first: Sequence[Parts], second: Sequence[Parts]
) -> PairedEstimate:
    q = QUANTILES[definition.statistic]
    fewest = min(sum(len(parts["values"]) for parts in side) for side in (first, second))
    if definition.statistic == "p95" and fewest < FEWEST_FOR_P95:
        return _because(bare, too_few_for_p95(fewest))
    sides = zip(first, second, strict=True)
    each = definition.scale * np.array([quantile(two["values"], q) - quantile(one["values"], q) for one, two in sides])
    value = float(each.mean())
    return _tested(bare, value, float(((each - value) ** 2).sum()) / len(each) ** 2)


def _tested(bare: PairedEstimate, value: float, squares: float) -> PairedEstimate:
    """Student's t of a difference whose clusters pull at it with this sum of squares."""
    clusters = bare.clusters
    bare = msgspec.structs.replace(bare, value=value)
    error = math.sqrt(clusters / (clusters - 1) * squares)
    size = max(abs(value), abs(bare.first or 0), abs(bare.second or 0))
    if error <= 1e-9 * size:  # what rounding leaves of no variance at all
        return _alike(bare, value if abs(value) > 1e-9 * size else 0.0)
    reach = critical_t(ALPHA, clusters - 1) * error
    return msgspec.structs.replace(
        bare,
        bounds=(value - reach, value + reach),
        p=two_sided_p(value / error, clusters - 1),
        effect=value / (error * math.sqrt(clusters)),
        error=error,
    )


def _alike(bare: PairedEstimate, value: float) -> PairedEstimate:
    """All clusters differ by the same: how many fair coins would all fall alike (the exact sign-flip test)."""
    p = 1.0 if value == 0 else 2.0 ** (1 - bare.clusters)
    return _because(msgspec.structs.replace(bare, p=p), f"all {bare.clusters} observations give the same difference")
