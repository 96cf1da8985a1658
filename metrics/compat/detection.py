"""Speech segments exactly as Silero's own code finds them, for scorers that reproduce published numbers.

Sound comes to the detector's rate by a windowed sinc with the constants of torchaudio's default: numbers found behind
that resampler need it, as another one (soxr) moves a detected edge by a whole chunk now and then. Everything else in
the project resamples with soxr.
"""

from collections.abc import Sequence
from functools import lru_cache
from math import ceil, gcd

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from simulator.engines import engine
from simulator.engines.activity import DETECTOR_HZ, SILERO, ActivitySettings, silero_segments
from simulator.frame import Samples
from simulator.sound.recordings import resample

ZERO_CROSSINGS = 6
ROLLOFF = 0.99
_BLOCK = 8192
_LARGEST_KERNEL = 10_000_000
"""Taps above which soxr resamples instead: a rate with next to no divisor in common with 16 kHz (44 101 Hz) would need
a kernel of gigabytes."""

Segments = list[tuple[int, int]]
Spans = list[tuple[float, float]]


def detect(samples: Samples, settings: ActivitySettings = SILERO) -> Segments:
    """Give the speech in samples that are taken to be at 16 kHz: [start, end) each, in order."""
    found = silero_segments(engine("silero").probabilities(samples).tolist(), len(samples), settings)
    return [(segment.start, segment.end) for segment in found]


def at_detector_rate(samples: Samples, rate: int) -> Samples:
    """Resample to the detector's 16 kHz with the kernel of the originals, float32 (n,); soxr where it is too large."""
    if has_kernel(rate):
        return resample_sinc(samples, rate, DETECTOR_HZ)
    return resample(samples, rate, DETECTOR_HZ)


def has_kernel(rate: int) -> bool:
    """Whether the originals' kernel from this rate (Hz) to the detector's can be made."""
    shared = gcd(rate, DETECTOR_HZ)
    return (rate // shared) * (DETECTOR_HZ // shared) <= _LARGEST_KERNEL


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


def to_seconds(segments: Sequence[tuple[int, int]]) -> Spans:
    """Give segments at 16 kHz in seconds."""
    return [(start / DETECTOR_HZ, end / DETECTOR_HZ) for start, end in segments]


def to_samples(spans: Sequence[tuple[float, float]]) -> Segments:
    """Give spans in seconds as samples at 16 kHz, rounded."""
    return [(round(start * DETECTOR_HZ), round(end * DETECTOR_HZ)) for start, end in spans]


def merge(spans: Sequence[tuple[float, float]], gap_s: float) -> Spans:
    """Join spans whose distance is at most `gap_s` seconds, on raw floats; sorted first."""
    merged: Spans = []
    for start, end in sorted(spans):
        if merged and start - merged[-1][1] <= gap_s:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged
