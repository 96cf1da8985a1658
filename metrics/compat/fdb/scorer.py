"""What the Full-Duplex-Bench scorers share: options, words of a sample, and sessions of ours as samples."""

from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path

import msgspec
import numpy as np

from metrics.compat.as_scorer import AsScorer
from metrics.compat.detection import Segments, at_detector_rate, detect, to_samples
from metrics.compat.fdb.samples import FdbSample, Words, as_words, disorder
from metrics.compat.fdb.sessions import SessionSample, whole
from metrics.compat.measured import Measured
from metrics.compat.options import SegmentSides, TextSides, read_segments, read_texts
from simulator.annotation.detect import Track
from simulator.annotation.detect import detect as detect_speech
from simulator.annotation.transcribe import own_words, sounded
from simulator.engines.activity import DETECTOR_HZ
from simulator.errors import SessionError
from simulator.events import Party
from simulator.frame import Samples
from simulator.score import Evidence, add_parts
from simulator.scoring.channel_tally import SILENT_DBFS
from simulator.scoring.inputs import Input
from simulator.scoring.judge import Judge
from simulator.session import Session
from simulator.speech import Segment, SpokenWord
from simulator.timeline import Timeline

_SOUND: dict[Party, str] = {"user": "input.wav", "agent": "output.wav"}


class FdbGiven(msgspec.Struct, frozen=True, kw_only=True):
    """What the options give: segments and texts by sample id, a judge, its instruction, a reference."""

    segments: dict[str, SegmentSides] = {}
    texts: dict[str, TextSides] = {}
    judge: Judge | None = None
    instruction: str | None = None
    reference: dict[str, list[float]] | None = None


class OpenSample(msgspec.Struct, kw_only=True):
    """A sample under measurement: its id, its files, what the options give, and what was measured so far.

    in_root: found inside a dataset root, not named itself on the command line.
    """

    id: str
    files: FdbSample
    given: FdbGiven
    measured: Measured
    folder_name: str
    in_root: bool = False

    def words(self, name: str = "output.json") -> Words:
        """Give a word file's words, or recognise them when only the sound is there; oddities are noted."""
        if name in self.files.files:
            words = self.files.words(name)
            self.measured.notes += [f"{name}: {odd}" for odd in disorder(words)]
            return words
        sound = name.removesuffix(".json") + ".wav"
        if sound not in self.files.files:
            raise SessionError(f"{name}: missing")
        self.measured.notes.append(f"{name}: missing; words recognised in {sound}")
        texts = self.given.texts.get(self.id, TextSides())
        return recognised(
            self.files,
            sound,
            spans=self._given_spans("agent") if name == "output.json" else None,
            texts=texts.agent if name == "output.json" else texts.user if name == "input.json" else None,
        )

    def segments(self, party: Party) -> tuple[Segments, list[tuple[float, float]]]:
        """Give a party's speech, from segments=FILE or detected: as samples at 16 kHz, and in seconds."""
        spans = self._given_spans(party)
        if spans is not None:
            return to_samples(spans), spans
        samples, rate = self.mono(_SOUND[party])
        found = detect(at_detector_rate(samples, rate))
        return found, [(start / DETECTOR_HZ, end / DETECTOR_HZ) for start, end in found]

    def mono(self, name: str) -> tuple[Samples, int]:
        """Give a mono sound file of the sample and its rate; silence is noted: a silent agent is a result."""
        samples, rate = self.files.mono(name)
        if float(np.max(np.abs(samples))) < 10 ** (SILENT_DBFS / 20):
            self.measured.notes.append(f"{name}: is silent")
        return samples, rate

    def _given_spans(self, party: Party) -> list[tuple[float, float]] | None:
        sides = self.given.segments.get(self.id, SegmentSides())
        return sides.agent if party == "agent" else sides.user


