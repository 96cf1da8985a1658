"""The sweeps of a run's page: what each metric comes to at each point, its curves, and a heat map of two dimensions."""

from collections.abc import Iterator, Sequence

from simulator.report.assets import escape
from simulator.report.curve_plots import HUES, curve_plot
from simulator.report.numbers import figure
from simulator.report.plots import svg
from simulator.results.run import Run
from simulator.results.sweep_tables import SweepTable, tables_of
from simulator.results.sweeps import Curve, SweepPoint, SweepSummary
from simulator.score import Score
from simulator.scoring.scorer import definition_of
from simulator.sweep.dimension import Label, number_of, placed

CELL = 46
_LABEL = 74


def sweep_sections(run: Run) -> str:
    """Give the sections of all sweeps of a run; nothing where it has none."""
    return "".join(_section(sweep) for sweep in run.sweeps)


def _section(sweep: SweepSummary) -> str:
    figures = "".join(_figure(curves) for curves in _together(sweep.curves))
    maps = "".join(_maps(sweep))
    tables = "".join(_table(table) for table in tables_of(sweep))
    return (
        f'<section class="sweep" aria-label="Sweep"><h2>{escape(sweep.name)} '
        f'<span class="quiet">{len(sweep.points)} points</span></h2>'
        f'<div class="curves">{figures}{maps}</div>'
        f"<details{'' if figures or maps else ' open'}><summary>every point</summary>{tables}</details></section>"
    )


def _together(curves: Sequence[Curve]) -> list[list[Curve]]:
    """The curves that share a plot: of one metric along one dimension."""
    found: dict[tuple[str, str], list[Curve]] = {}
    for curve in curves:
        if any(point.value is not None for point in curve.points):
            found.setdefault((curve.metric, curve.over), []).append(curve)
    return list(found.values())


def _figure(curves: Sequence[Curve]) -> str:
    keys = "".join(f"<li>{_key(number, curve, several=len(curves) > 1)}</li>" for number, curve in enumerate(curves))
    return (
        f"<figure><figcaption>{escape(_title(curves[0].metric))} over {escape(curves[0].over)}</figcaption>"
        f'{curve_plot(curves)}<ul class="keys">{keys}</ul></figure>'
    )


def _key(number: int, curve: Curve, *, several: bool) -> str:
    told = (placed(curve.where), _told(curve))
    mark = f'<i class="hue{number % HUES}{" dashed" if number >= HUES else ""}"></i>' if several else ""
    return f"{mark}{escape(': '.join(part for part in told if part))}"


def _told(curve: Curve) -> str:
    fit, unit = curve.fit, " s" if curve.seconds else ""
    if fit is None:
        return curve.lack
    low, high = (figure(bound) for bound in fit.threshold_ci95)
    badly = "; it fits badly" if fit.fits_badly else ""
    return f"threshold {figure(fit.threshold)}{unit} ({low} to {high}), goodness of fit p {fit.deviance_p:.2g}{badly}"


def _maps(sweep: SweepSummary) -> Iterator[str]:
    """A heat map per metric for each place on the other dimensions, where two dimensions have levels."""
    names = [name for name in sweep.dimensions if len({_number(point, name) for point in sweep.points} - {None}) > 1]
    if len(names) != 2 or len(sweep.points) < 4:
        return
    rows, columns = names
    others = [name for name in sweep.dimensions if name not in names]
    for key in dict.fromkeys(tuple(point.at[name] for name in others) for point in sweep.points):
        here = [point for point in sweep.points if tuple(point.at[name] for name in others) == key]
        down = list(dict.fromkeys(point.at[rows] for point in here))
        right = sorted(dict.fromkeys(point.at[columns] for point in here), key=lambda label: number_of(label) or 0.0)
        if len(down) * len(right) > 4 * len(here):
            continue  # points at random or of a staircase: most cells would be empty
        for place, metric in enumerate(sweep.measure):
            scores = {(point.at[rows], point.at[columns]): point.scores[place] for point in here}
            where = placed(dict(zip(others, key, strict=True)))
            told = f"{_title(metric)}: {rows} (down), {columns} (right)" + (f", {where}" if where else "")
            yield f"<figure><figcaption>{escape(told)}</figcaption>{heat_map(down, right, scores, told)}</figure>"


def _number(point: SweepPoint, name: str) -> float | None:
    return number_of(point.at[name])


def _table(table: SweepTable) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in table.dimensions)
    head += "".join(f'<th class="number">{escape(_title(name))}</th>' for name in table.columns)
    rows = "".join(f"<tr>{_labels(labels)}{''.join(map(_cell, scores))}</tr>" for labels, scores in table.rows)
    title = f"<h3>{escape(_title(table.title))}</h3>" if table.title else ""
    return f'{title}<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


def _labels(labels: Sequence[Label]) -> str:
    return "".join(f"<td>{escape(str(label))}</td>" for label in labels)


def _cell(score: Score | None) -> str:
    if score is None or score.value is None:
        return '<td class="number"><span class="undefined">–</span></td>'
    interval = f' <span class="quiet">{figure(score.ci95[0])} to {figure(score.ci95[1])}</span>' if score.ci95 else ""
    return f'<td class="number">{figure(score.value)}{interval}</td>'


def _title(metric: str) -> str:
    definition = definition_of(metric)
    return definition.title if definition else metric


def heat_map(
    rows: Sequence[Label], columns: Sequence[Label], scores: dict[tuple[Label, Label], Score], told: str
) -> str:
    """Draw a metric over two dimensions: a cell per point, the darker the higher, each with its value."""
    known = [score.value for score in scores.values() if score.value is not None]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    parts: list[str] = []
    for down, row in enumerate(rows):
        y = down * CELL
        parts.append(f'<text x="{_LABEL - 8}" y="{y + CELL / 2 + 4:g}" text-anchor="end">{escape(str(row))}</text>')
        for right, column in enumerate(columns):
            score = scores.get((row, column))
            if score is not None:
                parts.append(_square(score, _LABEL + right * CELL, y, low, high))
    base = len(rows) * CELL
    for right, column in enumerate(columns):
        x = _LABEL + right * CELL + CELL / 2
        parts.append(f'<text x="{x:g}" y="{base + 16}" text-anchor="middle">{escape(str(column))}</text>')
    return svg("".join(parts), base + 24, told, _LABEL + len(columns) * CELL + 8, "map")


def _square(score: Score, x: float, y: float, low: float, high: float) -> str:
    share = 0.0 if score.value is None or high == low else (score.value - low) / (high - low)
    value = "–" if score.value is None else figure(score.value)
    dark = " dark" if share > 0.6 else ""
    return (
        f'<rect class="heat" x="{x:g}" y="{y:g}" width="{CELL - 2}" height="{CELL - 2}" '
        f'fill-opacity="{0.06 + 0.94 * share:.2f}"/>'
        f'<text class="in{dark}" x="{x + CELL / 2 - 1:g}" y="{y + CELL / 2 + 3:g}" text-anchor="middle">{value}</text>'
    )
