"""Activity: when somebody speaks.

Two rules over the same speech probabilities (Silero's, one for each 32 ms). `silero_segments` is the rule of
Silero's own code, to the sample: published scores are defined by it. `speech_segments` is ours: it keeps
short backchannels and moves both ends of every segment to the energy edge, because a detector that decides
every 32 ms is late by up to 100 ms.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Annotated, cast

import msgspec
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from simulator.engines import Detector, engine
from simulator.engines.energy_edges import HOP_S, HopPowers, refine
from simulator.engines.faint import speakers_own
from simulator.frame import Samples
from simulator.sound.highpass import above_rumble
from simulator.sound.loudness import active_level_dbfs
from simulator.timeline import Stretch, Timeline

__all__ = [
    "SENSITIVE",
    "SILERO",
    "ActivitySettings",
    "Resampled",
    "active_level_dbfs",
    "located",
    "silero_segments",
    "speech_segments",
]

CHUNK = 512
DETECTOR_HZ = 16000
_PER_MS = DETECTOR_HZ // 1000
_SUPPORT = 0.5
"""From this probability on the detector supports that faint sound near it is speech; breaths stay below."""
_SUPPORT_CHUNKS = 2
"""What is near, on either side: the detector is late by up to 100 ms."""


class ActivitySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How probabilities become segments; the defaults are those of Silero's own code."""

    threshold: Annotated[float, msgspec.Meta(gt=0, lt=1)] = 0.5
    negative_threshold: Annotated[float, msgspec.Meta(gt=0, lt=1)] = 0.35
    min_speech_ms: Annotated[int, msgspec.Meta(ge=0)] = 250
    min_silence_ms: Annotated[int, msgspec.Meta(ge=0)] = 100
    pad_ms: Annotated[int, msgspec.Meta(ge=0)] = 30


SILERO = ActivitySettings()
SENSITIVE = ActivitySettings(min_speech_ms=100, pad_ms=0)
"""What `speech_segments` uses: a "mm-hm" may be active for less than 250 ms, and edges come from energy."""


def silero_segments(
    probabilities: Sequence[float] | Samples, length: int, settings: ActivitySettings = SILERO, chunk: int = CHUNK
) -> list[Stretch]:
    """Give the segments that Silero's own code gives, in samples at 16 kHz: sorted, disjoint, maybe touching.

    probabilities: one for each chunk. length: of the recording, in samples at 16 kHz, as chunks are.

    A segment opens at a chunk that reaches the threshold. It closes where the probability first fell under
    the negative threshold, once `min_silence_ms` passed without reaching the threshold; the last one may stay
    open to the end. Those longer than `min_speech_ms` are kept and widened by `pad_ms`, or to the middle of a
    short gap.
    """
    return _padded(_unpadded(probabilities, length, settings, chunk), length, settings.pad_ms * _PER_MS)


def _unpadded(
    probabilities: Sequence[float] | Samples, length: int, settings: ActivitySettings, chunk: int
) -> list[Stretch]:
    found: list[Stretch] = []
    start: int | None = None
    fell: int | None = None
    for index, probability in enumerate(probabilities):
        now = index * chunk
        if probability >= settings.threshold:
            start, fell = now if start is None else start, None
        elif start is not None and probability < settings.negative_threshold:
            fell = now if fell is None else fell
            if now - fell >= settings.min_silence_ms * _PER_MS:
                found.append(Stretch(start, fell))
                start = fell = None
    if start is not None:
        found.append(Stretch(start, length))
    return [segment for segment in found if segment.length > settings.min_speech_ms * _PER_MS]


def _padded(segments: list[Stretch], length: int, pad: int) -> list[Stretch]:
    if not segments:
        return []
    margins = [min(pad, (after.start - before.end) // 2) for before, after in pairwise(segments)]
    return [
        Stretch(max(0, segment.start - before), min(length, segment.end + after))
        for segment, (before, after) in zip(segments, pairwise([pad, *margins, pad]), strict=True)
    ]


def speech_segments(
    samples: Samples | Iterable[Samples],
    sample_rate: int,
    *,
    settings: ActivitySettings = SENSITIVE,
    detector: Detector | None = None,
) -> Timeline:
    """Give where a recording holds speech, in samples at its own rate, both edges refined by energy.

    samples: float32 (n,), full scale 1.0, or an iterator of blocks of it, of any lengths; the result does not
    depend on the blocks. Memory grows by 5 MB for an hour of blocks. detector: Silero unless given.
    """
    stream = (detector or engine("silero")).stream()
    powers, probabilities = HopPowers(round(sample_rate * HOP_S)), list[float]()
    resampled = Resampled(sample_rate)
    for block in above_rumble([samples] if isinstance(samples, np.ndarray) else samples, sample_rate):
        powers.feed(block)
        probabilities += stream.feed(resampled.feed(block))
    last = resampled.finish()
    length = resampled.length
    probabilities += stream.feed(np.concatenate([last, np.zeros(-length % CHUNK, np.float32)]))
    return located(probabilities, length, powers, sample_rate, settings)


def located(
    probabilities: Sequence[float] | Samples,
    length: int,
    powers: HopPowers,
    sample_rate: int,
    settings: ActivitySettings,
    *,
    chunk: int = CHUNK,
) -> Timeline:
    """Give the segments that probabilities mean, in samples of the recording, both edges refined by energy.

    length: of the recording in samples at 16 kHz. powers: of the whole recording, at its own rate (Hz).
    """
    hop = round(sample_rate * HOP_S)
    scale = sample_rate / DETECTOR_HZ / hop
    levels = powers.finish()
    coarse = [
        Stretch(int(start * scale), min(len(levels), max(int(start * scale) + 1, int(end * scale))))
        for start, end in silero_segments(probabilities, length, settings, chunk)
    ]
    if not coarse:
        return Timeline()
    chunks = np.minimum((np.arange(len(levels)) / (scale * chunk)).astype(int), len(probabilities) - 1)
    own = list(speakers_own(coarse, levels, np.asarray(probabilities)[chunks]))
    refined = refine(own, levels, _supported(probabilities, _SUPPORT_CHUNKS * CHUNK // chunk)[chunks])
    return Timeline((start * hop, end * hop) for start, end in refined).crop(0, powers.length)


def _supported(probabilities: Sequence[float] | Samples, near: int) -> NDArray[np.bool_]:
    """Say of every chunk whether the detector takes one of those up to `near` places from it for speech."""
    padded = np.pad(np.asarray(probabilities), near)
    return cast(NDArray[np.bool_], sliding_window_view(padded, 2 * near + 1).max(axis=1) >= _SUPPORT)


class Resampled:
    """Blocks resampled to the detector's rate: together, the whole recording resampled, without delay."""

    def __init__(self, sample_rate: int) -> None:
        import soxr

        other = sample_rate != DETECTOR_HZ
        self._stream = soxr.ResampleStream(sample_rate, DETECTOR_HZ, 1) if other else None
        self.length = 0

    def feed(self, block: Samples, *, last: bool = False) -> Samples:
        """Take a block at the recording's rate, give what is ready at 16 kHz."""
        ready = self._stream.resample_chunk(block, last=last) if self._stream else block
        self.length += len(ready)
        return ready

    def finish(self) -> Samples:
        """Give the rest that was held back."""
        return self.feed(np.zeros(0, np.float32), last=True)
