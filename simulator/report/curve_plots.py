"""Curves of a sweep as SVG, drawn by hand as all plots are; colours are the style sheet's."""

import math
from collections.abc import Sequence

import msgspec
import numpy as np

from simulator.report.assets import escape
from simulator.report.numbers import figure
from simulator.report.plots import svg
from simulator.results.sweeps import Curve

WIDTH, HEIGHT = 640, 300
LEFT, RIGHT, TOP, BOTTOM = 52, 14, 12, 42
HUES = 4
"""So many colours the style sheet has for curves; a fifth curve has the first one's, and dashes."""
SMOOTH = 97
SHARES = ("ratio", "share")
_TICKS = 5


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """The axes of a plot: levels to the right, linear or logarithmic, values upwards."""

    levels: tuple[float, float]
    values: tuple[float, float]
    log: bool = False

    def x(self, level: float) -> float:
        """Pixels from the left."""
        low, high, at = (math.log(item) if self.log else item for item in (*self.levels, level))
        return round(LEFT + (at - low) / (high - low) * (WIDTH - LEFT - RIGHT), 1)

    def y(self, value: float) -> float:
        """Pixels from the top, cut to the axis."""
        low, high = self.values
        share = min(1.0, max(0.0, (value - low) / (high - low)))
        return round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM), 1)


def curve_plot(curves: Sequence[Curve]) -> str:
    """Draw the curves of one metric along one dimension: points with intervals, the fitted curve, its threshold."""
    frame = _frame(curves)
    parts = [_axes(frame, curves[0])]
    for number, curve in enumerate(curves):
        dashed = " dashed" if number >= HUES else ""
        parts.append(f'<g class="curve hue{number % HUES}{dashed}">{_curve(frame, curve)}</g>')
    return svg("".join(parts), HEIGHT, f"{curves[0].metric} over {curves[0].over}", WIDTH)


def _frame(curves: Sequence[Curve]) -> Frame:
    levels = [point.level for curve in curves for point in curve.points]
    values = [value for curve in curves for point in curve.points for value in (point.value, *(point.ci95 or ()))]
    known = [value for value in values if value is not None]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    if curves[0].unit in SHARES:
        low, high = 0.0, max(1.0, high)
    air = (high - low) * 0.04 or abs(high) * 0.1 or 1.0
    log = curves[0].scale == "log" and min(levels) > 0
    # A few pixels of room, so that no point lies on the axis.
    ends = (min(levels), max(levels))
    room = (ends[1] / ends[0]) ** 0.03 if log else (ends[1] - ends[0]) * 0.03
    spread = (ends[0] / room, ends[1] * room) if log else (ends[0] - room, ends[1] + room)
    return Frame(levels=spread, values=(low - air, high + air), log=log)


def _axes(frame: Frame, curve: Curve) -> str:
    base = HEIGHT - BOTTOM
    lines = [f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{base}" y2="{base}"/>']
    for value in [0.0, 0.25, 0.5, 0.75, 1.0] if curve.unit in SHARES else _round_values(*frame.values):
        y = frame.y(value)
        lines.append(f'<line class="tick" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>')
        lines.append(f'<text x="{LEFT - 6}" y="{y + 4}" text-anchor="end">{figure(value)}</text>')
    levels = sorted({point.level for point in curve.points})
    lines += [
        f'<text x="{frame.x(level)}" y="{base + 16}" text-anchor="middle">{figure(level)}</text>'
        for level in levels[:: max(1, math.ceil(len(levels) / 10))]
    ]
    unit = ", s" if curve.seconds else ""
    middle = (WIDTH + LEFT - RIGHT) / 2
    lines.append(f'<text x="{middle:g}" y="{HEIGHT - 6}" text-anchor="middle">{escape(curve.over)}{unit}</text>')
    return "".join(lines)


def _round_values(low: float, high: float) -> list[float]:
    """A few values between two, a round step apart: 1, 2 or 5 of some power of ten."""
    rough = (high - low) / _TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(step * power for step in (1, 2, 5, 10) if step * power >= rough)
    return [place * step for place in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _curve(frame: Frame, curve: Curve) -> str:
    parts: list[str] = []
    fit = curve.fit
    if fit is not None:
        first, last = curve.points[0].level, curve.points[-1].level
        levels = np.geomspace(first, last, SMOOTH) if frame.log else np.linspace(first, last, SMOOTH)
        ends = zip(levels.tolist(), fit.at(levels).tolist(), strict=True)
        parts.append(f'<path class="fit" d="M{"L".join(f"{frame.x(x)} {frame.y(y)}" for x, y in ends)}"/>')
        low, high = (min(last, max(first, bound)) for bound in fit.threshold_ci95)
        y = frame.y(fit.guess + (1 - fit.guess - fit.lapse) / 2)
        parts.append(f'<line class="threshold" x1="{frame.x(low)}" x2="{frame.x(high)}" y1="{y}" y2="{y}"/>')
    elif len(curve.points) > 1:
        known = [(point.level, point.value) for point in curve.points if point.value is not None]
        parts.append(f'<path class="joined" d="M{"L".join(f"{frame.x(x)} {frame.y(y)}" for x, y in known)}"/>')
    for point in curve.points:
        if point.value is None:
            continue
        x = frame.x(point.level)
        if point.ci95 is not None:
            parts.append(
                f'<line class="reach" x1="{x}" x2="{x}" y1="{frame.y(point.ci95[0])}" y2="{frame.y(point.ci95[1])}"/>'
            )
        told = f"{figure(point.level)}: {figure(point.value)}, n {point.n}"
        parts.append(f'<circle cx="{x}" cy="{frame.y(point.value)}" r="4"><title>{told}</title></circle>')
    return "".join(parts)
