"""Seats: where an actor sits at the line, with its rates, its frame and its thinking time accounted for.

The runner steps a seat once per tick; an actor that has nothing special about it is stepped directly. What an actor
tells about times on its own streams is mapped here to session samples: edge delay, frame length, latency.
"""

import math
from collections import deque
from collections.abc import Awaitable
from typing import Any, Protocol

import numpy as np

from simulator.actor import Actor, ActorSpec, BlockActor, Context, PunctualActor
from simulator.call.edge import Edge, Step
from simulator.call.far_kept import FarKept, Trace, untraced
from simulator.clock import Clock, seconds
from simulator.errors import ActorError
from simulator.event_types.event_type import Kind, Move
from simulator.event_types.table import with_times
from simulator.events import Emit, EventLog, Party
from simulator.frame import AudioFrame, Samples, silence
from simulator.own_frame import EdgeShape, shape_of
from simulator.sound.streams import Outbox
from simulator.traits import AudioFormat


class Block(Protocol):
    """What a call in blocks asks of a seat; BlockActor says what each part must keep."""

    def hear(self, heard: AudioFrame) -> Awaitable[None] | None:
        """Take frames."""
        ...

    def settled(self, now: int) -> int:
        """Give the sample up to which what is said is decided."""
        ...

    def say(self, now: int, count: int) -> Samples:
        """Give what is said: float32 (count,)."""
        ...


