"""Resampling by a windowed sinc, with the constants that torchaudio's default has.

Scorers that reproduce numbers found behind that resampler use it: another one (soxr) moves a detected edge by
a whole chunk now and then. Everything else in the project resamples with soxr.
"""

from functools import lru_cache
from math import ceil, gcd

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from simulator.frame import Samples

ZERO_CROSSINGS = 6
ROLLOFF = 0.99
_BLOCK = 8192


def resample_sinc(samples: Samples, from_hz: int, to_hz: int) -> Samples:
    """Resample a whole signal, float32 (n,) -> (ceil(n * to / from),).

    A sinc low-pass at 0.99 of the lower Nyquist rate, 6 zero crossings wide, under a Hann window (cos
    squared).
    """
    if from_hz == to_hz:
        return samples
    step, phases = from_hz // gcd(from_hz, to_hz), to_hz // gcd(from_hz, to_hz)
    taps, width = _kernel(step, phases)
    padded = np.pad(samples.astype(np.float32, copy=False), (width, width + step))
    frames = sliding_window_view(padded, taps.shape[0])[::step]
    parts = [frames[start : start + _BLOCK] @ taps for start in range(0, len(frames), _BLOCK)]
    resampled: Samples = np.concatenate(parts).reshape(-1)
    return resampled[: ceil(phases * len(samples) / step)]


@lru_cache(maxsize=16)
def _kernel(step: int, phases: int) -> tuple[Samples, int]:
    """Give the taps, float32 (2 * width + step, phases), and how far they reach back."""
    base = min(step, phases) * ROLLOFF
    width = ceil(ZERO_CROSSINGS * step / base)
    place = np.arange(-width, width + step, dtype=np.float64)[:, None] / step
    phase = np.arange(phases, dtype=np.float64)[None, :] / phases
    time = np.clip((place - phase) * base, -ZERO_CROSSINGS, ZERO_CROSSINGS)
    window = np.cos(np.pi * time / (2 * ZERO_CROSSINGS)) ** 2
    return np.ascontiguousarray(np.sinc(time) * window * (base / step), np.float32), width
