"""The page over the sessions of a run: what was expected, how the scores lie, and the sessions, worst first."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from simulator.report import assets
from simulator.report.assets import escape
from simulator.report.judged import definitions
from simulator.report.leading import LEADING
from simulator.report.numbers import clock_time, figure, quantity
from simulator.report.plots import fto_histogram, strip
from simulator.report.policy import worst_first
from simulator.report.results import Row, Run, columns, read_run
from simulator.report.score_list import verdict_list
from simulator.score import Definition, Score, pool

PAGE = "index.html"
FTO_METRIC = "turns.fto_p50_s"
COLUMNS_SHOWN = 6


def write_index_page(run_folder: Path) -> None:
    """Write index.html into a run folder; SessionError when the folder holds no run."""
    run = read_run(run_folder)
    unfinished = run_folder / f".{PAGE}.part"
    try:
        unfinished.write_text(index_html(run), encoding="utf-8", newline="\n")
        unfinished.replace(run_folder / PAGE)
    finally:
        unfinished.unlink(missing_ok=True)


def index_html(run: Run) -> str:
    """Give the page as text."""
    ordered = worst_first(run)
    return assets.fill("index", {
        "style": assets.style("base", "index"),
        "script": assets.script("index"),
        "title": escape(run.name),
        "status": _status(run),
        "facts": "".join(f"<li>{escape(fact)}</li>" for fact in _facts(run)),
        "notes": "".join(f'<p class="quiet">{escape(note)}</p>' for note in run.notes),
        "verdicts": _verdicts(run),
        "fto": _fto(run),
        "plots": "".join(_plot(run, ordered, metric) for metric in run.metrics),
        "data": assets.packed_json(_table(run, ordered)),
    })


def _status(run: Run) -> str:
    bad = sum(row.status != "completed" for row in run.rows)
    done = len(run.rows) - bad
    text = f"{done} completed" + (f", {bad} not" if bad else "")
    return f'<span class="badge {"bad" if bad else "good"}">{text}</span>'


def _facts(run: Run) -> list[str]:
    info = run.info
    command = info.get("command")
    facts = [f"{len(run.rows)} session{'s' * (len(run.rows) != 1)} of {len(run.scenarios)} "
             f"scenario{'s' * (len(run.scenarios) != 1)}"]
    if isinstance(command, list):
        facts.append(" ".join(map(str, command)))
    if isinstance(info.get("wall_s"), int | float):
        facts.append(f"took {clock_time(info['wall_s'])}")
    versions = info.get("versions")
    if isinstance(versions, dict) and "duplex-simulator" in versions:
        facts.append(f"duplex-simulator {versions['duplex-simulator']}")
    return facts


def _verdicts(run: Run) -> str:
    parts = []
    unmet_first = sorted(run.verdicts.items(), key=lambda item: all(verdict.passed for verdict in item[1]))
    for scenario, verdicts in unmet_first:
        if verdicts:
            parts.append(f'<div class="scenario"><h3>{escape(scenario)}</h3>{verdict_list(verdicts)}</div>')
    return f'<section class="expected" aria-label="Expectations"><h2>Expected</h2>{"".join(parts)}</section>' if parts else ""


def _fto(run: Run) -> str:
    values = [float(value) for _, score in columns(run.rows, FTO_METRIC) for value in score.parts.get("values", ())]
    if not values:
        return ""
    below = float(np.mean(np.asarray(values) < 0))
    told = (f"median {np.median(values) * 1000:.0f} ms, {below:.0%} overlaps, {len(values)} floor transfers".replace("-", "−"))
    return (f'<section class="fto" aria-label="Floor transfers"><h2>Floor transfers</h2>{fto_histogram(values)}'
            f'<p class="quiet">{told}</p></section>')


def pooled(run_rows: Sequence[Row], metric: str) -> Score:
    """Pool a metric over sessions; undefined, with the reason, where no installed scorer defines the metric."""
    found = list(columns(run_rows, metric))
    definition = definitions().get(metric)
    if definition is None:
        reason = f"no installed scorer defines {metric}"
        return Score(id=metric, value=None, unit=found[0][1].unit if found else "", n=len(found), reason=reason)
    return pool(definition, [score for _, score in found], [row.scenario for row, _ in found])


def _plot(run: Run, ordered: Sequence[Row], metric: str) -> str:
    score = pooled(run.rows, metric)
    points = [(index, value) for index, row in enumerate(ordered) if (value := row.value(metric)) is not None]
    title, card = _told(definitions().get(metric), metric)
    value = quantity(score.value, score.unit) if score.value is not None else "–"
    interval = f"{figure(score.ci95[0])} to {figure(score.ci95[1])}" if score.ci95 else ""
    undefined = f'<p class="reason">{escape(score.reason or "undefined everywhere")}</p>' if score.value is None else ""
    plot = strip(points, score.value, score.ci95) if points else ""
    return (
        f'<figure class="metric" data-metric="{escape(metric)}"><figcaption title="{escape(card)}"><span class="name">{escape(title)}</span>'
        f'<span class="value">{escape(value)}</span><span class="rests">{escape(interval)}</span>'
        f'<span class="n">{len(points)} of {len(run.rows)}</span></figcaption>{undefined}{plot}</figure>'
    )


def _told(definition: Definition | None, metric: str) -> tuple[str, str]:
    return (definition.title, f"{metric}\n{definition.card}") if definition else (metric, metric)


def _table(run: Run, ordered: Sequence[Row]) -> dict[str, Any]:
    """The table as the page's script draws it: metrics as columns, sessions as rows, worst first."""
    expected = {verdict.metric for verdicts in run.verdicts.values() for verdict in verdicts}
    first = [metric for metric in run.metrics if metric in expected]
    first += [metric for metric in LEADING if metric in run.metrics and metric not in expected]
    shown = set(first[:COLUMNS_SHOWN] or run.metrics[:COLUMNS_SHOWN])
    return {
        "metrics": [_column(run, metric, shown=metric in shown) for metric in run.metrics],
        "rows": [
            {
                "id": row.id,
                "scenario": row.scenario,
                "trial": row.trial,
                "status": row.status,
                "problem": row.problem,
                "misses": run.misses(row),
                "page": run.has_page(row.id),
                "values": [row.value(metric) for metric in run.metrics],
            }
            for row in ordered
        ],
    }


def _column(run: Run, metric: str, *, shown: bool) -> dict[str, Any]:
    definition = definitions().get(metric)
    unit = next((score.unit for _, score in columns(run.rows, metric)), "")
    return {"id": metric, "title": definition.title if definition else metric, "unit": unit, "shown": shown}
