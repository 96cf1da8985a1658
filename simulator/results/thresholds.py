"""Thresholds of two runs of a sweep: how far apart they are, and how sure that is.

The difference of two fitted thresholds has the interval of its bootstrap: the draws of one fit less those of the other.
Trials of both have the same seeds, which makes the true interval rather narrower.
"""

from collections.abc import Iterator, Mapping

import msgspec

from simulator.curves.fit import Fitted, middle_95
from simulator.intervals.difference import holm_adjusted
from simulator.results.run import Run
from simulator.results.sweeps import NO_SHARE, Curve, SweepSummary, curves_of
from simulator.sweep.dimension import Label
from simulator.sweep.sweep import SweepInfo


class ThresholdDifference(msgspec.Struct, frozen=True, kw_only=True):
    """One curve in two runs: both thresholds, second minus first with its 95 % interval, in the unit of the levels.

    p: two-sided; p_adjusted: Holm's, over all curves. reason: why there is no difference.
    """

    sweep: str
    metric: str
    over: str
    where: dict[str, Label] = {}
    seconds: bool = False
    first: float | None = None
    second: float | None = None
    value: float | None = None
    ci95: tuple[float, float] | None = None
    p: float | None = None
    p_adjusted: float | None = None
    reason: str | None = None


def threshold_differences(first: Run, second: Run) -> list[ThresholdDifference]:
    """Give the differences of every curve that both runs have and that is a share of cases; none without sweeps."""
    found = [item for pair in _matched(first, second) for item in _differences(first, second, *pair)]
    adjusted = holm_adjusted([item.p for item in found])
    return [msgspec.structs.replace(item, p_adjusted=p) for item, p in zip(found, adjusted, strict=True)]


def _matched(first: Run, second: Run) -> Iterator[tuple[SweepSummary, SweepSummary]]:
    """Sweeps of the same name; where each run has a single one, those, whatever they are called."""
    if len(first.sweeps) == len(second.sweeps) == 1:
        yield first.sweeps[0], second.sweeps[0]
        return
    others = {sweep.name: sweep for sweep in second.sweeps}
    yield from ((sweep, others[sweep.name]) for sweep in first.sweeps if sweep.name in others)


def _differences(first: Run, second: Run, one: SweepSummary, other: SweepSummary) -> Iterator[ThresholdDifference]:
    wanted = dict.fromkeys((curve.metric, curve.over) for curve in one.curves)
    both = {(curve.metric, curve.over) for curve in other.curves}
    for metric, over in (pair for pair in wanted if pair in both):
        mine, theirs = _curves(first, one, metric, over, 0), _curves(second, other, metric, over, 1)
        if len(mine) == len(theirs) == 1:  # another agent has another name, and is what is compared
            theirs = dict(zip(mine, theirs.values(), strict=True))
        for key, (curve, fit) in mine.items():
            if key in theirs and fit.reason != NO_SHARE:
                yield _difference(one.name, curve, fit, theirs[key][1])


def _curves(
    run: Run, sweep: SweepSummary, metric: str, over: str, draws: int
) -> Mapping[tuple[Label, ...], tuple[Curve, Fitted]]:
    info = (run.info.sweeps or {}).get(sweep.name) or SweepInfo(dimensions=sweep.dimensions, measure=sweep.measure)
    rows = [row for row in run.rows if row.point and row.point.sweep == sweep.name]
    return {tuple(curve.where.values()): (curve, fit) for curve, fit in curves_of(info, rows, metric, over, draws)}


def _difference(sweep: str, curve: Curve, first: Fitted, second: Fitted) -> ThresholdDifference:
    told = ThresholdDifference(
        sweep=sweep,
        metric=curve.metric,
        over=curve.over,
        where=curve.where,
        seconds=curve.seconds,
        first=first.fit.threshold if first.fit else None,
        second=second.fit.threshold if second.fit else None,
    )
    if told.first is None or told.second is None:
        side, reason = ("first", first.reason) if told.first is None else ("second", second.reason)
        return msgspec.structs.replace(told, reason=f"no curve on the {side} side: {reason}")
    drawn = second.thresholds - first.thresholds
    beyond = min(int((drawn <= 0).sum()), int((drawn >= 0).sum()))
    p = min(1.0, 2 * (beyond + 1) / (len(drawn) + 1))
    return msgspec.structs.replace(told, value=told.second - told.first, ci95=middle_95(drawn), p=p)
