"""The scores of a run's page: a small plot for every metric, and the table of sessions as its script draws it."""

from collections.abc import Mapping, Sequence
from typing import Any

from simulator.report.assets import escape
from simulator.report.numbers import figure, quantity
from simulator.report.plots import strip
from simulator.report.score_list import flowing
from simulator.results.leading import LEADING
from simulator.results.pooling import pooled
from simulator.results.row import Row, grouped, scored
from simulator.results.run import Run
from simulator.results.summary import rests_on
from simulator.scoring.scorer import definition_of

COLUMNS_SHOWN = 6
MOST_GROUPS = 30
"""So many scenarios, and so many points of a sweep, are drawn with all of their metrics: a hundred are 10 MB."""


def plots(run: Run, ordered: Sequence[Row]) -> str:
    """Give the plots of all metrics: what readers ask for and scenarios expect first, the rest folded.

    What differs, in scenario or agent, is drawn apart, and the points of a sweep are folded: they have their curves.
    ordered: the rows in the table's order, which the dots name.
    """
    places = {row.id: place for place, row in enumerate(ordered)}
    groups = grouped(ordered)
    points = [name for name, rows in groups.items() if rows[0].point]
    apart = [name for name in groups if name not in points]

    def drawn(names: Sequence[str]) -> str:
        return "".join(
            _group(run, name if len(groups) > 1 else "", groups[name], places) for name in names[:MOST_GROUPS]
        )

    def first(names: Sequence[str]) -> str:
        return f", the first {MOST_GROUPS} of {len(names)}" if len(names) > MOST_GROUPS else ""

    told = f'<p class="quiet">scenarios by their worst sessions{first(apart)}</p>' if first(apart) else ""
    if not points:
        return told + drawn(apart)
    summary = f"points of sweeps, each by itself{first(points)}"
    return f"{told}{drawn(apart)}<details><summary>{summary}</summary>{drawn(points)}</details>"


def _group(run: Run, name: str, rows: Sequence[Row], places: Mapping[str, int]) -> str:
    measured = dict.fromkeys(metric for row in rows for metric in row.scores)
    first = [metric for metric in _leading(run) if metric in measured]
    rest = [metric for metric in measured if metric not in first]
    if not first:
        first, rest = rest, []
    lines = [f"<h3>{escape(name)}</h3>"] if name else []
    lines += [f'<p class="quiet">{escape(line)}</p>' for line in rests_on(rows)]
    lines.append(_grid(rows, places, first))
    if rest:
        lines.append(f"<details><summary>{len(rest)} more</summary>{_grid(rows, places, rest)}</details>")
    return "".join(lines)


def table(run: Run, ordered: Sequence[Row]) -> dict[str, Any]:
    """Give the table: metrics as columns, sessions as rows, worst first."""
    shown = set(_leading(run)[:COLUMNS_SHOWN] or run.metrics[:COLUMNS_SHOWN])
    return {
        "metrics": [_column(run, metric, shown=metric in shown) for metric in run.metrics],
        "rows": [_row(run, row) for row in ordered],
    }


def _leading(run: Run) -> list[str]:
    """The metrics of a run that stand first: those its scenarios expect something of, then those asked for most."""
    expected = dict.fromkeys(verdict.metric for verdicts in run.verdicts.values() for verdict in verdicts)
    return [metric for metric in dict.fromkeys((*expected, *LEADING)) if metric in run.metrics]


def _grid(rows: Sequence[Row], places: Mapping[str, int], metrics: Sequence[str]) -> str:
    return f'<div class="plots">{"".join(_plot(rows, places, metric) for metric in metrics)}</div>'


def _plot(rows: Sequence[Row], places: Mapping[str, int], metric: str) -> str:
    score = pooled(rows, metric)
    points = [(places[row.id], own.value) for row, own in scored(rows, metric) if own.value is not None]
    title, card = _told(metric)
    interval = f"{figure(score.ci95[0])} to {figure(score.ci95[1])}" if score.ci95 else ""
    why = f' title="no interval: {escape(score.ci95_reason)}"' if score.ci95_reason else ""
    caption = (
        f'<figcaption title="{escape(card)}"><span class="name">{escape(title)}</span>'
        f'<span class="value">{escape(quantity(score.value, score.unit)) if score.value is not None else "–"}</span>'
        f'<span class="rests">{interval}</span><span class="n"{why}>{len(points)} of {len(rows)}</span></figcaption>'
    )
    plot = strip(points, score.value, score.ci95) if points else ""
    reason = "" if score.value is not None else f'<p class="reason">{escape(score.reason or "undefined")}</p>'
    return f'<figure class="metric" data-metric="{escape(metric)}">{caption}{reason}{plot}</figure>'


def _told(metric: str) -> tuple[str, str]:
    definition = definition_of(metric)
    return (definition.title, f"{metric}\n{flowing(definition.card)}") if definition else (metric, metric)


def _row(run: Run, row: Row) -> dict[str, Any]:
    return {
        "id": row.id,
        "scenario": row.scenario,
        "trial": row.trial,
        "status": "invalid" if _left_out(row) else row.status,
        "problem": row.invalid if _left_out(row) else row.problem,
        "misses": run.misses(row),
        "page": run.has_page(row.id),
        "values": [row.value(metric) for metric in run.metrics],
    }


def _left_out(row: Row) -> bool:
    """Whether a session went to its end and says nothing about the agent; one that failed says so itself."""
    return bool(row.invalid) and row.status == "completed"


def _column(run: Run, metric: str, *, shown: bool) -> dict[str, Any]:
    title, _ = _told(metric)
    unit = next((score.unit for _, score in scored(run.rows, metric)), "")
    return {"id": metric, "title": title, "unit": unit, "shown": shown}
