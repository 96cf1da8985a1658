"""A party of a recorded session, said again: the recorded user against another agent."""

from collections.abc import Iterator
from pathlib import Path

from simulator.actor import ActorSpec, BlockActor, Context, Setting
from simulator.errors import ScenarioError, SessionError, located
from simulator.event_types.event_type import Kind, Move
from simulator.event_types.table import event_type, with_times
from simulator.events import Event, Party
from simulator.frame import AudioFrame, Samples, to_grid
from simulator.session import Session, read_session
from simulator.sound import recordings
from simulator.sound.streams import Outbox
from simulator.speaking.cues import NEVER
from simulator.traits import StepTraits


class ReplaySpec(ActorSpec, frozen=True, kw_only=True, tag="replay"):
    """Say again what a party said: `{kind: replay, session: runs/call/call-0}` or `{kind: replay, file: both.wav}`.

    session: a session folder; `party` says whose track (default: the side it plays). file and channel: any recording.
    The sound is said as it was, sample for sample at the same rate; known utterances come along as events. party: whose
    track of the session (default: the side it plays).
    """

    session: Path | None = None
    party: Party | None = None
    file: Path | None = None
    channel: int | None = None

    def __post_init__(self) -> None:
        if (self.session is None) == (self.file is None):
            raise ValueError("a replay has exactly one of session and file")

    def check(self, setting: Setting) -> None:
        """Refuse a folder that is no session, a file that cannot be played."""
        if self.file is not None:
            file = self.file
            located(f"{setting.where}.file", lambda: recordings.load(file, setting.sample_rate, channel=self.channel))
        try:
            if self.session is not None:
                read_session(self.session)
        except SessionError as error:
            raise ScenarioError(f"{setting.where}.session: {error}") from error

    def build(self) -> "Replay":
        """Make the actor."""
        return Replay(self)


class Replay(BlockActor):
    """Says a recorded track from its first sample on."""

    traits = StepTraits(on_grid=True)

    def __init__(self, spec: ReplaySpec) -> None:
        self._spec = spec
        self._outbox = Outbox()

    async def start(self, context: Context) -> None:
        """Load the track."""
        spec = self._spec
        if spec.file is not None:
            self._outbox.push(to_grid(recordings.load(spec.file, context.output_rate, channel=spec.channel)))
            return
        assert spec.session is not None
        session = read_session(spec.session)
        party = spec.party or context.party
        self._outbox.push(_track(session, party, context.output_rate))
        scale = context.output_rate / session.sample_rate

        def scaled(samples: int) -> int:
            return round(samples * scale)

        by: dict[Kind, Move] = {"said": scaled, "length": scaled, "samples": scaled}
        for event in _known(session, party):
            context.emit(scaled(event.at), event.type, **with_times(event.type, event.data, by))

    def hear(self, heard: AudioFrame) -> None:
        """Let it pass: a recording answers nobody."""

    def settled(self, now: int) -> int:
        """All of it is; but a block ends with the track, so that it is known when that was."""
        return now + self._outbox.buffered if self._outbox.buffered else NEVER

    def say(self, now: int, count: int) -> Samples:
        """Say the next recorded samples."""
        samples = self._outbox.take(count)
        self.done = not self._outbox.buffered
        return samples


def _track(session: Session, party: Party, sample_rate: int) -> Samples:
    return to_grid(recordings.resample(session.said(party), session.sample_rate, sample_rate))


def _known(session: Session, party: Party) -> Iterator[Event]:
    return (event for event in session.events if event.party == party and event_type(event.type).utterance)
