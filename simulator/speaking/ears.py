"""Ears: is the other speaking, since when, and when did it last stop.

`level` compares a frame's energy with the nominal level and costs next to nothing; it is right where the line is
clean. `silero` asks a neural detector and is right in noise. Both keep one Activity, which cues and turn-based actors
read. Times are samples of the stream that is heard.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import numpy as np
from msgspec import Meta

from simulator.engines import SpeechStream, engine
from simulator.engines.kinds import EngineSpec
from simulator.floor.ipus import IPU_S
from simulator.frame import AudioFrame, Samples, energies, silence
from simulator.plugins import Kind

NOMINAL_DBFS = -26.0
"""The active speech level (ITU-T P.56) that everything synthesised or played is scaled to."""

LEVEL_MARGIN_DB = 24.0
"""A frame within this distance below the nominal level counts as speech: weak syllables do, room noise does not."""


class Activity:
    """One speaker's activity, updated frame by frame.

    speaking: whether the current stretch goes on (gaps under 200 ms are bridged). since: first sample of the current
    or last stretch. last_end: one past the last sample with sound. stretches: how many there have been. until: one past
    the last sample that was judged; whatever begins later begins there or behind it.
    """

    __slots__ = ("_bridge", "last_end", "since", "speaking", "stretches", "until")

    def __init__(self, sample_rate: int, bridge_s: float = IPU_S) -> None:
        self._bridge = round(bridge_s * sample_rate)
        self.speaking = False
        self.since = 0
        self.last_end = 0
        self.stretches = 0
        self.until = 0

    def update(self, start: int, end: int, sounding: bool) -> None:
        """Take note that [start, end) held speech or did not."""
        self.until = end
        if sounding:
            if not self.speaking:
                self.speaking = True
                self.since = start
                self.stretches += 1
            self.last_end = end
        elif self.speaking and end - self.last_end >= self._bridge:
            self.speaking = False


class Ears(Protocol):
    """Keeps an Activity of what is heard."""

    activity: Activity

    def hear(self, frame: AudioFrame) -> None:
        """Take the next frame."""
        ...

    def hear_block(self, block: AudioFrame, count: int) -> None:
        """Take the next frames of `count` samples at once; the same activity as frame by frame."""
        ...

    def hear_frames(self, block: AudioFrame, count: int) -> Iterator[AudioFrame]:
        """Take the next frames of `count` samples; gives each when the activity is what it is after that frame."""
        ...


class LevelEars:
    """Ears that compare a frame's energy with the nominal level."""

    def __init__(self, sample_rate: int, margin_db: float = LEVEL_MARGIN_DB) -> None:
        self.activity = Activity(sample_rate)
        self._power = 10 ** ((NOMINAL_DBFS - margin_db) / 10)

    def hear(self, frame: AudioFrame) -> None:
        """Take the next frame; digital silence (the shared array) costs one comparison."""
        samples = frame.samples
        count = len(samples)
        sounding = samples is not silence(count) and bool(np.dot(samples, samples) > np.float32(self._power * count))
        self.activity.update(frame.start, frame.start + count, sounding)

    def hear_block(self, block: AudioFrame, count: int) -> None:
        """Take the next frames of `count` samples at once; the same activity as frame by frame."""
        start, samples = block.start, block.samples
        if samples is silence(len(samples)):
            self.activity.update(start, start + len(samples), False)
            return
        loud = (energies(samples, count) > np.float32(self._power * count)).tolist()
        # Runs of equal frames are one long frame: nothing begins or ends inside.
        first = 0
        for index in range(1, len(loud)):
            if loud[index] != loud[first]:
                self.activity.update(start + first * count, start + index * count, loud[first])
                first = index
        self.activity.update(start + first * count, start + len(samples), loud[first])

    def hear_frames(self, block: AudioFrame, count: int) -> Iterator[AudioFrame]:
        """Take the next frames of `count` samples; gives each when the activity is what it is after that frame."""
        for frame in _frames(block, count):
            self.hear(frame)
            yield frame