class Seat:
    """One party's actor, wrapped so that every tick is a step of one session frame.

    `step` is the actor's own where nothing has to be done around it.
    """

    def __init__(self, party: Party, spec: ActorSpec, sample_rate: int, frame_samples: int, log: EventLog) -> None:
        self.party = party
        self.spec = spec
        self.actor: Actor = spec.build()
        self._log = log
        self._rate = sample_rate
        self.shape: EdgeShape = shape_of(self.actor.traits.format, sample_rate, frame_samples)
        self.latency_ticks = math.ceil(spec.latency.fixed.samples(sample_rate) / frame_samples)
        self._late = self.latency_ticks * frame_samples
        self._moves = self._moves_of(self._late)
        self.delay: FixedLatency | MeasuredLatency | None = None
        step: Step = self.actor.step
        block: Block | None = self.actor if isinstance(self.actor, BlockActor) else None
        punctual = self.actor if isinstance(self.actor, PunctualActor) else None
        edge: Edge | None = None
        if self.actor.traits.format != AudioFormat() or self.actor.traits.skips_first:
            block = edge = Edge(self.actor, self.shape, sample_rate, frame_samples)
            step = edge.step
        self.punctual: PunctualActor | Edge | None = (edge or punctual) if punctual and not self.latency_ticks else None
        """What on the wall clock hears a frame when it is heard and answers when the answer is due, if it can."""
        self.plain_step: Step = step
        """The step without thinking time: on the wall clock a fixed latency is slack instead."""
        if spec.latency == "measured":
            self.delay = MeasuredLatency(self, step, sample_rate, spec.speed)
            block = None
        elif self.latency_ticks:
            self.delay = FixedLatency(step, self.latency_ticks, frame_samples)
            block = self.delay if block is not None else None
        self.step: Step = self.delay.step if self.delay else step
        self.block = block
        """The actor in blocks of frames; None where nothing is known ahead."""
        self._far_kept: FarKept | None = None

    @property
    def edge_delay_samples(self) -> int:
        """What resampling at this seat's edges adds, there and back, in session samples."""
        return self.shape.input_delay + self.shape.output_delay

    def context(self, clock: Clock, rng: np.random.Generator, *, trace: Trace = untraced, **more: Any) -> Context:
        """Make the context its actor starts with: rates, frame and events are the seat's; `more` are the session's."""
        kept: Emit = self.emit
        if self.spec.traits().remote:
            self._far_kept = FarKept(self.emit, trace, lambda: max(0.0, clock.now() / self._rate))
            kept, trace = self._far_kept.emit, self._far_kept.trace
        return Context(
            party=self.party,
            input_rate=self.shape.input_rate,
            output_rate=self.shape.output_rate,
            input_samples=self.shape.input_samples,
            output_samples=self.shape.output_samples,
            clock=clock,
            realtime=clock.realtime,
            rng=rng,
            emit=kept,
            trace=trace,
            **more,
        )

    @property
    def under_way_samples(self) -> int:
        """How much of the answer to a frame is not said yet when its first tick has been: session samples."""
        return (self.shape.ticks - 1 + self.latency_ticks) * self._frame + self.shape.output_delay

    async def close(self, now: int) -> None:
        """Close the actor in a session that has come to `now`, and account for what it has not said any more."""
        try:
            await self.actor.close()
        finally:
            if self._far_kept is not None:
                self._far_kept.close(now * self.shape.output_rate // self._rate)
            if isinstance(self.delay, MeasuredLatency):
                self.delay.finish(now)

    @property
    def remark(self) -> str | None:
        """What a completed session's status adds of this party: a far end of which not all is kept."""
        return None if self._far_kept is None else self._far_kept.remark(self.party)

    def emit(self, at: int, type_: str, /, **fields: Any) -> None:
        """Note an event of the actor at sample `at` of its own output stream, mapped to the session."""
        if isinstance(self.delay, MeasuredLatency):
            self.delay.hold(self._said(at), type_, fields)
        else:
            self.note(self._said(at), type_, fields, self._late)

    def note(self, at: int, type_: str, fields: dict[str, Any], late: int) -> None:
        """Write an event whose moments lie `late` samples behind the undelayed output."""
        by = self._moves if late == self._late else self._moves_of(late)
        self._log.add(at + late, type_, self.party, **with_times(type_, fields, by))

    def _moves_of(self, late: int) -> dict[Kind, Move]:
        return {
            "said": lambda told: self._said(told) + late,
            "heard": self._heard,
            "length": lambda told: told * self._rate // self.shape.output_rate,
        }

    @property
    def _frame(self) -> int:
        return self.shape.output_samples * self._rate // self.shape.output_rate // self.shape.ticks

    def _said(self, at: int) -> int:
        return at * self._rate // self.shape.output_rate + self.shape.output_delay

    def _heard(self, at: int) -> int:
        return max(0, at * self._rate // self.shape.input_rate - self.shape.input_delay)


class FixedLatency:
    """A fixed thinking time: the whole output is said so many ticks later, stopping included.

    In blocks (see BlockActor): what is said in the next `ticks` was answered already.
    """

    def __init__(self, step: Step, ticks: int, frame_samples: int) -> None:
        self._step = step
        self._count = frame_samples
        self._length = ticks * frame_samples
        self._waiting = Outbox()
        self._waiting.push(silence(self._length))

    def step(self, heard: AudioFrame) -> AudioFrame | Awaitable[AudioFrame]:
        """Hear a frame, say the one answered `ticks` ago."""
        answer = self._step(heard)
        return self._shift(answer) if isinstance(answer, AudioFrame) else self._shift_later(answer)

    def hear(self, heard: AudioFrame) -> Awaitable[None] | None:
        """Take frames, one by one: each is answered."""
        for start in range(0, len(heard.samples), self._count):
            end = start + self._count
            answer = self._step(AudioFrame(heard.start + start, heard.samples[start:end]))
            if not isinstance(answer, AudioFrame):
                return self._hear_on(answer, AudioFrame(heard.start + end, heard.samples[end:]))
            self._keep(answer)
        return None

    def settled(self, now: int) -> int:
        """So far as answers wait to be said."""
        return now + self._length

    def say(self, now: int, count: int) -> Samples:
        """Say what was answered `ticks` ago."""
        return self._waiting.take(count)

    async def _hear_on(self, answer: Awaitable[AudioFrame], rest: AudioFrame) -> None:
        self._keep(await answer)
        waiting = self.hear(rest)
        if waiting is not None:
            await waiting

    def _keep(self, answer: AudioFrame) -> None:
        if len(answer.samples) != self._count:
            raise ActorError(f"answered {len(answer.samples)} samples to a frame of {self._count}")
        self._waiting.push(answer.samples)

    def _shift(self, answer: AudioFrame) -> AudioFrame:
        self._keep(answer)
        return AudioFrame(answer.start, self._waiting.take(self._count))

    async def _shift_later(self, answer: Awaitable[AudioFrame]) -> AudioFrame:
        return self._shift(await answer)


class MeasuredLatency:
    """The real cost as thinking time: finish = max(arrival, previous finish) + cost x speed.

    Output is said in order from the first tick after its finish, silence until then. An actor that knows its own cost
    sets `last_cost_s`; otherwise the time around its step is charged.
    """

    def __init__(self, seat: Seat, step: Step, sample_rate: int, speed: float) -> None:
        self._seat = seat
        self._step = step
        self._rate = sample_rate
        self._speed = speed
        self._finish = 0.0
        self._ready: deque[tuple[float, AudioFrame]] = deque()
        self._held: deque[tuple[int, str, dict[str, Any]]] = deque()

    def step(self, heard: AudioFrame) -> AudioFrame | Awaitable[AudioFrame]:
        """Hear a frame, say what is ready by now."""
        begin = seconds()
        answer = self._step(heard)
        return self._charge(answer, begin) if isinstance(answer, AudioFrame) else self._charge_later(answer, begin)

    def hold(self, at: int, type_: str, fields: dict[str, Any]) -> None:
        """Keep an event until the frame it belongs to is said."""
        self._held.append((at, type_, fields))

    def finish(self, now: int) -> None:
        """Tell what is still held when the session ends: as late as the oldest frame that was never said."""
        late = max(0, now - self._ready[0][1].start) if self._ready else 0
        while self._held:
            at, type_, fields = self._held.popleft()
            self._seat.note(at, type_, fields, late)

    async def _charge_later(self, answer: Awaitable[AudioFrame], begin: float) -> AudioFrame:
        return self._charge(await answer, begin)

    def _charge(self, answer: AudioFrame, begin: float) -> AudioFrame:
        actor = self._seat.actor
        cost_s = seconds() - begin if actor.last_cost_s is None else actor.last_cost_s
        if actor.last_cost_s is not None:
            actor.last_cost_s = 0.0  # charged once: the ticks until the next own frame are free
        now = answer.start
        self._finish = max(now, self._finish) + cost_s * self._speed * self._rate
        self._ready.append((self._finish, answer))
        if self._ready[0][0] > now:
            return AudioFrame(now, silence(len(answer.samples)))
        _, frame = self._ready.popleft()
        self._tell(frame, now)
        return AudioFrame(now, frame.samples)

    def _tell(self, frame: AudioFrame, now: int) -> None:
        end = frame.start + len(frame.samples)
        while self._held and self._held[0][0] < end:
            at, type_, fields = self._held.popleft()
            self._seat.note(at, type_, fields, now - frame.start)
