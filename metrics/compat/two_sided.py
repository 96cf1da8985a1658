"""Recordings of two sides as foreign definitions see them: stretches of speech per side, and the length.

Stretches come from Silero at 16 kHz with the definition's own settings, or from a file of segments instead.
The audio is read, resampled and heard in blocks, so memory does not grow with the recording.
"""

from collections.abc import Iterator, Mapping, Sequence
from math import gcd
from pathlib import Path
from typing import Annotated, Any, ClassVar, NamedTuple

import msgspec
import numpy as np

from metrics.compat.as_scorer import AsScorer
from metrics.compat.detection import at_detector_rate, has_kernel
from metrics.compat.measured import Measured, skipped
from metrics.compat.options import SegmentSides, read_segments
from simulator.engines import Detector, engine
from simulator.engines.activity import CHUNK, DETECTOR_HZ, SILERO, ActivitySettings, silero_segments
from simulator.errors import ScenarioError, SessionError
from simulator.events import PARTIES, Party
from simulator.frame import Samples
from simulator.scoring.inputs import Input, InputKind, open_session
from simulator.session import Session
from simulator.sound.recordings import resample

Stretch = tuple[float, float]
_BLOCK_S = 30


class TwoSided(NamedTuple):
    """One recording: stretches of speech of both sides and its length, in seconds, what was wrong, its rate (Hz)."""

    name: str
    user: tuple[Stretch, ...]
    agent: tuple[Stretch, ...]
    length_s: float
    notes: tuple[str, ...] = ()
    sample_rate: int = DETECTOR_HZ


class SpeechFinder(NamedTuple):
    """How stretches of speech are found: the detector's settings, or the segments of a file by sample id."""

    settings: ActivitySettings = SILERO
    segments: Mapping[str, SegmentSides] = {}
    user_channel: int = 0

    def hear(self, session: Session, name: str) -> TwoSided:
        """Find both sides' speech in a session; `name` is its id in the file of segments."""
        given = self.segments.get(name, SegmentSides())
        sides = {party: self.side(session, party, getattr(given, party)) for party in PARTIES}
        silent = [f"no speech of the {party} was found" for party in PARTIES if not sides[party]]
        return TwoSided(
            name,
            sides["user"],
            sides["agent"],
            session.seconds(session.duration),
            (*session.notes, *silent),
            session.sample_rate,
        )

    def hear_input(self, item: Input) -> TwoSided:
        """Find both sides' speech in a session folder or a stereo file; SessionError when unreadable."""
        return self.hear(open_session(item, self.user_channel), item.id)

    def side(self, session: Session, party: Party, given: Sequence[Stretch] | None) -> tuple[Stretch, ...]:
        """Find one side's speech, or take what is given instead."""
        if given is not None:
            return tuple(sorted(stretch for stretch in given if stretch[0] < stretch[1]))
        return tuple(detect(session, party, self.settings))


def detect(session: Session, party: Party, settings: ActivitySettings = SILERO) -> list[Stretch]:
    """Give the stretches of a party's speech, in seconds."""
    detector: Detector = engine("silero")
    stream = detector.stream()
    probabilities: list[float] = []
    length = 0
    for block in _blocks_at_detector_rate(session, party):
        probabilities += stream.feed(block)
        length += len(block)
    probabilities += stream.feed(np.zeros(-length % CHUNK, np.float32))
    return [(start / DETECTOR_HZ, end / DETECTOR_HZ) for start, end in silero_segments(probabilities, length, settings)]


def _blocks_at_detector_rate(session: Session, party: Party) -> Iterator[Samples]:
    """Read a channel in blocks at 16 kHz, with the originals' resampler; together as if resampled whole."""
    rate = session.sample_rate
    step = rate // gcd(rate, DETECTOR_HZ)
    phases = DETECTOR_HZ // gcd(rate, DETECTOR_HZ)
    if not has_kernel(rate):
        yield resample(session.said(party), rate, DETECTOR_HZ)
        return
    # Blocks start where an output sample falls on an input sample, and hear enough around for the filter.
    block = step * max(1, _BLOCK_S * rate // step)
    margin = step * max(1, rate // 10 // step)
    for start in range(0, session.duration, block):
        before = min(start, margin)
        samples = at_detector_rate(session.said(party, start - before, start + block + margin), rate)
        first = before // step * phases
        last = None if start + block >= session.duration else first + block // step * phases
        yield samples[first:last]


class FromTwoSides(AsScorer, frozen=True, kw_only=True):
    """A scorer that measures a recording by when each side spoke, and by nothing else.

    segments: stretches of speech instead of detection. user_channel: the user's channel of a stereo file. The
    detector's `settings` may be its own.
    """

    segments: Path | None = None
    user_channel: Annotated[int, msgspec.Meta(ge=0, le=1)] = 0

    settings: ClassVar[ActivitySettings] = SILERO
    needs_words: ClassVar[bool] = False
    accepts: ClassVar[tuple[InputKind, ...]] = ("session", "wav")

    def read_options(self) -> Any:
        """Read what further options name, once, before any recording."""

    def measure_heard(self, heard: TwoSided, options: Any) -> Measured:
        """Measure one recording; `options` is what `read_options` gave."""
        raise NotImplementedError

    def prepare(self) -> tuple[SpeechFinder, Any]:
        """Read what the options name; ScenarioError when it cannot work."""
        return SpeechFinder(self.settings, read_segments(self.segments), self.user_channel), self.read_options()

    def measure_session(self, session: Session, given: tuple[SpeechFinder, Any]) -> Measured:
        """Measure one session of ours."""
        return self.measure_heard(given[0].hear(session, session.id), given[1])

    def measure_each(self, item: Input, given: tuple[SpeechFinder, Any]) -> Sequence[tuple[str, Measured]]:
        """Measure a session or a stereo file; no annotation is needed."""
        try:
            return [(item.id, self.measure_heard(given[0].hear_input(item), given[1]))]
        except (SessionError, ScenarioError) as error:
            return [(item.id, skipped(self.table, str(error)))]
