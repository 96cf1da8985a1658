"""Sweeps, read from rows: what every metric comes to at each point, and the curve that goes through the points."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

import msgspec

from simulator.call.chance import drawing
from simulator.curves.fit import Cases, Fit, Fitted, fitted
from simulator.curves.function import Form, Scale
from simulator.intervals.observations import distinct
from simulator.intervals.pooled import cases_of
from simulator.intervals.share import effective_cases
from simulator.results.leading import LEADING
from simulator.results.pooling import pooled
from simulator.results.row import Row, scored
from simulator.score import Score
from simulator.scoring.pooling import clustered
from simulator.scoring.scorer import definition_of
from simulator.sweep.dimension import Label, number_of, placed
from simulator.sweep.sweep import DimensionInfo, SweepInfo

MOST_COLUMNS = 6
"""So many metrics a sweep shows that asked for none."""
NO_SHARE = "it is no share of cases, so no curve is fitted"


class SweepPoint(msgspec.Struct, frozen=True, kw_only=True):
    """A point: its place on every dimension, its sessions, and its pooled scores."""

    at: dict[str, Label]
    sessions: int
    scores: list[Score]


class CurvePoint(msgspec.Struct, frozen=True, kw_only=True):
    """A metric at a level (times in seconds), pooled over the sessions there."""

    level: float
    value: float | None
    ci95: tuple[float, float] | None = None
    n: int = 0


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    """A metric along one dimension. where: the place on the others; fit: of a share of cases; reason: why none.

    seconds: whether the levels are times.
    """

    metric: str
    over: str
    unit: str = ""
    scale: Scale = "linear"
    seconds: bool = False
    where: dict[str, Label] = {}
    points: list[CurvePoint]
    fit: Fit | None = None
    reason: str | None = None

    @property
    def lack(self) -> str:
        """Why none is fitted to a share of cases; empty where one is, and of what is no share."""
        return f"no curve: {self.reason}" if self.reason and self.reason != NO_SHARE else ""


class SweepSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What a sweep came to. measure: the metrics of its table and curves, in their order."""

    name: str
    dimensions: dict[str, DimensionInfo]
    measure: list[str]
    points: list[SweepPoint]
    curves: list[Curve]


def curve_name(metric: str, over: str, where: Mapping[str, Label]) -> str:
    """Name a curve in words. where: the place on the dimensions it does not go along."""
    return ", ".join(part for part in (f"{metric} over {over}", placed(where)) if part)


def sweeps_of(infos: Mapping[str, SweepInfo], rows: Sequence[Row]) -> list[SweepSummary]:
    """Sum up the sweeps of a run. infos: what is known of them, by name; without it they are read from the rows."""
    names = dict.fromkeys([*infos, *(row.point.sweep for row in rows if row.point)])
    found: list[SweepSummary] = []
    for name in names:
        mine = [row for row in rows if row.point and row.point.sweep == name]
        if mine:
            found.append(_summary(name, infos.get(name) or _guessed(mine), mine))
    return found


def _guessed(rows: Sequence[Row]) -> SweepInfo:
    names = dict.fromkeys(name for row in rows if row.point for name in row.point.at)
    return SweepInfo(dimensions={name: DimensionInfo(path="") for name in names})


def _summary(name: str, info: SweepInfo, rows: Sequence[Row]) -> SweepSummary:
    measured = dict.fromkeys(metric for row in rows for metric in row.scores)
    leading = [metric for metric in LEADING if metric in measured][:MOST_COLUMNS]
    measure = info.measure or leading or list(measured)[:MOST_COLUMNS]
    points = [
        SweepPoint(at=at, sessions=len(here), scores=[pooled(here, metric) for metric in measure])
        for at, here in _by_place(rows)
    ]
    curves = [
        curve for over in axes(info, points) for metric in measure for curve, _ in curves_of(info, rows, metric, over)
    ]
    return SweepSummary(name=name, dimensions=info.dimensions, measure=measure, points=points, curves=curves)


def axes(info: SweepInfo, points: Sequence[SweepPoint]) -> list[str]:
    """Give the dimensions that curves go along: the one with most levels; of points at random each that has levels."""
    levels = {name: {number_of(point.at[name]) for point in points} for name in info.dimensions}
    usable = {name: len(found) for name, found in levels.items() if None not in found and len(found) > 1}
    if not usable:
        return []
    return list(usable) if info.marginal else [max(usable, key=lambda name: usable[name])]


