"""Conversations: two seats, one exchange, one clock; from the first frame to the closed session folder.

The order of a tick (design: time): said[k] -> exchange -> heard[k] -> said[k+1] = step(heard[k]). Before tick 0 each
actor is stepped once with a silent frame that starts at -frame; its answer is said in tick 0.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import anyio
import msgspec
import structlog

from simulator.actor import Actor
from simulator.clock import Clock, VirtualClock, WallClock
from simulator.errors import ActorError, LateError, RemoteError, SimulatorError, sentence, single
from simulator.events import PARTIES, Event, EventLog, Party, Source
from simulator.exchange import Exchange, actor_generator
from simulator.frame import AudioFrame, Samples, silence
from simulator.live_seat import LiveSeat
from simulator.recording import Recorder
from simulator.scenario import AfterParty, Scenario, kind_of
from simulator.seat import Seat

BETWEEN_LOOKS_S = 1.0
"""So often a session writes its events, and a virtual one lets other tasks of the process run."""


class Surroundings(msgspec.Struct, kw_only=True):
    """What a session gets from the run around it.

    shared: one dict per run for what sessions share. buttons(): keys pressed since the last look. progress(samples):
    told about once a second of session time. stop: ends the session early and cleanly when set (a hang-up).
    used(usage): told the fields of every `usage` event of a remote party as it is written. listen(event): told of every
    event when it is noted. overhear(user, agent): told what both said, tick by tick.
    """

    shared: dict[Any, Any] = msgspec.field(default_factory=dict)
    buttons: Callable[[], list[str]] = list
    progress: Callable[[int], None] = lambda samples: None
    stop: Callable[[], bool] = lambda: False
    used: Callable[[Mapping[str, Any]], None] = lambda usage: None
    listen: Callable[[Event], None] | None = None
    overhear: Callable[[Samples, Samples], None] | None = None


class Pacing(msgspec.Struct, kw_only=True):
    """How well the wall clock was kept: lateness of ticks in ms (run.json only)."""

    lateness_p50_ms: float = 0.0
    lateness_p99_ms: float = 0.0
    lateness_max_ms: float = 0.0


class Conversation:
    """One session from start to end. `run` plays it and closes the recorder whatever happens."""

    def __init__(self, scenario: Scenario, recorder: Recorder, surroundings: Surroundings) -> None:
        self.scenario = scenario
        self.recorder = recorder
        self.around = surroundings
        self.log = EventLog()
        self.log.listen = surroundings.listen
        recorder.overhear = surroundings.overhear
        self._keys = _Keys(surroundings.buttons, lambda key: self.log.add(self._now, "button", "line", key=key))
        self.seats = {party: self._seat(party) for party in PARTIES}
        self.exchange = Exchange(
            scenario, self.log, recorder,
            (self.seats["user"].actor.on_grid, self.seats["agent"].actor.on_grid), self._keys.pressed,
        )  # fmt: skip
        self._count = scenario.frame_samples
        self._ticks = scenario.ticks()
        self._ticks_between_looks = max(1, round(BETWEEN_LOOKS_S * scenario.sample_rate / self._count))
        self._now = 0
        self.pacing: Pacing | None = None
        self.remark: str | None = None
        """What a completed session's status adds: that a replayed trace no longer fits what its party heard."""

    async def run(self) -> None:
        """Play the session. SimulatorError (ActorError, RemoteError, LateError) or OSError when it cannot be completed.

        Cancelled (Ctrl-C), failed or completed: the recorder is closed with that status first.
        """
        status, problem = "failed", None
        try:
            try:
                await self._play()
            finally:
                with anyio.CancelScope(shield=True):
                    left_badly = await self._leave()
            if left_badly is not None:
                raise left_badly
            status = "completed"
        except anyio.get_cancelled_exc_class():
            status = "interrupted"
            raise
        except Exception as group:  # noqa: BLE001 - raised again, as the one error that ended the others
            error = single(group)
            problem = sentence(error)
            raise error from error.__cause__
        finally:
            self._finish(status, problem)

    async def _play(self) -> None:
        wall = self.scenario.wall()
        clock: Clock = WallClock(self.scenario.sample_rate) if wall else VirtualClock()
        async with anyio.create_task_group() as tasks:
            try:
                await self._start(clock, tasks)
                if isinstance(clock, WallClock):
                    await self._play_wall(clock, tasks, strict=bool(wall and wall.strict))
                else:
                    await self._play_virtual(clock)  # type: ignore[arg-type]
            finally:
                tasks.cancel_scope.cancel()

    async def _start(self, clock: Clock, tasks: anyio.abc.TaskGroup) -> None:
        async with anyio.create_task_group() as starting:
            for party in PARTIES:
                starting.start_soon(self._start_one, self.seats[party], clock, tasks)

    async def _start_one(self, seat: Seat, clock: Clock, tasks: anyio.abc.TaskGroup) -> None:
        scenario, party = self.scenario, seat.party
        context = seat.context(
            clock,
            actor_generator(scenario.seed, party),
            line_has_channels=bool(scenario.lines.heard_by(party)),
            log=structlog.get_logger().bind(session=self.recorder.meta.id, party=party),
            injecting=lambda: self.exchange.injecting(party),
            trace=self._trace_of(party),
            tasks=tasks,
            session_id=self.recorder.meta.id,
            seed=scenario.seed,
            pressed=self._keys.pressed,
            shared=self.around.shared,
            specs={side: scenario.actor(side) for side in PARTIES},
        )
        try:
            await seat.actor.start(context)
        except Exception as error:
            raise self._blamed(party, error, "could not start") from error

    def _trace_of(self, party: Party) -> Callable[[Mapping[str, Any]], None]:
        return lambda record: self.recorder.add_trace({"party": party, **record})

    async def _play_virtual(self, clock: VirtualClock) -> None:
        count, exchange = self._count, self.exchange.tick
        step_user, step_agent = self.seats["user"].step, self.seats["agent"].step
        heard_user = heard_agent = AudioFrame(-count, silence(count))
        tick, last = 0, self._ticks
        awaited = self._awaited()
        party: Source = "user"
        try:
            while tick < last:
                # Both are asked before either is awaited: they may share one batched model, which needs both frames.
                party = "user"
                user = step_user(heard_user)
                party = "agent"
                agent = step_agent(heard_agent)
                if user.__class__ is not AudioFrame or agent.__class__ is not AudioFrame:
                    user, agent = await self._answers(user, agent)
                now = tick * count
                party = "line"
                heard_user, heard_agent = exchange(now, user.samples, agent.samples)
                tick += 1
                self._now = now + count
                clock.advance(self._now)
                if awaited is not None and awaited.done:
                    awaited, last = None, self._last_tick(last)
                if tick % self._ticks_between_looks == 0:
                    await anyio.lowlevel.checkpoint()
                    last = self._look(last)
        except (SimulatorError, OSError):
            raise
        except Exception as error:
            raise self._blamed(party, error, "failed") from error

    async def _answers(self, user: Any, agent: Any) -> tuple[AudioFrame, AudioFrame]:
        """Wait for the parties that answer later; both at once, because each may need the other's frame to go on."""
        both: tuple[tuple[Party, Any], ...] = (("user", user), ("agent", agent))
        pending = {party: answer for party, answer in both if answer.__class__ is not AudioFrame}
        if len(pending) == 2:
            done = await asyncio.gather(*(self._answer(party, wait) for party, wait in pending.items()))
            return done[0], done[1]
        ((party, wait),) = pending.items()
        answer = await self._answer(party, wait)
        return (answer, agent) if party == "user" else (user, answer)

    async def _answer(self, party: Party, wait: Awaitable[AudioFrame]) -> AudioFrame:
        if not isinstance(wait, Awaitable):
            raise self._blamed(party, TypeError(f"answered {type(wait).__name__}, not an AudioFrame"), "failed")
        try:
            return await wait
        except Exception as error:
            raise self._blamed(party, error, "failed") from error

    async def _play_wall(self, clock: WallClock, tasks: anyio.abc.TaskGroup, *, strict: bool) -> None:
        count, rate = self._count, self.scenario.sample_rate
        seats = {party: LiveSeat(self.seats[party], self.log, count, strict=strict) for party in PARTIES}
        lateness: list[float] = []
        try:
            for seat in seats.values():
                await seat.start(tasks)
            clock.begin()
            tick, last = 0, self._ticks
            awaited = self._awaited()
            while tick < last:
                late_s = await clock.sleep_until(tick * count)
                lateness.append(late_s)
                now = tick * count
                if late_s * rate >= count:
                    self._note_late(now, round(late_s * rate), strict=strict)
                user, agent = seats["user"].take(tick), seats["agent"].take(tick)
                heard_user, heard_agent = self._exchanged(now, user, agent)
                seats["user"].hear(heard_user)
                seats["agent"].hear(heard_agent)
                tick += 1
                self._now = now + count
                if awaited is not None and awaited.done:
                    awaited, last = None, self._last_tick(last)
                if tick % self._ticks_between_looks == 0:
                    last = self._look(last)
        finally:
            for seat in seats.values():
                seat.stop(self._now)
            self.pacing = pacing_of(lateness)

    def _exchanged(self, now: int, user: Samples, agent: Samples) -> tuple[AudioFrame, AudioFrame]:
        try:
            return self.exchange.tick(now, user, agent)
        except (SimulatorError, OSError):
            raise
        except Exception as error:
            raise self._blamed("line", error, "failed") from error

    def _note_late(self, now: int, size: int, *, strict: bool) -> None:
        if strict:
            raise LateError(f"the runner was {1000 * size / self.scenario.sample_rate:.0f} ms late at sample {now}")
        self.log.add(now, "late", "line", size=size)

    def _look(self, last: int) -> int:
        """Write events, report progress, and give the last tick: now, when the session is told to stop."""
        self._write(self.log.take(self._now - self.seats_delay()))
        self.around.progress(self._now)
        return 0 if self.around.stop() else last

    def _after(self) -> AfterParty | None:
        return self.scenario.duration.after if self.scenario.duration else None

    def _awaited(self) -> Actor | None:
        """The actor that the session's end waits for: `duration: {after: user, tail: 5s}`."""
        after = self._after()
        return self.seats[after.after].actor if after is not None else None

    def _last_tick(self, last: int) -> int:
        """Give the last tick, now that the awaited party is done: what is under way is said first, then the tail."""
        after = self._after()
        if after is None:
            return last
        end = self._now + self.seats[after.after].under_way_samples + after.tail.samples(self.scenario.sample_rate)
        return min(last, math.ceil(end / self._count))

    def seats_delay(self) -> int:
        """How far behind the present an actor may still tell of (its own frame, which it answers whole)."""
        return max(seat.shape.ticks for seat in self.seats.values()) * self._count

    async def _leave(self) -> RemoteError | None:
        """Close both parties; gives the failure of a far end that went before it had answered everything."""
        failure: RemoteError | None = None
        for party in PARTIES:
            try:
                await self.seats[party].close(self._now)
            except RemoteError as error:
                failure = failure or error
            except Exception as error:  # noqa: BLE001 - one party's failure to leave must not keep the other's sound
                structlog.get_logger().warning("actor did not close", party=party, error=str(error))
        return failure

    def _finish(self, status: str, problem: str | None) -> None:
        self.exchange.close(self._now)
        try:
            self._write(self.log.finish(self._now))
        finally:
            self.recorder.close(status, problem=problem or self.remark, measured=self.exchange.measured())

    def _write(self, events: list[Event]) -> None:
        for event in events:
            if event.type == "usage":
                self.around.used(event.data)
            elif event.type == "trace_diverged" and self.remark is None:
                at_s = event.at / self.scenario.sample_rate
                self.remark = f"the {event.party}'s trace diverged at t={at_s:.2f} s: it no longer fits what was heard"
        self.recorder.add_events(events)

    def _seat(self, party: Party) -> Seat:
        scenario = self.scenario
        return Seat(party, scenario.actor(party), scenario.sample_rate, scenario.frame_samples, self.log)

    def _blamed(self, party: Source, error: Exception, what: str) -> SimulatorError:
        if isinstance(error, SimulatorError) and not isinstance(error, ActorError):
            return error
        who = "a channel or an injector" if party == "line" else f"the {party} ({kind_of(self.scenario.actor(party))})"
        at = self._now / self.scenario.sample_rate
        return ActorError(f"{who} {what} at t={at:.2f} s: {sentence(error)}")


def pacing_of(lateness_s: list[float]) -> Pacing:
    """Sum up how late the ticks of a wall-clock session were."""
    if not lateness_s:
        return Pacing()
    ordered = sorted(lateness_s)

    def at(share: float) -> float:
        return round(1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))], 3)

    return Pacing(lateness_p50_ms=at(0.5), lateness_p99_ms=at(0.99), lateness_max_ms=at(1.0))


class _Keys:
    """Keys pressed in a live session, kept until the cue that waits for them asks."""

    def __init__(self, buttons: Callable[[], list[str]], note: Callable[[str], None]) -> None:
        self._buttons = buttons
        self._note = note
        self._waiting: list[str] = []

    def pressed(self, key: str) -> bool:
        """Whether the key was pressed since this was last asked."""
        for fresh in self._buttons():
            self._note(fresh)
            self._waiting.append(fresh)
        if key in self._waiting:
            self._waiting.remove(key)
            return True
        return False
