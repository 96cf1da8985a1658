"""A served session: a client's audio goes in frame by frame, an actor's comes out, and both are recorded.

It is the runner's tick turned inside out: the client's data drive it, so its clock is virtual and nothing is
waited for. The client's frame k is the user's said and the agent's heard track at [k n, (k+1) n); what the
agent says after hearing it lies at [(k+1) n, (k+2) n) and is given back at once. Frame 0 of the agent is
silence: its answer to the silent frame before the session is dropped, as the client heard nothing then. The
scenario in the folder plays the recorded client against the same actor again.
"""

from pathlib import Path
from typing import Any

import anyio.abc
import structlog

from simulator.call.exchange import Exchange, actor_generator
from simulator.call.recording import Recorder
from simulator.call.seat import Seat
from simulator.clock import VirtualClock
from simulator.errors import SimulatorError, blamed
from simulator.events import Event, EventLog
from simulator.frame import AudioFrame, Samples, silence
from simulator.scenario import Scenario

WRITE_S = 1.0
"""Events are written about once a second."""


class ServedSession:
    """One client with one actor. sample_rate: Hz of both directions. frame: samples per frame. now: samples heard."""

    def __init__(self, scenario: Scenario, recorder: Recorder) -> None:
        self.sample_rate = scenario.sample_rate
        self.frame = scenario.frame_samples
        self.now = 0
        self.problem: str | None = None
        self._scenario = scenario
        self._recorder = recorder
        self._told: list[Event] = []
        self._log = EventLog()
        self._log.listen = self._listen
        self._clock = VirtualClock()
        self._seat = Seat("agent", scenario.actor("agent"), self.sample_rate, self.frame, self._log)
        self._exchange = Exchange(scenario, self._log, recorder, (False, self._seat.actor.on_grid), _no_button)
        self._said = silence(self.frame)
        self._written = 0

    @property
    def id(self) -> str:
        """The session's id, also its folder's name."""
        return self._recorder.meta.id

    @property
    def folder(self) -> Path:
        """Where it is recorded."""
        return self._recorder.folder

    @property
    def done(self) -> bool:
        """Whether the actor has said all it ever will."""
        return self._seat.actor.done

    async def start(self, tasks: anyio.abc.TaskGroup, shared: dict[Any, Any]) -> None:
        """Start the actor and let it hear the silence before the session."""
        seat, scenario = self._seat, self._scenario
        context = seat.context(
            self._clock,
            actor_generator(scenario.seed, "agent"),
            line_has_channels=False,
            log=structlog.get_logger().bind(session=self.id, party="agent"),
            trace=lambda record: self._recorder.add_trace({"party": "agent", **record}),
            tasks=tasks,
            session_id=self.id,
            seed=scenario.seed,
            shared=shared,
            specs={"agent": scenario.actor("agent")},
        )
        try:
            await seat.actor.start(context)
            await self._answer(AudioFrame(-self.frame, silence(self.frame)))
        except Exception as error:
            raise self._blamed(error, "could not start") from error

    async def hear(self, samples: Samples) -> Samples:
        """Let the agent hear one frame, float32 (frame,), and give the frame it says next, float32 (frame,).

        SimulatorError when the actor fails: the session is over then, its folder says why.
        """
        try:
            _, heard = self._exchange.tick(self.now, samples, self._said)
            self._said = (await self._answer(heard)).samples
        except Exception as error:
            raise self._blamed(error, "failed") from error
        self.now += self.frame
        self._clock.advance(self.now)
        if self.now - self._written >= WRITE_S * self.sample_rate:
            self._written = self.now
            self._recorder.add_events(self._log.take(self.now - self._seat.shape.ticks * self.frame))
        return self._said

    def take_events(self) -> list[Event]:
        """Give the agent's events not yet given, each `at` in session samples: `speech_start` has text and words."""
        told, self._told = self._told, []
        return told

    def note(self, type_: str, **fields: Any) -> None:
        """Add an event of the user party (what the client told), at the present sample."""
        self._log.add(self.now, type_, "user", **fields)

    def fail(self, problem: str) -> None:
        """Say that the session could not be completed, and why; the folder's status will be `failed`."""
        self.problem = self.problem or problem

    async def close(self, status: str = "completed") -> None:
        """Close the actor and finish the folder with a status, `failed` when `fail` was called."""
        try:
            await self._seat.actor.close()
        except Exception as error:  # noqa: BLE001 - a party that cannot leave must not keep the session from being kept
            self.fail(str(self._blamed(error, "did not close")))
        try:
            self._finish(status)
        except OSError as error:
            raise _disk_problem(error) from error

    def _finish(self, status: str) -> None:
        try:
            if self.now:
                # What was said last was sent to the client and belongs into the record, after the client's end.
                self._exchange.tick(self.now, silence(self.frame), self._said)
                self.now += self.frame
        except Exception as error:  # noqa: BLE001 - whatever it said last, the folder is finished
            self.fail(str(self._blamed(error, "failed")))
        self._exchange.close(self.now)
        self._recorder.add_events(self._log.finish(self.now))
        self._recorder.close("failed" if self.problem else status, problem=self.problem)

    def _listen(self, event: Event) -> None:
        if event.party == "agent":
            self._told.append(event)

    async def _answer(self, heard: AudioFrame) -> AudioFrame:
        answer = self._seat.step(heard)
        return answer if isinstance(answer, AudioFrame) else await answer

    def _blamed(self, error: Exception, what: str) -> SimulatorError:
        if isinstance(error, OSError):
            return _disk_problem(error)
        return blamed(error, f"the actor {what} at t={self.now / self.sample_rate:.2f} s")


def _disk_problem(error: OSError) -> SimulatorError:
    return SimulatorError(f"{error.strerror or error}: {error.filename or 'the session folder'}")


def _no_button(key: str) -> bool:  # noqa: ARG001 - a served session has no keys
    return False
