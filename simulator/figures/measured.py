"""Measured values with their intervals: a sweep's curves, and models beside each other, metric by metric."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from simulator.errors import ScenarioError
from simulator.figures.style import PAGE_IN, drawn, look, mark, stacked
from simulator.results.models import ModelRow, models_of, models_table
from simulator.results.run import Run
from simulator.results.sweeps import Curve

_SMOOTH = 200
_LINE_IN, _AROUND_IN = 0.17, 0.55
"""Height of a metric in a forest plot, and of what stands around a panel."""
MOST_METRICS = 12


def draw_curves(runs: Sequence[Run], path: Path, metrics: Sequence[str] = ()) -> None:
    """Draw the curves of a sweep's metric (the first that is measured): points, intervals, the fit, its threshold."""
    curves = [curve for run in runs for sweep in run.sweeps for curve in sweep.curves]
    measured = list(dict.fromkeys(curve.metric for curve in curves))
    wanted = [name for name in measured if not metrics or name in metrics]
    if not wanted:
        told = (
            f"no curve of {', '.join(metrics)}; there are {', '.join(measured)}" if measured else "no curve of a sweep"
        )
        raise ScenarioError(f"{', '.join(run.name for run in runs)}: holds {told}")
    shown = [curve for curve in curves if curve.metric == wanted[0]]
    shown = [curve for curve in shown if curve.over == shown[0].over]
    with drawn(path) as axes:
        for place, curve in enumerate(shown):
            _draw_curve(axes, curve, place)
        if shown[0].scale == "log":
            axes.set_xscale("log")
        axes.set_xlabel(shown[0].over + (", s" if shown[0].seconds else ""))
        axes.set_ylabel(f"{shown[0].metric} ({shown[0].unit})" if shown[0].unit else shown[0].metric)
        if any(curve.where for curve in shown):
            axes.legend()


def _draw_curve(axes: Any, curve: Curve, place: int) -> None:
    points = [point for point in curve.points if point.value is not None]
    label = ", ".join(f"{name} {value}" for name, value in curve.where.items()) or None
    style = look(place)
    for point in points:
        if point.ci95 is not None:
            axes.plot([point.level] * 2, point.ci95, color=style["color"], linewidth=0.8)
    axes.plot([point.level for point in points], [point.value for point in points], label=label, **mark(place))
    fit = curve.fit
    if fit is None:
        axes.plot([point.level for point in points], [point.value for point in points], linewidth=0.8, **style)
        return
    first, last = points[0].level, points[-1].level
    levels = np.geomspace(first, last, _SMOOTH) if curve.scale == "log" else np.linspace(first, last, _SMOOTH)
    axes.plot(levels, fit.at(levels), **style)
    half = fit.guess + (1 - fit.guess - fit.lapse) / 2
    axes.plot(np.clip(fit.threshold_ci95, first, last), [half, half], color=style["color"], linewidth=2.5, alpha=0.5)


def draw_forest(runs: Sequence[Run], path: Path, metrics: Sequence[str] = ()) -> None:
    """Draw every model's pooled values with their intervals: a panel per unit, a line per metric.

    metrics: which; else the first dozen of the models' table.
    """
    table = models_table(models_of(runs), metrics=metrics)
    panels: dict[str, list[ModelRow]] = {}
    for row in table.rows[:MOST_METRICS]:
        panels.setdefault(row.unit, []).append(row)
    if not panels:
        asked = ", ".join(metrics) or "any metric of the models' table"
        raise ScenarioError(f"{', '.join(run.name for run in runs)}: no session has a value of {asked}")
    shares = [len(rows) for rows in panels.values()]
    height = _LINE_IN * sum(shares) * (1 + len(table.names) / 4) + _AROUND_IN * len(shares)
    with stacked(path, shares, width=PAGE_IN, height=height) as drawings:
        for axes, (unit, rows) in zip(drawings, panels.items(), strict=True):
            for line, row in enumerate(rows):
                _draw_row(axes, row, line, len(table.names))
            axes.set_yticks(range(len(rows)), labels=[row.label for row in rows])
            axes.set_ylim(len(rows) - 0.5, -0.5)
            axes.set_xlabel(f"{unit or 'value'}, with 95 % intervals")
        for place, name in enumerate(table.names):
            drawings[0].plot([], [], label=name, **mark(place))
        drawings[0].legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=len(table.names))


def _draw_row(axes: Any, row: ModelRow, line: int, models: int) -> None:
    for place, score in enumerate(row.scores):
        if score.value is None:
            continue
        y = line + (place - (models - 1) / 2) * 0.7 / models
        if score.ci95 is not None:
            axes.plot(score.ci95, [y, y], color=look(place)["color"], linewidth=1)
        axes.plot([score.value], [y], **mark(place))
