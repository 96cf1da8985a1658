"""The table of a call: seats, exchange, log and recorder; what a session is made of, without what moves its time.

    start    every actor that sits here is started, both at once
    carry    said[k] of both -> exchange -> heard[k] of both, recorded
    look     now and then: events written, progress told, whether to stop
    leave    every actor is closed, whatever became of the others
    finish   what the end cuts off is accounted for, the folder is closed with a status

A driver moves the time: the virtual clock and the wall clock (playing.py), a client's data (served sessions), a probe.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import anyio

from simulator.call.chance import ACTORS, generator
from simulator.call.complaints import Complaints
from simulator.call.ending import Ending
from simulator.call.exchange import Exchange
from simulator.call.far_kept import FarKept, Trace, untraced
from simulator.call.recording import Recorder
from simulator.call.responses import AskedResponses
from simulator.call.seat import Seat
from simulator.call.surroundings import Keys, Surroundings
from simulator.call.turns_begun import TurnsBegun
from simulator.clock import Clock
from simulator.errors import RemoteError, SimulatorError, blamed
from simulator.events import PARTIES, Event, EventLog, Party, Source
from simulator.frame import AudioFrame, Samples
from simulator.logs import log
from simulator.reading.secrets import Secrets
from simulator.scenario import Scenario, kind_of
from simulator.texts import quoted
from simulator.world.record import WorldRecord, recorded
from simulator.world.serve import Serve
from simulator.world.served import Guest, ServedWorlds
from simulator.world.world import World

T = TypeVar("T")

BETWEEN_LOOKS_S = 1.0
"""So often a session writes its events, and a virtual one lets other tasks of the process run."""

BETWEEN_LOOKS_AHEAD_S = 5.0
"""The same for a call that goes in blocks: it plays a thousand seconds in one, and every look ends a block."""


class Table:
    """One call. now: the sample that its time has come to. parties: who sits here; another's sound comes from outside.

    recorder: None for a call that nobody keeps (a probe).
    """

    def __init__(
        self, scenario: Scenario, recorder: Recorder | None, around: Surroundings, parties: Sequence[Party] = PARTIES
    ) -> None:
        self.scenario = scenario
        self.frame_samples = scenario.frame_samples
        self.now = 0
        self._recorder = recorder
        self._around = around
        self.log = EventLog()
        self.log.listen = around.listen
        self._responses = AskedResponses(self.log)
        self._complaints = Complaints(self.log)
        self._diverged: str | None = None
        self._turns = TurnsBegun(self.log)
        self.world: World | None = None
        self._before: Any = None
        self._became: WorldRecord | None = None
        self._leave_server: Callable[[], None] = lambda: None
        if recorder is not None:
            recorder.overhear = around.overhear
        self._keys = Keys(around.buttons, lambda key: self.log.add(self.now, "button", "line", key=key))
        self.seats = {
            party: Seat(party, scenario.equipped(party), scenario.sample_rate, self.frame_samples, self.log)
            for party in parties
        }
        self.exchange = Exchange(
            scenario,
            self.log,
            recorder.add if recorder is not None else _unrecorded,
            on_grid={party: seat.actor.traits.on_grid for party, seat in self.seats.items()},
            pressed=self._keys.pressed,
        )
        self.ending = Ending(scenario, self.seats, self.log)
        self.log.watch("keys_pressed", self._pass_keys)
        ahead = self._knows_ahead()
        self.looks_ahead = ahead and around.lookahead == "on"
        """Whether the call goes in blocks of several ticks."""
        between_s = BETWEEN_LOOKS_AHEAD_S if ahead else BETWEEN_LOOKS_S
        self.ticks_between_looks = max(1, round(between_s * scenario.sample_rate / self.frame_samples))

    async def start(self, clock: Clock, tasks: anyio.abc.TaskGroup) -> None:
        """Open the world, then start every actor that sits here, all at once: a far end may take its time to answer."""
        if self.scenario.world is not None:
            self.world = await anyio.to_thread.run_sync(self.scenario.world.open)
            self._before = await anyio.to_thread.run_sync(self.world.state)  # somebody else's code may take its time
            await anyio.to_thread.run_sync(self._serve, self.world, self.scenario.world.serve)
        async with anyio.create_task_group() as starting:
            for seat in self.seats.values():
                starting.start_soon(self._start_one, seat, clock, tasks)

    def _serve(self, world: World, spec: Serve | None) -> None:
        """Offer the world to an agent's own back end. ScenarioError where that cannot be."""
        if spec is None:
            return
        hosts = self._around.shared.setdefault(("worlds", spec.host, spec.port), ServedWorlds(spec))
        wanted = Secrets().expand(spec.token) if spec.token is not None else None
        kept = FarKept(self._note_call, untraced, lambda: self.now / self.scenario.sample_rate)
        guest = Guest(world=world, emit=kept.emit, now=lambda: self.now)
        address, token = hosts.enter(guest, wanted)
        if self._recorder is not None:
            self._recorder.hide(token)
        world.address = f"{address}/s/{token}"

        def leave() -> None:
            hosts.leave(token)
            kept.close(self.now)

        self._leave_server = leave

    def _note_call(self, at: int, type_: str, /, **fields: Any) -> None:
        self.log.add(at, type_, "agent", **fields)

    async def _start_one(self, seat: Seat, clock: Clock, tasks: anyio.abc.TaskGroup) -> None:
        scenario, party = self.scenario, seat.party
        session_id = self._recorder.meta.id if self._recorder is not None else ""
        context = seat.context(
            clock,
            generator(scenario.seed, ACTORS, party),
            line_has_channels=bool(scenario.lines.heard_by(party)),
            log=log.bind(session=session_id, party=party),
            injecting=self.exchange.mouths[party].injecting,
            trace=self._trace_of(party),
            tasks=tasks,
            session_id=session_id,
            seed=scenario.seed,
            pressed=self._keys.pressed,
            shared=self._around.shared,
            specs={side: scenario.actor(side) for side in self.seats},
            world=self.world,
            turn_heard=lambda: self._turns.told(party, self.now),
        )
        try:
            await seat.actor.start(context)
        except Exception as error:
            raise self.blamed(party, error, "could not start") from error

    def _pass_keys(self, event: Event) -> None:
        """Hand keys that are pressed beside the sound to the other party."""
        other = self.seats.get("agent" if event.party == "user" else "user")
        if event.data.get("band") == "out" and other is not None:
            other.actor.press(str(event.data["digits"]), event.at / self.scenario.sample_rate)

    def _trace_of(self, party: Party) -> Trace:
        recorder = self._recorder
        if recorder is None:
            return untraced
        return lambda record: recorder.add_trace({"party": party, **record})

    async def answer(self, party: Party, pending: Awaitable[T]) -> T:
        """Wait for a party's answer. SimulatorError names the party when it fails."""
        if not isinstance(pending, Awaitable):
            raise self.blamed(party, TypeError(f"answered {type(pending).__name__}, not an AudioFrame"), "failed")
        try:
            return await pending
        except Exception as error:
            raise self.blamed(party, error, "failed") from error

    def _knows_ahead(self) -> bool:
        """Whether all that sit here and all between them know ahead what they say and do.

        By the wall clock, by a client's data and overheard a call goes tick by tick; so does one whose party answers
        late and is waited for or has injectors: a block of it would see their state when the block is over, not when
        its frame was said.
        """
        if self.scenario.wall() or len(self.seats) < len(PARTIES):
            return False
        if self._around.overhear is not None or not self.exchange.takes_blocks:
            return False
        late = (party for party, seat in self.seats.items() if seat.latency_ticks)
        if any(self.exchange.mouths[party].injectors or self.ending.awaits(party) for party in late):
            return False
        return all(seat.block is not None for seat in self.seats.values())

    def carry(self, user: Samples, agent: Samples, count: int) -> tuple[AudioFrame, AudioFrame]:
        """Carry what both say in the next `count` samples and move behind them; gives what (user, agent) hear.

        SimulatorError, OSError: a channel or an injector failed, the disk is full.
        """
        now = self.now
        try:
            heard = self.exchange.carry(now, user, agent, count)
        except (SimulatorError, OSError):
            raise
        except Exception as error:
            raise self.blamed("line", error, "failed") from error
        self.now = now + count
        return heard

    def look(self) -> None:
        """Write the events that can no longer change their place, report progress, end the call when it is told to."""
        self._write(self.log.take(self.now - self._seats_delay()))
        self._around.progress(self.now)
        if self._around.stop():
            self.ending.stop()

    @property
    def remark(self) -> str | None:
        """What a completed session's status adds: a trace that no longer fits what was heard, responses that failed, a
        far end of which not all was kept, one that never spoke and why, one that the scenario may describe wrongly.
        """
        seats = (seat.remark for seat in self.seats.values())
        told = (self._diverged, self._responses.remark, *seats, self._mute or self._misdescribed)
        return "; ".join(filter(None, told)) or None

    @property
    def _mute(self) -> str | None:
        agent = self.scenario.agent
        if self._recorder is None or not agent.traits().remote or self._recorder.agent_spoke:
            return None
        return self._complaints.never_spoke("agent", kind_of(agent))

    @property
    def _misdescribed(self) -> str | None:
        return self._complaints.misdescribed("agent", kind_of(self.scenario.agent))

    async def leave(self) -> RemoteError | None:
        """Close every actor; gives the failure of a far end that left too early, or failed all it was asked for."""
        failure: RemoteError | None = None
        for party, seat in self.seats.items():
            try:
                await seat.close(self.now)
            except RemoteError as error:
                failure = failure or error
            except Exception as error:  # noqa: BLE001 - one party's failure to leave must not keep the other's sound
                log.warning("actor did not close", party=party, error=str(error))
        await anyio.to_thread.run_sync(self._leave_world)
        return failure or self._responses.failure

    def _leave_world(self) -> None:
        """Take note of what became of the world, and close it."""
        world, self.world = self.world, None
        self._leave_server()
        if world is None:
            return
        try:
            self._became = recorded(self._before, world.state(), world.verdict())
        except SimulatorError as error:
            log.warning("the world did not say what became of it", error=str(error))
        finally:
            world.close()

    def finish(self, status: str, problem: str | None) -> None:
        """Account for what the end cuts off and close the folder with this status. OSError when the disk refuses."""
        self.exchange.close(self.now)
        if self._recorder is None:
            return
        try:
            self._write(self.log.finish(self.now))
            if self._became is not None:
                self._recorder.add_world(self._became)
        finally:
            self._recorder.close(status, problem=problem or self.remark, measured=self.exchange.measured())

    def blamed(self, party: Source, error: Exception, what: str) -> SimulatorError:
        """Give the error that ends the session, with whose fault it is, what failed, and when."""
        who = "a channel or an injector" if party == "line" else f"the {party} ({kind_of(self.scenario.actor(party))})"
        found = blamed(error, f"{who} {what} at t={self.now / self.scenario.sample_rate:.2f} s")
        found.party = party
        return found

    def _seats_delay(self) -> int:
        """How far behind the present an actor may still tell of (its own frame, which it answers whole)."""
        return max(seat.shape.ticks for seat in self.seats.values()) * self.frame_samples

    def _write(self, events: list[Event]) -> None:
        for event in events:
            if event.type == "usage":
                self._around.used(event.data)
            elif event.type == "trace_diverged" and self._diverged is None:
                at_s = event.at / self.scenario.sample_rate
                self._diverged = (
                    f"the {event.party}'s trace diverged at t={at_s:.2f} s: it no longer fits what was heard"
                    f"{self._turns.told(event.party, event.at)}"
                )
            elif event.type == "diverged" and self._diverged is None:
                expected, heard = quoted(event.expected), quoted(event.heard)
                self._diverged = (
                    f"the {event.party}'s script diverged at turn {event.turn}: it was to hear {expected}, not {heard}"
                )
        if self._recorder is not None:
            self._recorder.add_events(events)


def _unrecorded(user: Samples, agent: Samples, user_heard: Samples, agent_heard: Samples) -> None:
    """Take a tick of a call that nobody keeps."""
