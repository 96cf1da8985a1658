"""A peer's recorded messages, handed to its core again in the steps in which they were acted on."""

from agents.remote.peer import LOST
from agents.remote.peer_core import Core, Note, deliver, said_at
from agents.remote.trace import Trace
from simulator.actor import Actor, Context
from simulator.errors import RemoteError
from simulator.frame import AudioFrame
from simulator.traits import StepTraits


class PeerReplay(Actor):
    """Says what the core made of the recorded messages; what the core sends goes nowhere."""

    def __init__(self, core: Core, trace: Trace) -> None:
        self.traits = StepTraits(format=core.format)
        self._core = core
        self._records = trace.received()
        self._next = 0

    async def start(self, context: Context) -> None:
        """Go through the handshake."""
        self._context = context
        self._core.begin(context.party, noisy=context.line_has_channels, world=context.world)
        self._receive(-1, after_heard=True)

    def step(self, heard: AudioFrame) -> AudioFrame:
        """Act on the messages of this step, say what is due."""
        at = said_at(heard, self._context.output_samples)
        self._receive(at, after_heard=False)
        if heard.start >= 0:
            self._core.hear(heard.samples, at)
        self._receive(at, after_heard=True)
        samples = self._core.say(self._context.output_samples, at)
        self._perform()
        self.done = self._core.done
        return AudioFrame(at, samples)

    async def close(self) -> None:
        """Nothing to let go of."""

    def _receive(self, at: int, *, after_heard: bool) -> None:
        """Act on the messages up to this step; after_heard: also on those that came behind what was heard in it."""
        while self._next < len(self._records):
            record = self._records[self._next]
            if (record.at, record.after_heard) > (at, after_heard):
                break
            self._next += 1
            try:
                if record.type == LOST:
                    told = record.json if isinstance(record.json, dict) else {}
                    self._core.lost(str(told.get("reason", "gone")), at)
                else:
                    deliver(self._core, record.json if isinstance(record.json, dict) else {}, at)
            except RemoteError as error:
                raise RemoteError(f"{self._core.protocol} {error}, as recorded") from error
        self._perform()

    def _perform(self) -> None:
        for action in self._core.actions.take():
            if isinstance(action, Note):
                self._context.emit(action.at, action.type, **action.fields)
