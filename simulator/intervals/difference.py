"""Paired differences over clusters: interval, probability, effect size, and how many more would decide.

A cluster's two sides share its difficulty, so what varies is the difference of their influences (influence.py) and
Student's t does the rest. A quantile is tested by the shares of values beyond a common one (the paired, clustered form
of Mood's median test), and its interval holds the shifts which that test lets pass.
"""

import math
from collections.abc import Callable, Sequence

import msgspec
import numpy as np

from simulator.intervals.influence import flat, influences
from simulator.intervals.pooled import FEWEST_CLUSTERS, QUANTILES, cases_of
from simulator.intervals.share import Bounds, Floats, Owners, sums
from simulator.intervals.student import critical_t, two_sided_p
from simulator.score import Definition, Parts, add_parts, value_of

ALPHA = 0.05
_STEPS = 40
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
    """Give second minus first of a definition's value. pairs: for each cluster the sums of both sides' parts."""
    pairs = [pair for pair in pairs if any(map(_holds, pair))]
    sides = [[pair[side] for pair in pairs] for side in (0, 1)]
    first, second = (value_of(definition, add_parts(side)) for side in sides)
    bare = PairedEstimate(first=first, second=second, value=None, clusters=len(pairs))
    if first is None or second is None:
        missing = "both sides" if first is second else "the first side" if first is None else "the second side"
        return msgspec.structs.replace(bare, reason=f"undefined on {missing}")
    bare = msgspec.structs.replace(bare, value=second - first)
    if len(pairs) < FEWEST_CLUSTERS:
        reason = f"{len(pairs)} independent observations; a comparison needs {FEWEST_CLUSTERS}"
        return msgspec.structs.replace(bare, reason=reason)
    if definition.statistic in QUANTILES:
        return _of_quantile(definition, bare, second - first, *(flat(side) for side in sides))
    return _of_influences(definition, bare, second - first, *sides)


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
    least = 0.0
    counted = [cases_of(definition, side) for side in (first, second)]
    if all(cases is not None for cases in counted):
        least = definition.scale * max(1 / float(cases[1].sum()) for cases in counted if cases is not None)
    clusters = len(pulls)
    variance = clusters / (clusters - 1) * float((pulls**2).sum())
    # Shares that moved alike in every cluster: one case might have gone the other way all the same.
    error = math.sqrt(max(variance, clusters / (clusters - 1) * least**2))
    if error <= 1e-12 * max(abs(value), 1e-300):
        return _alike(bare, value)
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
    reason = f"all {bare.clusters} observations give the same difference"
    return msgspec.structs.replace(bare, p=p, reason=reason)


def _of_quantile(
    definition: Definition,
    bare: PairedEstimate,
    value: float,
    first: tuple[Floats, Owners],
    second: tuple[Floats, Owners],
) -> PairedEstimate:
    q, clusters = QUANTILES[definition.statistic], bare.clusters

    def t_of(shift: float) -> float:
        return _share_t((first[0] + shift, first[1]), second, q, clusters)

    observed = t_of(0.0)
    critical = critical_t(ALPHA, clusters - 1)
    middle = value / definition.scale
    reach = float(max(second[0].max(), first[0].max()) - min(second[0].min(), first[0].min())) or 1.0
    low = _edge(lambda shift: t_of(shift) <= critical, middle - reach, middle)
    high = _edge(lambda shift: t_of(shift) >= -critical, middle + reach, middle)
    p = two_sided_p(observed, clusters - 1) if math.isfinite(observed) else 1.0
    bounds = (low * definition.scale, high * definition.scale)
    if not bounds[0] < bounds[1]:
        return msgspec.structs.replace(_alike(bare, value), p=p)
    error = (bounds[1] - bounds[0]) / (2 * critical)
    effect = value / (error * math.sqrt(clusters))
    return msgspec.structs.replace(bare, bounds=bounds, p=p, effect=effect, error=error)


def _edge(passes: Callable[[float], bool], outside: float, inside: float) -> float:
    """Give the outermost shift towards `outside` that passes, by halving."""
    if passes(outside):
        return outside
    for _ in range(_STEPS):
        middle = (outside + inside) / 2
        if passes(middle):
            inside = middle
        else:
            outside = middle
    return inside


def _share_t(first: tuple[Floats, Owners], second: tuple[Floats, Owners], q: float, clusters: int) -> float:
    """Student's t of the difference of the shares that lie above the common q-quantile; above 0: second is larger."""
    common = np.quantile(np.concatenate([first[0], second[0]]), q)
    shares, pulls = [], []
    for values, owner in (first, second):
        # A value at the quantile is half above it: ties must not lean to one side.
        above = (values > common) + 0.5 * (values == common)
        counts, sizes = sums(owner, above, clusters), sums(owner, None, clusters)
        shares.append(float(above.mean()))
        pulls.append((counts - shares[-1] * sizes) / len(values))
    least = 1 / max(1, min(len(first[0]), len(second[0])))
    squares = max(float(((pulls[1] - pulls[0]) ** 2).sum()), least**2)
    return (shares[1] - shares[0]) / math.sqrt(clusters / (clusters - 1) * squares)
