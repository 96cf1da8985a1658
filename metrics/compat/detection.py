"""Speech segments exactly as Silero's own code finds them, for scorers that reproduce published numbers."""

from collections.abc import Sequence
from math import gcd, lcm

from metrics.compat.sinc import resample_sinc
from simulator.engines import engine
from simulator.engines.activity import SILERO, ActivitySettings, silero_segments
from simulator.frame import Samples
from simulator.sound.recordings import resample

DETECTOR_HZ = 16000
_LARGEST_KERNEL = 10_000_000

Segments = list[tuple[int, int]]
Spans = list[tuple[float, float]]


def detect(samples: Samples, settings: ActivitySettings = SILERO) -> Segments:
    """Give the speech in samples that are taken to be at 16 kHz: [start, end) each, in order."""
    found = silero_segments(engine("silero").probabilities(samples).tolist(), len(samples), settings)
    return [(segment.start, segment.end) for segment in found]


def at_detector_rate(samples: Samples, rate: int) -> Samples:
    """Resample to the detector's 16 kHz with the kernel of the originals.

    Rates with next to no common divisor with 16 kHz (44 101 Hz) would need a kernel of gigabytes: soxr takes
    those.
    """
    if lcm(rate, DETECTOR_HZ) // rate * (rate // gcd(rate, DETECTOR_HZ)) > _LARGEST_KERNEL:
        return resample(samples, rate, DETECTOR_HZ)
    return resample_sinc(samples, rate, DETECTOR_HZ)


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
