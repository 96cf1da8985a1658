"""Conversations: two seats, one exchange, one clock; from the first frame to the closed session folder.

What a session is made of, when it starts and how it ends, whatever happens; `playing.py` moves its time.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

import anyio
import structlog

from simulator.actor import Actor
from simulator.call.exchange import Exchange, actor_generator
from simulator.call.playing import play_virtual, play_wall
from simulator.call.recording import Recorder
from simulator.call.seat import Seat
from simulator.call.surroundings import Keys, Pacing, Surroundings
from simulator.clock import Clock, VirtualClock, WallClock
from simulator.errors import RemoteError, SimulatorError, blamed, sentence, single
from simulator.events import PARTIES, Event, EventLog, Party, Source
from simulator.scenario import AfterParty, Scenario, kind_of

BETWEEN_LOOKS_S = 1.0
"""So often a session writes its events, and a virtual one lets other tasks of the process run."""


class Conversation:
    """One session from start to end. `run` plays it and closes the recorder whatever happens."""

    def __init__(self, scenario: Scenario, recorder: Recorder, surroundings: Surroundings) -> None:
        self.scenario = scenario
        self.recorder = recorder
        self.around = surroundings
        self.log = EventLog()
        self.log.listen = surroundings.listen
        recorder.overhear = surroundings.overhear
        self._keys = Keys(surroundings.buttons, lambda key: self.log.add(self.now, "button", "line", key=key))
        self.seats = {party: self._seat(party) for party in PARTIES}
        self.exchange = Exchange(
            scenario, self.log, recorder,
            (self.seats["user"].actor.on_grid, self.seats["agent"].actor.on_grid), self._keys.pressed,
        )  # fmt: skip
        self.frame_samples = scenario.frame_samples
        self.ticks = scenario.ticks()
        self.ticks_between_looks = max(1, round(BETWEEN_LOOKS_S * scenario.sample_rate / self.frame_samples))
        self.now = 0
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
            status, problem = "interrupted", "interrupted"
            raise
        except Exception as group:  # noqa: BLE001 - raised again, as the one error that ended the others
            error = single(group)
            problem = sentence(error)
            raise error from error.__cause__
        finally:
            self._finish(status, problem)

    async def _play(self) -> None:
        wall = self.scenario.wall()
        clock = WallClock(self.scenario.sample_rate) if wall else VirtualClock()
        async with anyio.create_task_group() as tasks:
            try:
                await self._start(clock, tasks)
                if isinstance(clock, WallClock):
                    await play_wall(self, clock, tasks, strict=bool(wall and wall.strict))
                else:
                    await play_virtual(self, clock)
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
            raise self.blamed(party, error, "could not start") from error

    def _trace_of(self, party: Party) -> Callable[[Mapping[str, Any]], None]:
        return lambda record: self.recorder.add_trace({"party": party, **record})

    def look(self, last: int) -> int:
        """Write events, report progress, and give the last tick: now, when the session is told to stop."""
        self._write(self.log.take(self.now - self._seats_delay()))
        self.around.progress(self.now)
        return 0 if self.around.stop() else last

    def _after(self) -> AfterParty | None:
        return self.scenario.duration.after if self.scenario.duration else None

    def awaited(self) -> Actor | None:
        """The actor that the session's end waits for: `duration: {after: user, tail: 5s}`."""
        after = self._after()
        return self.seats[after.after].actor if after is not None else None

    def last_tick(self, last: int) -> int:
        """Give the last tick, now that the awaited party is done: what is under way is said first, then the tail."""
        after = self._after()
        if after is None:
            return last
        end = self.now + self.seats[after.after].under_way_samples + after.tail.samples(self.scenario.sample_rate)
        return min(last, math.ceil(end / self.frame_samples))

    def _seats_delay(self) -> int:
        """How far behind the present an actor may still tell of (its own frame, which it answers whole)."""
        return max(seat.shape.ticks for seat in self.seats.values()) * self.frame_samples

    async def _leave(self) -> RemoteError | None:
        """Close both parties; gives the failure of a far end that went before it had answered everything."""
        failure: RemoteError | None = None
        for party in PARTIES:
            try:
                await self.seats[party].close(self.now)
            except RemoteError as error:
                failure = failure or error
            except Exception as error:  # noqa: BLE001 - one party's failure to leave must not keep the other's sound
                structlog.get_logger().warning("actor did not close", party=party, error=str(error))
        return failure

    def _finish(self, status: str, problem: str | None) -> None:
        self.exchange.close(self.now)
        try:
            self._write(self.log.finish(self.now))
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

    def blamed(self, party: Source, error: Exception, what: str) -> SimulatorError:
        """Give the error that ends the session, with whose fault it is, what failed, and when."""
        who = "a channel or an injector" if party == "line" else f"the {party} ({kind_of(self.scenario.actor(party))})"
        at = self.now / self.scenario.sample_rate
        return blamed(error, f"{who} {what} at t={at:.2f} s")
