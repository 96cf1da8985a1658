"""A short streaming resampler for channels: a few milliseconds of delay, stated to the sample.

A windowed-sinc filter, one for each fraction of a sample that an output may lie at. soxr's streams hold back 70 ms at
telephone rates, which no telephone does; sixteen zero crossings on either side cost 2 ms at 8 kHz and keep aliases
60 dB down.
"""

from math import gcd

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from channels.polyphase import Polyphase
from simulator.frame import Samples

ZERO_CROSSINGS = 16
KAISER_BETA = 6.0
"""60 dB of stop-band attenuation (Kaiser's formula)."""
FEW_PHASES = 8
"""Rates that go into each other, or nearly so: 8, 16, 24, 48 kHz; of 44.1 kHz there are up to 441."""
PASSBAND = 0.92
"""Share of the lower Nyquist frequency that passes: the rest is the filter's slope."""


class ShortResampler:
    """Resamples frames from one rate to another; every answer covers exactly its frame's time.

    delay_s: by how much the output lags behind, exactly.
    """

    def __init__(self, from_hz: int, to_hz: int) -> None:
        shared = gcd(from_hz, to_hz)
        self._up, self._down = to_hz // shared, from_hz // shared
        lower = min(from_hz, to_hz)
        # Taps on either side of an output, in input samples.
        self._half = -(-ZERO_CROSSINGS * from_hz // lower)
        self.delay_s = 0.0 if from_hz == to_hz else self._half / from_hz
        self._taps = _taps(self._half, from_hz, lower, self._up)
        self._past: Samples = np.zeros(2 * self._half, np.float32)
        self._phase = 0

    def of_frames(self, frame_samples: int, late: int = 0) -> Polyphase | None:
        """The same for whole frames at a fraction of the cost, the same bits however many of them are handed over.

        None where rates and frames do not go into each other, and where there is nothing to do. late: by how many
        samples of its own the output comes later than delay_s.
        """
        fits = self.delay_s > 0 and self._up <= FEW_PHASES and not frame_samples % self._down
        return Polyphase(self._taps, self._down, frame_samples, late) if fits else None

    def __call__(self, samples: Samples) -> Samples:
        """Take float32 (n,) and give the outputs whose place lies in it: float32 (n * to / from,) on the average."""
        if self._up == self._down:
            return samples
        known = np.concatenate([self._past, samples])
        self._past = known[len(samples) :]
        # Output i lies at input place i * down / up, counted on from where the last frame ended.
        places = np.arange(self._phase, len(samples) * self._up, self._down)
        following = int(places[-1]) + self._down if len(places) else self._phase
        self._phase = following - len(samples) * self._up
        windows = sliding_window_view(known, 2 * self._half)[places // self._up]
        resampled: Samples = np.einsum("ij,ij->i", windows, self._taps[places % self._up]).astype(np.float32)
        return resampled


def _taps(half: int, from_hz: int, lower_hz: int, phases: int) -> NDArray[np.float64]:
    """Give the filter for every fraction of an input sample: float64 (phases, 2 * half), each summing to 1."""
    fractions = np.arange(phases)[:, None] / phases
    # Tap j of a window that begins `half` samples before the output's place.
    distance = np.arange(2 * half)[None, :] - half - fractions
    cutoff = PASSBAND * lower_hz / from_hz
    window = np.i0(KAISER_BETA * np.sqrt(np.clip(1 - (distance / half) ** 2, 0, 1))) / np.i0(KAISER_BETA)
    taps = cutoff * np.sinc(cutoff * distance) * window
    return np.asarray(taps / taps.sum(axis=1, keepdims=True))
