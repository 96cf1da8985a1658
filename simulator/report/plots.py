"""Small plots as SVG: distributions with their interval, the histogram of floor transfers, differences around zero.

Drawn by hand: a plot is some dots and lines, and a page must open without a library. Colours are the style
sheet's.
"""

from collections.abc import Sequence

import msgspec
import numpy as np

from simulator.report.assets import escape
from simulator.report.numbers import figure

WIDTH, PAD = 320, 8
DOTS_UP_TO = 250
"""Above so many sessions dots run together, and bars show the distribution better."""


class Axis(msgspec.Struct, frozen=True, kw_only=True):
    """A straight axis from `low` to `high` over `width` pixels."""

    low: float
    high: float
    width: float = WIDTH

    def x(self, value: float) -> float:
        """Pixels from the left, cut to the axis."""
        share = (value - self.low) / (self.high - self.low)
        return round(PAD + min(1.0, max(0.0, share)) * (self.width - 2 * PAD), 1)


def axis_over(values: Sequence[float], *, zero: bool = False) -> Axis:
    """Give an axis that holds all values with a little air, and zero where asked."""
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    spread = (
        high - low if high - low > 1e-9 * max(abs(high), abs(low)) else 0.0
    )  # sums of floats differ in the last bit
    air = spread * 0.04 or abs(high) * 0.1 or 1.0
    return Axis(low=low - air, high=high + air)


def strip(points: Sequence[tuple[int, float]], value: float | None, ci95: tuple[float, float] | None) -> str:
    """Draw one metric over sessions: a dot each (or bars, when many), the pooled value and its 95 % interval.

    points: (index of the session, its value).
    """
    values = [item for _, item in points]
    axis = axis_over([*values, *(ci95 or ()), *([value] if value is not None else [])])
    parts = _dots(points, axis) if len(points) <= DOTS_UP_TO else _bars(values, axis, base=30, height=24)
    if ci95 is not None:
        parts += f'<line class="interval" x1="{axis.x(ci95[0])}" x2="{axis.x(ci95[1])}" y1="34" y2="34"/>'
    if value is not None:
        parts += f'<path class="pooled" d="M{axis.x(value)} 29l5 5l-5 5l-5 -5z"/>'
    low, high = (figure(min(values)), figure(max(values))) if values else ("", "")
    ends = f'<text x="{PAD}" y="50">{low}</text><text x="{WIDTH - PAD}" y="50" text-anchor="end">{high}</text>'
    if low == high:  # an axis from 0 to 0 is none
        ends = f'<text x="{WIDTH / 2:g}" y="50" text-anchor="middle">{low}</text>'
    return svg(parts + ends, 54, f"{len(points)} sessions from {low} to {high}")


def _dots(points: Sequence[tuple[int, float]], axis: Axis) -> str:
    """A dot per session, stacked where they would cover each other."""
    columns: dict[int, int] = {}
    parts = []
    for index, value in sorted(points, key=lambda item: item[1]):
        column = round(axis.x(value) / 5)
        level = columns[column] = columns.get(column, -1) + 1
        y = max(3.0, 25 - level * (5 if level < 5 else 1))
        parts.append(f'<circle data-row="{index}" cx="{axis.x(value)}" cy="{y:g}" r="2.6"/>')
    return "".join(parts)


def _bars(values: Sequence[float], axis: Axis, *, base: float, height: float, bins: int = 48) -> str:
    counts, edges = np.histogram(values, bins=bins, range=(axis.low, axis.high))
    top = max(1, int(counts.max()))
    return "".join(
        f'<rect class="bar" x="{axis.x(left)}" width="{max(0.5, axis.x(right) - axis.x(left) - 0.6):.1f}" '
        f'y="{base - height * count / top:.1f}" height="{height * count / top:.1f}"/>'
        for count, left, right in zip(counts.tolist(), edges.tolist(), edges[1:].tolist(), strict=False)
        if count
    )


FTO_LOW_S, FTO_HIGH_S, FTO_BIN_S = -2.0, 3.0, 0.1
FTO_WIDTH, FTO_HEIGHT, FTO_BASE = 640, 190, 150

HATCH = (
    '<defs><pattern id="hatch" width="5" height="5" patternTransform="rotate(45)" patternUnits="userSpaceOnUse">'
    '<rect width="5" height="5" class="overlap-ground"/><line x1="0" x2="0" y1="0" y2="5" class="overlap-line"/>'
    "</pattern></defs>"
)