class FdbScorer(AsScorer, frozen=True, kw_only=True):
    """A scorer over Full-Duplex-Bench samples; a session of ours is measured as the samples it holds.

    `measure_sample` fills `sample.measured`. segments, texts: files given instead of detection and recognition.
    """

    segments: Path | None = None
    texts: Path | None = None

    def prepare(self) -> FdbGiven:
        """Read segments=FILE and texts=FILE."""
        return FdbGiven(segments=read_segments(self.segments), texts=read_texts(self.texts))

    def measure_sample(self, sample: OpenSample) -> None:
        """Measure one sample; SessionError when it cannot be used."""
        raise NotImplementedError

    def samples_of(self, session: Session) -> Sequence[SessionSample]:
        """Give the samples a session holds for this task."""
        return whole(session)

    def measure(self, item: Input, given: FdbGiven) -> Measured:
        """Measure one sample folder."""
        sample = OpenSample(
            id=item.id,
            files=FdbSample(item.path, item.files),
            given=given,
            measured=Measured(),
            folder_name=item.path.name,
            in_root=item.path != item.root,
        )
        return self._measured_sample(sample)

    def measure_session(self, session: Session, given: FdbGiven) -> Measured:
        """Measure every sample that a session holds, and join what was found."""
        found: list[Measured] = []
        folder_name = Path(str(session.meta.sample.get("id", session.id))).name
        for files in self.samples_of(session):
            measured = Measured(sample_rate=session.sample_rate)
            sample = OpenSample(id=session.id, files=files, given=given, measured=measured, folder_name=folder_name)
            try:
                self.measure_sample(sample)
            except SessionError as error:
                sample.measured.notes.append(str(error))
                sample.measured.undefined([column.id for column in self.table], str(error))
            found.append(sample.measured)
        if not found:
            reason = f"nothing in the session that {self.name} asks about"
            return Measured(notes=[reason], reasons={column.parts_of: reason for column in self.table})
        joined = found[0] if len(found) == 1 else _joined(found)
        joined.notes[:0] = session.notes
        return joined

    def _measured_sample(self, sample: OpenSample) -> Measured:
        """Measure a sample; one that cannot be used keeps its notes and a judge's replies."""
        try:
            self.measure_sample(sample)
        except SessionError as error:
            sample.measured.notes.append(str(error))
            sample.measured.undefined([column.parts_of for column in self.table], str(error))
            sample.measured.skipped = not sample.measured.parts
        return sample.measured


def _joined(found: Sequence[Measured]) -> Measured:
    """Join the measurements of several events of one session; what is shown of each becomes a list."""
    metrics = dict.fromkeys(metric for item in found for metric in item.parts)
    shown = dict.fromkeys(name for item in found for name in item.shown)
    return Measured(
        parts={name: add_parts([item.parts[name] for item in found if name in item.parts]) for name in metrics},
        shown={name: [item.shown.get(name) for item in found] for name in shown},
        notes=list(dict.fromkeys(note for item in found for note in item.notes)),
        lines=[line for item in found for line in item.lines],
        evidence=_gathered([item.evidence for item in found]),
        reasons={name: reason for item in reversed(found) for name, reason in item.reasons.items()},
        sentinels=set.intersection(*(item.sentinels for item in found)),
    )


def _gathered(found: Sequence[Mapping[str, list[Evidence]]]) -> dict[str, list[Evidence]]:
    return {name: [place for item in found for place in item.get(name, ())] for name in dict.fromkeys(chain(*found))}


def recognised(
    sample: FdbSample, sound: str, *, spans: Sequence[tuple[float, float]] | None, texts: Sequence[str] | None
) -> Words:
    """Recognise the words of a sound file of a sample (its first channel) whose word file is missing.

    spans: stretches of speech in seconds instead of detection. texts: their texts, in order, instead of
    recognition.
    """
    track = Session.of_recording(sample.folder / sound, user_channel=0, agent_channel=0)
    speech = _spoken(track, spans)
    # All that was recognised, credible or not: the original filters nothing.
    words = (
        [word for item in sounded(track, "agent", speech) for word in item.words]
        if texts is None
        else _told_words(track, speech, texts)
    )
    second = track.seconds
    return as_words([(word.text, second(word.start), second(word.end)) for word in words])


def _spoken(track: Session, spans: Sequence[tuple[float, float]] | None) -> Timeline:
    if spans is None:
        return detect_speech([Track(session=track, party="agent")])[0]
    rate = track.sample_rate
    return Timeline((round(start * rate), round(end * rate)) for start, end in spans)


def _told_words(track: Session, speech: Timeline, texts: Sequence[str]) -> list[SpokenWord]:
    words: list[SpokenWord] = []
    for index, (stretch, text) in enumerate(zip(speech, texts, strict=False)):
        segment = Segment(start=stretch.start, end=stretch.end, source="asr", id=str(index), text=text)
        words += own_words(track, "agent", segment, text)
    return words
