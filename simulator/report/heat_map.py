"""A metric over two dimensions of a sweep as SVG: a cell per point."""

from collections.abc import Sequence

from simulator.report.assets import escape
from simulator.report.numbers import figure
from simulator.report.plots import svg
from simulator.score import Score
from simulator.sweep.dimension import Label

CELL = 46
_LABEL = 74


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
                parts.append(_cell(score, _LABEL + right * CELL, y, low, high))
    base = len(rows) * CELL
    for right, column in enumerate(columns):
        x = _LABEL + right * CELL + CELL / 2
        parts.append(f'<text x="{x:g}" y="{base + 16}" text-anchor="middle">{escape(str(column))}</text>')
    return svg("".join(parts), base + 24, told, _LABEL + len(columns) * CELL + 8, "map")


def _cell(score: Score, x: float, y: float, low: float, high: float) -> str:
    share = 0.0 if score.value is None or high == low else (score.value - low) / (high - low)
    value = "–" if score.value is None else figure(score.value)
    dark = " dark" if share > 0.6 else ""
    return (
        f'<rect class="heat" x="{x:g}" y="{y:g}" width="{CELL - 2}" height="{CELL - 2}" '
        f'fill-opacity="{0.06 + 0.94 * share:.2f}"/>'
        f'<text class="in{dark}" x="{x + CELL / 2 - 1:g}" y="{y + CELL / 2 + 3:g}" text-anchor="middle">{value}</text>'
    )
