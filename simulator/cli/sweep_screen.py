"""Sweeps on the screen: their tables, and what curves were fitted or why none was."""

from collections.abc import Iterator
from typing import Any

from rich.markup import escape

from simulator.cli.numbers import number
from simulator.results.sweep_tables import SweepTable, tables_of
from simulator.results.sweeps import Curve, SweepSummary, curve_name
from simulator.score import Score
from simulator.texts import shown


def print_sweep(console: Any, sweep: SweepSummary) -> None:
    """Print a sweep: a row per point, then a line per curve."""
    console.print(f"[bold]{escape(shown(sweep.name))}[/]")
    for table in tables_of(sweep):
        console.print(_drawn(table))
    for line in told_curves(sweep):
        console.print(escape(shown(line)), highlight=False, soft_wrap=True)


def told_curves(sweep: SweepSummary) -> Iterator[str]:
    """Say of every curve at which level it crosses, or why it was not fitted; not of what is no share."""
    for curve in sweep.curves:
        told = curve.lack if curve.fit is None else _fit(curve)
        if told:
            yield f"{curve_name(curve.metric, curve.over, curve.where)}: {told}"


def _fit(curve: Curve) -> str:
    fit = curve.fit
    assert fit is not None
    unit, per = (" s", "s") if curve.seconds else ("", "unit")
    low, high = fit.threshold_ci95
    way = f"{'falling' if fit.falling else 'rising'} by {'at least ' if fit.steepest else ''}{fit.slope:.3g} per {per}"
    return (
        f"threshold {fit.threshold:.3g}{unit} ({low:.3g} .. {high:.3g}), {way} there; deviance {fit.deviance:.3g} over "
        f"{fit.levels} levels, p {fit.deviance_p:.2g}{', fits badly' if fit.fits_badly else ''}"
    )


def _drawn(found: SweepTable) -> Any:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=found.title or None, title_justify="left")
    for name in found.dimensions:
        table.add_column(name, justify="right")
    for name in found.columns:
        table.add_column(name, justify="right", overflow="fold")
    for labels, scores in found.rows:
        table.add_row(*(escape(shown(str(label))) for label in labels), *map(cell, scores))
    return table


def cell(score: Score | None) -> str:
    """Give a score as a table shows it, with its interval."""
    if score is None or score.value is None:
        return "-"
    interval = f" ({number(score.ci95[0])} .. {number(score.ci95[1])})" if score.ci95 else ""
    return f"{number(score.value)}{interval}"
