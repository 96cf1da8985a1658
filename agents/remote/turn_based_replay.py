"""A turn-based party's recorded messages, played again: each reply where it was said, each stop where it happened."""

from typing import Any, Protocol, runtime_checkable

from agents.remote.trace import Trace, Tracer, TraceRecord
from simulator.actor import Actor, ActorSpec, Context, Setting
from simulator.frame import AudioFrame, to_grid
from simulator.sound import recordings
from simulator.speaking.dialogue import Reply
from simulator.speaking.voice import DEFAULT_VOICES, PreparedSpeech, Voice, line_of, spoken
from simulator.traits import StepTraits

STOPPED = "stopped"
"""The trace's word for the moment when the actor yielded."""


class TraceReader(Protocol):
    """What a remote responder's spec gives for replays: its core, without the network."""

    def read(self, record: TraceRecord) -> Reply | None:
        """Give the reply that a message made, if it made one."""
        ...


@runtime_checkable
class TracedResponder(Protocol):
    """A responder's spec whose far end's messages can be read again from a trace."""

    def reader(self) -> TraceReader:
        """Make what reads them."""
        ...


@runtime_checkable
class AnsweringAhead(Protocol):
    """A responder's spec that can answer before the session, and so builds an actor of its own."""

    def check_offline(self, setting: Setting) -> None:
        """Refuse a setting in which what it would be asked is not known before. ScenarioError."""
        ...

    def build_offline(self, spec: ActorSpec, recorded: Trace | None = None) -> Actor:
        """Make the actor, or one that plays its trace."""
        ...


class TurnBasedReplay(Actor):
    """Says by time what was said at the recording; what it hears changes nothing."""

    traits = StepTraits(on_grid=True)

    def __init__(self, spec: Any, reader: TraceReader, trace: Trace) -> None:
        self._spec = spec
        self._reader = reader
        self._records = [record for record in trace.records if record.dir != "heard"]
        self._next = 0

    async def start(self, context: Context) -> None:
        """Prepare the opening."""
        self._context = context
        spec, rate = self._spec, context.output_rate
        self._voice = Voice(context.emit, f"{context.party}-", rate)
        self._opening_at = spec.opening_at.samples(rate) if spec.opening else None

    def step(self, heard: AudioFrame) -> AudioFrame:
        """Act on the messages of this step, say what is due."""
        count = self._context.output_samples
        now = (heard.start + len(heard.samples)) * self._context.output_rate // self._context.input_rate
        self._act(now)
        if self._opening_at is not None and now >= self._opening_at:
            self._opening_at = None
            self._voice.say(self._spoken(self._spec.opening))
        return AudioFrame(now, self._voice.take(now, count))

    async def close(self) -> None:
        """Account for what the end of the session cuts off."""
        if hasattr(self, "_voice"):
            self._voice.close()

    def _act(self, now: int) -> None:
        while self._next < len(self._records) and self._records[self._next].at <= now:
            record = self._records[self._next]
            self._next += 1
            if (record.dir, record.type) == ("sent", STOPPED):
                said = self._voice.stop()
                self._context.emit(now, "yielded", said_text=said)
            elif (reply := self._reader.read(record)) is not None:
                self._say(reply, now)

    def _say(self, reply: Reply, now: int) -> None:
        for type_, fields in reply.events:
            self._context.emit(now, type_, **{name: fields[name] for name in fields if name != "at"})
        line = line_said(reply, self._context.output_rate)
        if line is None and reply.text.strip():
            line = self._spoken(reply.text)
        if line is not None:
            self._voice.say(line)

    def _spoken(self, text: str) -> PreparedSpeech:
        speaker = self._spec.voice or DEFAULT_VOICES[self._context.party]
        return spoken(text, speaker, self._context.output_rate, words_per_minute=self._spec.words_per_minute)


def line_said(piece: Reply, sample_rate: int) -> PreparedSpeech | None:
    """Make a line of a reply's own sound, at its own level; None when it has only text."""
    if piece.samples is None:
        return None
    samples = recordings.resample(piece.samples, piece.sample_rate, sample_rate)
    return line_of(piece.text, to_grid(samples))


def trace_heard(tracer: Tracer, heard: AudioFrame) -> None:
    """Note what a step heard; the silence before the session is not part of it."""
    at = heard.start + len(heard.samples)
    if heard.start >= 0:
        tracer.heard(heard.samples, at)
    else:
        tracer.at = at
