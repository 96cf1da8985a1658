"""An elastic buffer between two clocks: filled by one, emptied by the other, its depth held by slow resampling.

A microphone (or a loudspeaker) has a clock of its own, and its sound arrives in bursts. Every take gives what is asked
for, and every difference between what went in and what came out is counted:

    given - used = inserted - dropped + stretched

inserted: silence given because nothing was there. dropped: what lay too deep after a stall and was left out.
stretched: what resampling added (or took, negative) to hold the depth, at most 0.4 %, which nobody hears.
"""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.frame import Samples, freeze, silence

STEP_S = 0.06
"""A deviation beyond this is put right at once, as a step; a smaller one slowly, by resampling."""

_START_DEPTH_S, _LEAST_DEPTH_S, _MOST_DEPTH_S = 0.06, 0.03, 0.3
# What should be left at the emptiest moment of a window: less risks a dropout, more is delay for nothing.
_RESERVE_S = 0.015
_WINDOW_S = 5.0
_SMOOTHING_S = 2.0
# A deviation of 20 ms is met with 0.2 %, and goes within ten seconds.
_GAIN_PER_S, _MOST_STRETCH = 0.1, 0.004
_TAPS, _PHASES = 32, 512


class Change(NamedTuple):
    """Something that was put right at once: `underrun` (silence instead of sound) or `late` (sound left out).

    place: how many samples had been used when it began.
    """

    what: str
    size: int
    place: float


class ElasticBuffer:
    """Takes and gives float32 samples of one nominal rate; not thread-safe.

    depth: samples that are meant to wait. pushed: samples so far. given, inserted, dropped: samples since the accounts
    were restarted; stretched: likewise, a fraction. began: `place` of the first sample of the last take.
    """

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self.depth = round(_START_DEPTH_S * rate)
        self.pushed = 0
        self.began = 0.0
        self._kept: Samples = np.zeros(_TAPS // 2, np.float32)
        self._forgotten = -(_TAPS // 2)
        self._place = float(_TAPS // 2)
        self._filling = True
        self._smooth: float | None = None
        self._least = math.inf
        self._window = 0
        self._gap = 0
        self.restart_accounts()

    def restart_accounts(self) -> None:
        """Count from here."""
        self.given = self.inserted = self.dropped = 0
        self._used_before = self.place
        self.stretched = 0.0
        self.changes: list[Change] = []
        self._gap = 0

    @property
    def place(self) -> float:
        """How many samples have been used so far, those left out included."""
        return self._forgotten + self._place

    @property
    def used(self) -> float:
        """How many of them since the accounts were restarted."""
        return self.place - self._used_before

    @property
    def waiting(self) -> float:
        """Samples that can be given now."""
        return self.pushed - _TAPS // 2 - self.place

    def push(self, samples: Samples) -> None:
        """Append float32 (n,)."""
        self._kept = np.concatenate([self._kept, samples])
        self.pushed += len(samples)

    def take(self, count: int) -> Samples:
        """Give the next `count` samples, silence where nothing is there: float32 (count,), read-only."""
        self.given += count
        self._look(count)
        self.began = self.place
        if self._filling:
            self.inserted += count
            self._gap += count
            return silence(count)
        step = 1.0 + self._correction()
        places: NDArray[np.float64] = self._place + step * np.arange(count, dtype=np.float64)
        samples = _interpolated(self._kept, places) if step != 1.0 or self._place % 1 else self._copied(count)
        self._advance(count * step)
        self.stretched += count * (1.0 - step)
        return freeze(samples)

    def settle(self) -> None:
        """Leave out what lies deeper than meant: at the start of a session no old sound should be said."""
        self._drop(self.waiting - self.depth)

    def _look(self, count: int) -> None:
        """Judge the depth before a take: run dry, filled up again, far too deep, or a matter for slow correction."""
        waiting = self.waiting
        if self._filling:
            if waiting + _TAPS // 2 < max(self.depth, 2 * count):
                return
            self._filling = False
            self._close_gap()
        elif waiting < count * (1 + _MOST_STRETCH) + 1:
            self._filling = True
            self.depth = min(self.depth + round(0.02 * self.rate), round(_MOST_DEPTH_S * self.rate))
            self._smooth = None
            return
        if waiting - self.depth > STEP_S * self.rate:
            self._drop(waiting - self.depth)
            waiting = self.waiting
        share = count / (_SMOOTHING_S * self.rate)
        self._smooth = waiting if self._smooth is None else self._smooth + share * (waiting - self._smooth)
        self._adapt(waiting - count, count)

    def _adapt(self, left: float, count: int) -> None:
        """Make the buffer shallower where the emptiest moment of a window left more than the reserve."""
        self._least = min(self._least, left)
        self._window += count
        if self._window < _WINDOW_S * self.rate:
            return
        spare = self._least - _RESERVE_S * self.rate
        self.depth = max(round(self.depth - max(0.0, spare) / 4), round(_LEAST_DEPTH_S * self.rate))
        self._least, self._window = math.inf, 0

    def _correction(self) -> float:
        if self._smooth is None:
            return 0.0
        off_s = (self._smooth - self.depth) / self.rate
        if abs(off_s) < 0.002:
            return 0.0
        return max(-_MOST_STRETCH, min(_MOST_STRETCH, _GAIN_PER_S * off_s))

    def _drop(self, excess: float) -> None:
        count = math.floor(excess)
        if count <= 0:
            return
        self.changes.append(Change("late", count, self.place))
        self._place += count
        self._forget()
        self.dropped += count
        self._smooth = None

    def _close_gap(self) -> None:
        if self._gap:
            self.changes.append(Change("underrun", self._gap, self.place))
            self._gap = 0

    def _copied(self, count: int) -> Samples:
        start = int(self._place)
        return self._kept[start : start + count].copy()

    def _advance(self, by: float) -> None:
        self._place += by
        self._forget()

    def _forget(self) -> None:
        whole = int(self._place) - _TAPS // 2
        self._kept = self._kept[whole:]
        self._place -= whole
        self._forgotten += whole


def _interpolated(kept: Samples, places: NDArray[np.float64]) -> Samples:
    """Read between samples: float32 (n,), by a windowed sinc of 32 taps."""
    phases = np.rint(places * _PHASES).astype(np.int64)
    whole, phase = phases // _PHASES, phases % _PHASES
    around = whole[:, None] + np.arange(1 - _TAPS // 2, _TAPS // 2 + 1)
    between: Samples = np.einsum("ij,ij->i", kept[around], _kernels()[phase]).astype(np.float32)
    return between


@lru_cache(maxsize=1)
def _kernels() -> Samples:
    """Kaiser-windowed sincs, one row per phase, each of unit gain: float32 (512, 32)."""
    offsets = np.arange(1 - _TAPS // 2, _TAPS // 2 + 1)[None, :] - (np.arange(_PHASES) / _PHASES)[:, None]
    window = np.i0(8.0 * np.sqrt(np.clip(1 - (2 * offsets / _TAPS) ** 2, 0, 1))) / np.i0(8.0)
    rows = np.sinc(offsets) * window
    kernels: Samples = (rows / rows.sum(axis=1, keepdims=True)).astype(np.float32)
    return kernels
