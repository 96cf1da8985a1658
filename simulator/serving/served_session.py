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

from simulator.actor import Actor
from simulator.call.far_kept import FarKept, untraced
from simulator.call.recording import Recorder
from simulator.call.surroundings import Surroundings
from simulator.call.table import Table
from simulator.clock import VirtualClock
from simulator.errors import SimulatorError
from simulator.events import Event
from simulator.frame import AudioFrame, Samples, silence
from simulator.scenario import Scenario
from simulator.serving.sharing import Sharing


class ServedSession:
    """One client with one actor. sample_rate: Hz of both directions. frame: samples per frame."""

    def __init__(self, scenario: Scenario, recorder: Recorder, shared: dict[Any, Any], sharing: Sharing) -> None:
        """shared: what the sessions of this server have in common. sharing: how they share its loop and threads."""
        self.sample_rate = scenario.sample_rate
        self.frame = scenario.frame_samples
        self.problem: str | None = None
        self.in_thread = sharing.in_thread
        self.give_way = sharing.give_way
        self._recorder = recorder
        self._told: list[Event] = []
        self._clock = VirtualClock()
        self._table = Table(scenario, recorder, Surroundings(shared=shared, listen=self._listen), parties=("agent",))
        self._seat = self._table.seats["agent"]
        self._client = FarKept(self._note, untraced, lambda: self.now / self.sample_rate)
        self._said = silence(self.frame)
        self._ticks = 0

    @property
    def id(self) -> str:
        """The session's id, also its folder's name."""
        return self._recorder.meta.id

    @property
    def folder(self) -> Path:
        """Where it is recorded."""
        return self._recorder.folder

    @property
    def actor(self) -> Actor:
        """The actor, as it is without its rates and frames fitted to the session's."""
        return self._seat.actor

    @property
    def now(self) -> int:
        """How many samples were heard."""
        return self._table.now

    @property
    def done(self) -> bool:
        """Whether the actor has said all it ever will."""
        return self._seat.actor.done

    async def start(self, tasks: anyio.abc.TaskGroup) -> None:
        """Start the actor and let it hear the silence before the session."""
        await self._table.start(self._clock, tasks)
        await self._answer(AudioFrame(-self.frame, silence(self.frame)))

    async def hear(self, samples: Samples) -> Samples:
        """Let the agent hear one frame, float32 (frame,), and give the frame it says next, float32 (frame,).

        SimulatorError when the actor fails: the session is over then, its folder says why.
        """
        _, heard = self._carry(samples)
        self._said = (await self._answer(heard)).samples
        self._clock.advance(self.now)
        self._ticks += 1
        if self._ticks % self._table.ticks_between_looks == 0:
            self._table.look()
        return self._said

    def take_events(self) -> list[Event]:
        """Give the agent's events not yet given, each `at` in session samples: `speech_start` has text and words."""
        told, self._told = self._told, []
        return told

    def note(self, type_: str, **fields: Any) -> None:
        """Add an event of the user party (what the client told), at the present sample."""
        self._client.emit(self.now, type_, **fields)

    def fail(self, problem: str) -> None:
        """Say that the session could not be completed, and why; the folder's status will be `failed`."""
        self.problem = self.problem or problem

    async def close(self, status: str = "completed") -> None:
        """Close the actor and finish the folder with a status, `failed` when `fail` was called."""
        try:
            if self.now:
                # What was said last was sent to the client and belongs into the record, after the client's end.
                self._carry(silence(self.frame))
        except SimulatorError as error:  # whatever it said last, the folder is finished
            self.fail(str(error))
        self._client.close(self.now)
        left_badly = await self._table.leave()
        if left_badly is not None:
            self.fail(str(left_badly))
        try:
            self._table.finish("failed" if self.problem else status, self.problem)
        except OSError as error:
            raise _disk_problem(error) from error

    def _carry(self, samples: Samples) -> tuple[AudioFrame, AudioFrame]:
        try:
            return self._table.carry(samples, self._said, self.frame)
        except OSError as error:
            raise _disk_problem(error) from error

    async def _answer(self, heard: AudioFrame) -> AudioFrame:
        try:
            answer = self._seat.step(heard)
        except Exception as error:
            raise self._table.blamed("agent", error, "failed") from error
        return answer if isinstance(answer, AudioFrame) else await self._table.answer("agent", answer)

    def _note(self, at: int, type_: str, /, **fields: Any) -> None:
        self._table.log.add(at, type_, "user", **fields)

    def _listen(self, event: Event) -> None:
        if event.party == "agent":
            self._told.append(event)


def _disk_problem(error: OSError) -> SimulatorError:
    return SimulatorError(f"{error.strerror or error}: {error.filename or 'the session folder'}")
