"""Turn-taking events of two channels as corpus statistics count them: ipu, pause, gap, overlap, back-channel.

Source: dGSLM (arXiv 2203.16502) in the operational form of ESPnet3's InteractionMetric, restated. All times
are seconds; a unit is a tuple (start, end); EPS absorbs what rounding to seconds leaves.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

from simulator.score import wasserstein_1

EPS = 1e-6
MERGED_GAP_S = 0.2
"""Silence up to this long stays inside one unit (200 ms, dGSLM section 4)."""
_MERGE_EPS = 1e-9
BACKCHANNEL_S = 1.0
BACKCHANNEL_SHARE = 0.5
EVENTS = ("ipu", "pause", "gap", "overlap")

Unit = tuple[float, float]


class Durations(NamedTuple):
    """The lengths of all events of each type, in seconds."""

    ipu: list[float]
    pause: list[float]
    gap: list[float]
    overlap: list[float]


def merge_units(segments: Sequence[Unit], gap_s: float = MERGED_GAP_S) -> list[Unit]:
    """Join segments of one channel over gaps of at most `gap_s`; sorted, in any order given."""
    units: list[Unit] = []
    for start, end in sorted(segments):
        if units and start - units[-1][1] <= gap_s + _MERGE_EPS:
            units[-1] = (units[-1][0], max(units[-1][1], end))
        else:
            units.append((start, end))
    return units


def event_durations(user: Sequence[Unit], agent: Sequence[Unit], length_s: float) -> Durations:
    """Measure every event of a recording of `length_s` seconds from the merged units of its two channels.

    Silence is a pause when some channel both ends at its start and begins at its end, else a gap; silence at
    the start or end of the recording is neither. Simultaneous speech is one overlap however long, and is not
    split.
    """
    parts = _parts(user, agent, length_s)
    pauses: list[float] = []
    gaps: list[float] = []
    for start, end in _joined(parts, lambda active: active == 0):
        if start > EPS and end < length_s - EPS:
            held = any(_touches(channel, start, 1) and _touches(channel, end, 0) for channel in (user, agent))
            (pauses if held else gaps).append(end - start)
    overlaps = [end - start for start, end in _joined(parts, lambda active: active == 2)]
    return Durations([end - start for start, end in [*user, *agent]], pauses, gaps, overlaps)


def _parts(user: Sequence[Unit], agent: Sequence[Unit], length_s: float) -> list[tuple[float, float, int]]:
    """Cut the recording at every edge of a unit: (start, end, how many channels are active between)."""
    edges = {0.0, float(length_s)} | {round(float(edge), 9) for unit in (*user, *agent) for edge in unit}
    times = sorted(edge for edge in edges if -EPS <= edge <= length_s + EPS)
    return [
        (start, end, _active(user, (start + end) / 2) + _active(agent, (start + end) / 2))
        for start, end in pairwise(times)
        if end - start > EPS
    ]


def _active(units: Sequence[Unit], time_s: float) -> bool:
    index = bisect_right(units, (time_s + EPS, float("inf"))) - 1
    return index >= 0 and time_s <= units[index][1] + EPS


def _joined(parts: Sequence[tuple[float, float, int]], wanted: Callable[[int], bool]) -> list[Unit]:
    joined: list[Unit] = []
    for start, end, active in parts:
        if not wanted(active):
            continue
        if joined and start <= joined[-1][1] + EPS:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def _touches(units: Sequence[Unit], time_s: float, edge: int) -> bool:
    """Say whether a unit starts (edge 0) or ends (edge 1) at the time; units are sorted by both."""
    index = bisect_right(units, time_s - EPS, key=lambda unit: unit[edge])
    return any(abs(unit[edge] - time_s) <= EPS for unit in units[max(index - 1, 0) : index + 1])


def backchannel_count(user: Sequence[Unit], agent: Sequence[Unit]) -> int:
    """Count units shorter than 1 s that lie at least half inside the other channel's units."""
    return _backchannels(user, agent) + _backchannels(agent, user)


def _backchannels(own: Sequence[Unit], other: Sequence[Unit]) -> int:
    short = [unit for unit in own if EPS < unit[1] - unit[0] < BACKCHANNEL_S]
    return sum(_shared_s(unit, other) / (unit[1] - unit[0]) >= BACKCHANNEL_SHARE - EPS for unit in short)


def _shared_s(unit: Unit, others: Sequence[Unit]) -> float:
    first = max(bisect_right(others, (unit[0], float("inf"))) - 1, 0)
    shared = 0.0
    for start, end in others[first:]:
        if start >= unit[1]:
            break
        shared += max(0.0, min(unit[1], end) - max(unit[0], start))
    return shared


def wasserstein(ours: Sequence[float], theirs: Sequence[float]) -> float | None:
    """Give the Wasserstein-1 distance between two lists of durations (seconds); None when either is empty."""
    return wasserstein_1(ours, theirs) if ours and theirs else None