def fto_histogram(values_s: Sequence[float]) -> str:
    """Draw floor transfer offsets (seconds) in bins of 100 ms from -2 to 3 s, the rest in the outermost bins.

    Overlaps (below zero) are hatched, gaps plain; a dashed line marks the median.
    """
    axis = Axis(low=FTO_LOW_S, high=FTO_HIGH_S, width=FTO_WIDTH)
    edges = np.arange(round((FTO_HIGH_S - FTO_LOW_S) / FTO_BIN_S) + 1) * FTO_BIN_S + FTO_LOW_S
    counts, _ = np.histogram(np.clip(values_s, FTO_LOW_S, FTO_HIGH_S - 1e-9), bins=edges)
    pairs = zip(edges[:-1].tolist(), counts.tolist(), strict=True)
    bars = "".join(_fto_bar(axis, left, count, int(counts.max())) for left, count in pairs if count)
    ticks = "".join(_fto_tick(axis, second) for second in (-2, -1, 0, 1, 2, 3))
    median = float(np.median(values_s))
    lines = (
        f'<line class="tick" x1="{axis.x(0)}" x2="{axis.x(0)}" y1="12" y2="{FTO_BASE}"/>'
        f'<line class="axis" x1="{PAD}" x2="{FTO_WIDTH - PAD}" y1="{FTO_BASE}" y2="{FTO_BASE}"/>'
    )
    middle = f'<line class="median" x1="{axis.x(median)}" x2="{axis.x(median)}" y1="8" y2="{FTO_BASE}"/>'
    told = f"floor transfer offsets, median {median * 1000:.0f} ms"
    return svg(HATCH + lines + bars + middle + ticks, FTO_HEIGHT, told, FTO_WIDTH)


def _fto_bar(axis: Axis, left: float, count: int, most: int) -> str:
    kind = "overlap" if left < -FTO_BIN_S / 2 else "gap"
    width = axis.x(FTO_LOW_S + FTO_BIN_S) - axis.x(FTO_LOW_S) - 1
    height = 130 * count / most
    return (
        f'<rect class="{kind}" x="{axis.x(left) + 0.5:.1f}" width="{width:.1f}" y="{FTO_BASE - height:.1f}" '
        f'height="{height:.1f}"><title>{round(left * 1000)} to {round((left + FTO_BIN_S) * 1000)} ms: {count}</title>'
        "</rect>"
    )


def _fto_tick(axis: Axis, second: int) -> str:
    unit = " s" if second in (FTO_LOW_S, FTO_HIGH_S) else ""
    anchor = {FTO_LOW_S: "start", FTO_HIGH_S: "end"}.get(second, "middle")  # the ends would be cut off
    x, edge = axis.x(second), {"start": 0, "end": FTO_WIDTH}.get(anchor)
    return (
        f'<line class="tick" x1="{x}" x2="{x}" y1="{FTO_BASE}" y2="{FTO_BASE + 5}"/>'
        f'<text x="{x if edge is None else edge}" y="{FTO_BASE + 19}" text-anchor="{anchor}">{second}{unit}</text>'
    ).replace(">-", ">−")


def difference(value: float | None, ci95: tuple[float, float] | None, axis: Axis, tone: str) -> str:
    """Draw a paired difference with its interval around zero. tone: better, worse, unclear, or empty."""
    zero = f'<line class="zero" x1="{axis.x(0)}" x2="{axis.x(0)}" y1="2" y2="22"/>'
    if value is None:
        return svg(zero, 24, "no difference is defined")
    line = ""
    if ci95 is not None:
        line = f'<line class="interval" x1="{axis.x(ci95[0])}" x2="{axis.x(ci95[1])}" y1="12" y2="12"/>'
    dot = f'<path class="pooled" d="M{axis.x(value)} 6l6 6l-6 6l-6 -6z"/>'
    return svg(f'<g class="{escape(tone)}">{line}{dot}</g>' + zero, 24, f"difference {figure(value)}")


def svg(inner: str, height: float, told: str, width: float = WIDTH, kind: str = "") -> str:
    """Give a drawing of this size in pixels. told: what it shows, for those who do not see it; kind: its class."""
    named = f' class="{kind}"' if kind else ""
    return (
        f'<svg{named} width="{width:g}" viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(told)}" '
        f'preserveAspectRatio="xMinYMid meet">{inner}</svg>'
    )
