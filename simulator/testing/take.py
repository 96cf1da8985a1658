"""Takes: session folders of known conversations, made without actors, for tests of whatever reads sessions.

    take = Take(tmp_path / "take")
    take.say("user", 1.0, 2.0)                      # told, and a buzz on the user's track
    take.say("agent", 2.6, 4.0)
    session = take.annotated()

Speech is a steady buzz on digital silence, exact to the sample; what is told of it is said by the test.
"""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from simulator.annotation.annotate import annotate
from simulator.call.recording import Recorder
from simulator.events import Event, Party
from simulator.frame import Samples, silence
from simulator.score import Score
from simulator.scoring.scorer import ScorerSpec
from simulator.session import FORMAT, PartyMeta, Session, SessionMeta, read_session
from simulator.speech import PartySpeech, Segment

RATE = 16_000


class Take:
    """A conversation in the making, in a folder that is there when the session is written. Times are seconds.

    rate: Hz. length: samples. tracks: float32 (length,) per party. events: what is told. lines: as session.json
    says of them.
    """

    def __init__(self, folder: Path, duration: float = 20.0, rate: int = RATE) -> None:
        self.folder = folder
        self.rate = rate
        self.length = round(duration * rate)
        self.tracks = {"user": np.zeros(self.length, np.float32), "agent": np.zeros(self.length, np.float32)}
        self.events: list[Event] = []
        self.lines: dict[str, Any] = {}
        self.count = 0

    def at(self, seconds: float) -> int:
        """Seconds as samples."""
        return round(seconds * self.rate)

    def sound(self, party: Party, start: float, end: float, level: float = 0.1) -> None:
        """Put a buzz on a track; nothing is told of it."""
        first, last = self.at(start), self.at(end)
        self.add(party, first, buzz(last - first, self.rate) * np.float32(level))

    def add(self, party: Party, start: int, samples: Samples) -> None:
        """Put samples on a track at a sample."""
        room = self.tracks[party][start : start + len(samples)]
        room += samples[: len(room)]

    def say(
        self,
        party: Party,
        start: float,
        end: float,
        role: str = "turn",
        *,
        text: str = "some words",
        words: list[tuple[str, float]] | None = None,
        pauses: tuple[tuple[float, float], ...] = (),
        cut: bool = False,
        planned: float | None = None,
    ) -> str:
        """Say an utterance in [start, end) with silent pauses inside, and tell of it; gives its id."""
        edges = [start, *(edge for pause in pauses for edge in pause), end]
        for first, last in zip(edges[::2], edges[1::2], strict=True):
            self.sound(party, first, last)
        self.count += 1
        name = f"{party}-{self.count}"
        onsets = [("some", start), ("words", (start + end) / 2)] if words is None else words
        self.note(
            start,
            "speech_start",
            party,
            id=name,
            role=role,
            text=text,
            planned_samples=self.at((planned or end) - start),
            words=[[word, self.at(onset)] for word, onset in onsets],
        )
        self.note(end, "speech_end", party, id=name, said_samples=self.at(end - start), cut=cut)
        return name

    def note(self, at: float, type_: str, party: str, **data: Any) -> None:
        """Write an event."""
        self.events.append(Event(self.at(at), type_, party, data))  # type: ignore[arg-type]

    def session(self) -> Session:
        """Write the folder and read it."""
        meta = SessionMeta(
            format=FORMAT,
            id=self.folder.name,
            scenario="take",
            sample_rate=self.rate,
            frame_ms=20,
            parties={"user": PartyMeta(kind="scripted"), "agent": PartyMeta(kind="scripted")},
            lines=self.lines,
        )
        recorder = Recorder(self.folder, meta, "name: take\n", heard=False)
        recorder.add(self.tracks["user"], self.tracks["agent"], silence(self.length), silence(self.length))
        recorder.add_events(sorted(self.events, key=lambda event: event.at))
        recorder.close("completed")
        return read_session(self.folder)

    def annotated(self) -> Session:
        """Write, read and annotate, without recognition."""
        session = self.session()
        return session.with_speech(annotate(session, words=False))


def heard(session: Session, party: Party, *spans: tuple[float, float]) -> Session:
    """Let a party's speech be what a detector heard, in seconds: nobody told anything of it."""
    segments = tuple(
        Segment(start=round(start * session.sample_rate), end=round(end * session.sample_rate), source="vad")
        for start, end in spans
    )
    return session.with_speech(msgspec.structs.replace(session.speech, **{party: PartySpeech(segments=segments)}))


def buzz(count: int, rate: int) -> Samples:
    """A buzz of full scale: float32 (count,), audible in every 10 ms."""
    return np.sign(np.sin(2 * np.pi * 150 * (np.arange(count) + 0.5) / rate)).astype(np.float32)


def scored(spec: ScorerSpec, session: Session) -> dict[str, Score]:
    """Score a session and give the scores by metric, the scorer's name left out."""
    return {score.id.split(".", 1)[1]: score for score in spec.build().score(session)}