class SileroEars:
    """Ears that ask silero, 32 ms at a time, on a copy resampled to 16 kHz.

    A chunk counts as speech from probability `threshold` and goes on doing so down to `still`: silero's own two are 0.5
    and 0.35.
    Times point at the chunk that held the speech, not at the later moment when the detector knew.
    """

    CHUNK = 512
    RATE = 16_000

    def __init__(self, sample_rate: int, threshold: float = 0.5, still: float = 0.35) -> None:
        self.activity = Activity(sample_rate)
        self._threshold, self._still = threshold, still
        self._rate = sample_rate
        self._stream: SpeechStream | None = None
        self._resampler = _stream_resampler(sample_rate, self.RATE)
        self._origin: int | None = None
        self._given = self._chunks = 0
        self._sounding = False

    def warm(self) -> None:
        """Load the detector now, not with the first frame."""
        self._stream = engine("silero").stream()

    def hear(self, frame: AudioFrame) -> None:
        """Take the next frame; the detector runs on every chunk that it completes."""
        for _ in self.hear_frames(frame, len(frame.samples)):
            pass

    def hear_block(self, block: AudioFrame, count: int) -> None:
        """Take the next frames at once: resampler and detector have grids of their own, whatever they are handed."""
        self.hear(block)

    def hear_frames(self, block: AudioFrame, count: int) -> Iterator[AudioFrame]:
        """Take the next frames of `count` samples; gives each when the activity is what it is after that frame.

        The resampler takes them one by one, which says what is known after each; the detector hears all at once, in
        half the time.
        """
        if self._origin is None:
            self._origin = block.start
        if self._stream is None:
            self.warm()
        frames = list(_frames(block, count))
        given = [self._resampler(frame.samples) for frame in frames]
        found = iter(self._stream.feed(np.concatenate(given)))  # type: ignore[union-attr]
        for frame, samples in zip(frames, given, strict=True):
            self._given += len(samples)
            for _ in range(self._given // self.CHUNK - self._chunks):
                self._judge(next(found), self._origin)
            yield frame

    def _judge(self, probability: float, origin: int) -> None:
        """Take note of the next chunk. origin: where the first one began."""
        self._sounding = probability >= (self._still if self._sounding else self._threshold)
        start = origin + self._chunks * self.CHUNK * self._rate // self.RATE
        self._chunks += 1
        end = origin + self._chunks * self.CHUNK * self._rate // self.RATE
        self.activity.update(start, end, self._sounding)


def _frames(block: AudioFrame, count: int) -> Iterator[AudioFrame]:
    if len(block.samples) == count:
        yield block  # as it is: silence is known by its array
        return
    for first in range(0, len(block.samples), count):
        yield AudioFrame(block.start + first, block.samples[first : first + count])


def _stream_resampler(from_hz: int, to_hz: int) -> Any:
    if from_hz == to_hz:
        return lambda samples: samples
    import soxr

    # LQ: its delay is 20 ms, half of HQ's, and a detector does not hear the difference to HQ.
    stream = soxr.ResampleStream(from_hz, to_hz, 1, dtype="float32", quality="LQ")

    def resample(samples: Samples) -> Samples:
        return stream.resample_chunk(samples)  # type: ignore[no-any-return]

    return resample


class EarsSpec(EngineSpec, frozen=True, kw_only=True, omit_defaults=True):
    """What every kind of ears does: make those of one party in one session."""

    def build(self, sample_rate: int) -> Ears:
        """Make them. sample_rate: Hz, of what is heard."""
        raise NotImplementedError


class LevelEarsSpec(EarsSpec, frozen=True, kw_only=True, tag="level", omit_defaults=True):
    """Ears that go by energy: `ears: level`. margin_db: how far under the nominal level is still speech."""

    margin_db: Annotated[float, Meta(gt=0, le=60)] = LEVEL_MARGIN_DB

    def build(self, sample_rate: int) -> LevelEars:
        """Make them."""
        return LevelEars(sample_rate, self.margin_db)


class SileroEarsSpec(EarsSpec, frozen=True, kw_only=True, tag="silero", omit_defaults=True):
    """Ears that ask a neural detector: `ears: silero`.

    threshold: the probability at which speech begins. still: the one under which it ends.
    """

    threshold: Annotated[float, Meta(ge=0, le=1)] = 0.5
    still: Annotated[float, Meta(ge=0, le=1)] = 0.35

    def __post_init__(self) -> None:
        if self.still > self.threshold:
            raise ValueError(f"still is {self.still:g}; it must not be above threshold, {self.threshold:g}")

    def build(self, sample_rate: int) -> SileroEars:
        """Make them."""
        return SileroEars(sample_rate, self.threshold, self.still)


if TYPE_CHECKING:
    AnyEars = EarsSpec
else:

    class AnyEars(Kind):
        """The spec of any installed kind of ears."""

        group = "ears"
        spec = EarsSpec


def make_ears(spec: EarsSpec | None, sample_rate: int, *, noisy: bool) -> Ears:
    """Make the ears a spec asks for; by default silero where the line is impaired (`noisy`), else level."""
    return (spec or (SileroEarsSpec() if noisy else LevelEarsSpec())).build(sample_rate)
