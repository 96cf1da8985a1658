"""A far clock that runs off: resampled continuously, and a buffer that slips when it is full or empty.

The speaker's converter is fast by `ppm`: it makes more samples of a second than are played in one, so everything is
heard lower and later and later; with a slow one sooner and sooner. Sound waits in a buffer, half full at first. Where
it has run full or empty it slips back to half, over one frame: some sound is skipped, or heard twice.

Interpolation by a windowed sinc, its taps looked up by the fraction of a sample; within a frame the delay changes by a
fraction of one (a tenth at 200 ppm), so the sound is faded over from the filter of its beginning to that of its end.
"""

from functools import lru_cache
from typing import Annotated

import msgspec
import numpy as np

from simulator.frame import AudioFrame, Samples, freeze
from simulator.line import ChannelContext, ChannelSpec, by_frames
from simulator.sound.sinc import sinc_taps
from simulator.spec import Duration, ms

HALF = 16
"""Taps on either side."""
PHASES = 4096
"""Fractions of a sample: the nearest is wrong by a hundredth of a percent."""
KAISER_BETA = 8.0
MOST_PPM = 1000.0
"""Cheap sound cards are off by up to 100 or 200."""


class DriftSpec(ChannelSpec, frozen=True, kw_only=True, tag="drift"):
    """Let the speaker's clock run off: `{kind: drift, ppm: 80}`. buffer: what waits, from nothing to all of it.

    ppm: how much faster (or, negative, slower) the clock runs, in parts per million.
    """

    ppm: Annotated[float, msgspec.Meta(ge=-MOST_PPM, le=MOST_PPM)]
    buffer: Duration = ms(40)

    def __post_init__(self) -> None:
        if not 0.01 <= self.buffer <= 2:
            raise ValueError(f"buffer is {self.buffer}; allowed are 10ms to 2s")

    def build(self, context: ChannelContext) -> "Drift":
        """Make the channel."""
        return Drift(self, context)


class Drift:
    """Delays by what waits in the buffer; told (`line_delay`) at every millisecond that it has changed by."""

    takes_blocks = True

    def __init__(self, spec: DriftSpec, context: ChannelContext) -> None:
        self._count = context.frame_samples
        self._emit, self._active = context.emit, context.active
        self._rate = context.sample_rate
        self._most = spec.buffer.samples(self._rate)
        self._least = HALF + 1.0
        self.delay_samples = max(self._most // 2, HALF + 2)
        self._step = spec.ppm * 1e-6 * self._count
        self._taps = _taps()
        self._rows = 2 * HALF + 1, self._count
        self._past: Samples = np.zeros(self._most + 2 * HALF + 2, np.float32)
        self._delay = float(self.delay_samples)
        self._ramp = ((np.arange(self._count) + 0.5) / self._count).astype(np.float32)
        self._told_ms = self._ms()
        self._slips = 0

    def carry(self, frame: AudioFrame, other: AudioFrame) -> AudioFrame:
        """Carry a frame, or several one by one."""
        return by_frames(frame, other, self._count, self._carry)

    def _carry(self, frame: AudioFrame, other: AudioFrame) -> AudioFrame:
        known = np.concatenate([self._past, frame.samples])
        self._past = known[self._count :]
        delay = self._delay + self._step
        if not self._least <= delay <= self._most:
            delay = float(self.delay_samples)
            self._slips += self._active()
        if abs(delay - self._delay) < 1:
            before, after = self._read(known, self._delay, delay)
        else:
            before, after = self._read(known, self._delay, self._delay)[0], self._read(known, delay, delay)[1]
        self._delay = delay
        after -= before
        after *= self._ramp
        after += before
        if self._ms() != self._told_ms:
            self._told_ms = self._ms()
            self._emit(frame.start, "line_delay", delay=round(self._delay))
        return AudioFrame(frame.start, freeze(after))

    def _read(self, known: Samples, begins: float, ends: float) -> Samples:
        """The frame's samples at two delays less than a sample apart: float32 (2, frame_samples)."""
        here = len(known) - self._count
        lowest = int(here - max(begins, ends))
        at = here - lowest + 0.5 / PHASES
        taps = self._taps.take((int((at - begins) * PHASES), int((at - ends) * PHASES)), axis=0)
        # A row of samples for each tap: one product of matrices costs half of two correlations.
        first = lowest - HALF + 1
        rows = np.ndarray(self._rows, np.float32, known, first * known.itemsize, known.strides * 2)
        heard: Samples = taps @ rows.copy()
        return heard

    def _ms(self) -> int:
        return round(1000 * self._delay / self._rate)

    def measured(self) -> dict[str, float | None]:
        """The delay at the end, and how often the buffer slipped."""
        return {"delay_ms": round(1000 * self._delay / self._rate, 3), "slips": self._slips}


@lru_cache(maxsize=1)
def _taps() -> Samples:
    """The filter for every fraction of two samples: float32 (2 * PHASES + 1, 2 * HALF + 1).

    Within a frame the delay may pass a whole sample, so two filters reach over one sample more than each does.
    """
    one = sinc_taps(HALF, PHASES, KAISER_BETA)
    two = np.zeros((2 * PHASES + 1, 2 * HALF + 1), np.float32)
    two[:PHASES, :-1] = one[:-1]
    two[PHASES:, 1:] = one
    return two
