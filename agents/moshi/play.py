"""What a Moshi server's messages become on the session's timeline, and a replay of recorded ones. No I/O.

T is a frame of 80 ms. Step k hears [kT, (k+1)T) and answers what is said in [(k+1)T, (k+2)T). Where the
server's n-th frame is said is the placement (told in actor.py): by count it is step n + lag, with

    contiguous, virtual clock   lag = frames in flight: the answer to what step k sent is in when step k ends
    contiguous, wall clock      one more: nobody waits for it
    fdb                         0: as many silent frames as stay in flight were sent before the session (primed)

and `heard` takes whatever is there.
"""

from collections.abc import Callable
from typing import Literal

from agents.moshi.protocol import FRAME, Event, MoshiClient, Ready, Sound, Text, Trouble
from agents.remote.failure import FAILED, failed_fields
from agents.remote.trace import Trace, TraceRecord
from simulator.actor import Actor, Context
from simulator.errors import RemoteError
from simulator.frame import AudioFrame, Samples, silence
from simulator.sound.opus import RATE_HZ
from simulator.sound.streams import Outbox
from simulator.traits import AudioFormat, StepTraits

Placement = Literal["heard", "contiguous", "fdb"]

FORMAT = AudioFormat(input_rate=RATE_HZ, output_rate=RATE_HZ, frame_ms=80)
LOST = "connection_lost"


class MoshiPlay:
    """Joins a protocol core to a party's output stream: sound to its place, text pieces to events."""

    def __init__(self, core: MoshiClient, placement: Placement, *, jitter_s: float, waits: bool, primed: bool) -> None:
        """jitter_s: sound that must wait before `heard` starts to say it. waits: whether steps wait for frames due.

        primed: whether the server is sent silence before the session.
        """
        self.core = core
        self._placement = placement
        self._waits = waits
        self._primed = primed
        self._box = Outbox(round(jitter_s * RATE_HZ) if placement == "heard" else 0)
        self._missed = 0
        self._steps = 0
        self._answers = False
        self._dry_since: int | None = None

    def begin(self, context: Context, scrub: Callable[[str], str] = str) -> None:
        """Learn where events go, and how secrets are kept out of them."""
        self._emit = context.emit
        self._scrub = scrub

    def prime(self) -> list[bytes]:
        """Give the messages to send once the handshake is in, before the session."""
        return [self.core.send(silence(FRAME)) for _ in range(self._before)]

    @property
    def answered(self) -> bool:
        """Whether the step may end: the frames due are in, or the one that is to be said now."""
        needed = self.core.due if self._placement == "heard" else self._steps - self._lag + 1
        return self.core.received >= needed

    def hear(self, samples: Samples) -> bytes:
        """Give the message for the next frame heard, float32 (1920,)."""
        return self.core.send(samples)

    def receive(self, message: bytes | str, at: int) -> None:
        """Act on a message in the step whose answer starts at `at`."""
        for event in self.core.receive(message):
            self._act_on(event, max(0, at))

    def say(self, at: int) -> Samples:
        """Give the frame said from `at` on: float32 (1920,). Call it once a step, also when nothing came."""
        index = self._steps - self._lag
        self._steps += 1
        if self._placement == "heard":
            return self._as_heard(at)
        if index < 0:
            return silence(FRAME)
        self._missed -= self._drop(self._missed)
        self._missed += FRAME - min(FRAME, self._box.buffered)
        return self._box.take(FRAME)

    @property
    def _before(self) -> int:
        return self.core.dialect.in_flight if self._primed else 0

    @property
    def _lag(self) -> int:
        return 0 if self._placement == "fdb" else self.core.dialect.in_flight + (not self._waits)

    def _drop(self, count: int) -> int:
        """Let go of sound whose place has passed."""
        late = min(count, self._box.buffered)
        if late:
            self._box.take(late)
        return late

    def _as_heard(self, at: int) -> Samples:
        samples = self._box.take(FRAME)
        dry = samples is silence(FRAME)
        if dry and self._dry_since is None and self.core.received:
            self._dry_since = at
        elif not dry and self._dry_since is not None:
            self._emit(at, "starved", since=self._dry_since)
            self._dry_since = None
        return samples

    def _begin_stream(self, at: int) -> None:
        """Tell once that the server answers: all its sound is one response, each of its errors one that failed."""
        if not self._answers:
            self._answers = True
            self._emit(at, "response_start", id="stream")

    def _act_on(self, event: Event, at: int) -> None:
        match event:
            case Sound(samples):
                self._begin_stream(at)
                self._box.push(samples)
            case Text(text, frame):
                self._emit(at, "text", text=self._scrub(text), model_at=max(0, frame - self._before) * FRAME)
            case Trouble(text):
                self._emit(at, "remote_error", message=self._scrub(text))
                self._emit(at, FAILED, **failed_fields("moshi", self._scrub(text)))
            case Ready(dialect):
                self._emit(at, "remote_ready", server=dialect)


class MoshiReplay(Actor):
    """A recorded trace through the same core.

    by_time: hand over each message in the step it was acted on (a paced session), else as many as are due in
    lock-step, which for a session that ran in lock-step is the same.
    """

    traits = StepTraits(format=FORMAT, skips_first=True)

    def __init__(self, trace: Trace, play: MoshiPlay, *, by_time: bool) -> None:
        self._trace = trace
        self._play = play
        self._by_time = by_time
        self._next = 0
        self._records = trace.received()

    async def start(self, context: Context) -> None:
        """Go through the handshake."""
        self._play.begin(context)
        while self._play.core.state == "waiting" and self._next < len(self._records):
            self._act_on_next(-1)
        if self._play.core.state == "waiting":
            raise RemoteError("the trace ends before the server's handshake")
        self._play.prime()

    def step(self, heard: AudioFrame) -> AudioFrame:
        """Act on the messages of this step, say what is due."""
        at = heard.start + FRAME
        self._play.hear(heard.samples)
        while self._next < len(self._records) and self._wants(self._records[self._next], at):
            self._act_on_next(at)
        return AudioFrame(at, self._play.say(at))

    def _wants(self, record: TraceRecord, at: int) -> bool:
        return record.at <= at if self._by_time else not self._play.answered

    def _act_on_next(self, at: int) -> None:
        record = self._records[self._next]
        self._next += 1
        try:
            if record.type == LOST:
                self._play.core.lost(record.json["code"], record.json["reason"])
            else:
                self._play.receive(record.payload, at)
        except RemoteError as error:
            raise RemoteError(f"{self._trace.header.protocol} {error}, as recorded") from error