def curves_of(
    info: SweepInfo, rows: Sequence[Row], metric: str, over: str, draws: int = 0
) -> list[tuple[Curve, Fitted]]:
    """Give a metric's curves along a dimension, one for every place on the others, and what was fitted to each.

    draws: which draws of the bootstrap; those of two sides of a difference are not the same ones.
    """
    others = [name for name in info.dimensions if name != over]
    if info.marginal:
        others = [name for name in others if any(number_of(row.point.at[name]) is None for row in rows if row.point)]
    apart: dict[tuple[Label, ...], list[Row]] = {}
    for row in rows:
        if row.point:
            apart.setdefault(tuple(row.point.at[name] for name in others), []).append(row)
    found: list[tuple[Curve, Fitted]] = []
    for key, mine in apart.items():
        levels = _levels(mine, over)
        fit = _fitted(info, levels, metric, over, draws)
        curve = _curve(levels, metric, over, fit)
        where, scale = dict(zip(others, key, strict=True)), info.dimensions[over].scale
        found.append((msgspec.structs.replace(curve, where=where, scale=scale), fit))
    return found


def _levels(rows: Sequence[Row], over: str) -> dict[float, list[Row]]:
    """The sessions at each level, from the lowest on."""
    levels: dict[float, list[Row]] = {}
    for row in rows:
        level = number_of(row.point.at[over]) if row.point else None
        if level is not None:
            levels.setdefault(level, []).append(row)
    return dict(sorted(levels.items()))


def _curve(levels: Mapping[float, Sequence[Row]], metric: str, over: str, fit: Fitted) -> Curve:
    scores = {level: pooled(rows, metric) for level, rows in levels.items()}
    definition = definition_of(metric)
    return Curve(
        metric=metric,
        over=over,
        unit=definition.unit if definition else "",
        seconds=any(isinstance(row.point.at[over], str) for rows in levels.values() for row in rows if row.point),
        points=[
            CurvePoint(level=level, value=score.value, ci95=score.ci95, n=score.n) for level, score in scores.items()
        ],
        fit=fit.fit,
        reason=fit.reason,
    )


def _fitted(info: SweepInfo, levels: Mapping[float, Sequence[Row]], metric: str, over: str, draws: int) -> Fitted:
    """Fit a curve to a share of cases; those of one session count as what they tell, identical sessions once."""
    definition = definition_of(metric)
    cases: list[Cases] = []
    for level, rows in levels.items():
        found = [(row, score) for row, score in scored(rows, metric) if score.parts]
        kept = [found[place] for place in distinct([row.origin for row, _ in found])]
        if definition is None or not kept:
            continue
        counts = cases_of(definition, clustered([score.parts for _, score in kept], [row.origin for row, _ in kept]))
        if counts is None:
            return Fitted(None, NO_SHARE)
        count, of = counts
        if of.sum() > 0:
            independent = effective_cases(count[of > 0], of[of > 0])
            cases.append(Cases(level, independent * float(count.sum() / of.sum()), independent))
    return _fitted_once(tuple(cases), info.curve, info.dimensions[over].scale, draws)


@lru_cache(maxsize=1024)
def _fitted_once(cases: tuple[Cases, ...], form: Form, scale: Scale, draws: int) -> Fitted:
    """Fit, a quarter of a second: the terminal, the page and a comparison ask for the same curves one after another."""
    return fitted(cases, form, drawing(draws), scale=scale)


def _by_place(rows: Sequence[Row]) -> list[tuple[dict[str, Label], list[Row]]]:
    """Group rows by their point: numbers in their order, texts as they come."""
    found: dict[tuple[Label, ...], list[Row]] = {}
    seen: dict[str, int] = {}
    for row in rows:
        if row.point:
            found.setdefault(tuple(row.point.at.values()), []).append(row)
            seen |= {str(label): len(seen) for label in row.point.at.values() if str(label) not in seen}

    def order(key: tuple[Label, ...]) -> list[float]:
        numbers = (number_of(label) for label in key)
        return [seen[str(label)] if number is None else number for label, number in zip(key, numbers, strict=True)]

    return [(point.at, found[key]) for key in sorted(found, key=order) if (point := found[key][0].point)]
