"""Conversations: a call on one of the two clocks, from the first frame to the closed folder, whatever happens."""

import anyio

from simulator.call.playing import play_virtual, play_wall
from simulator.call.recording import Recorder
from simulator.call.surroundings import Pacing, Surroundings
from simulator.call.table import Table
from simulator.clock import VirtualClock, WallClock
from simulator.errors import sentence, single
from simulator.events import EventLog
from simulator.scenario import Scenario


class Conversation:
    """One session from start to end. `run` plays it and closes the recorder whatever happens."""

    def __init__(self, scenario: Scenario, recorder: Recorder, surroundings: Surroundings) -> None:
        self._scenario = scenario
        self._table = Table(scenario, recorder, surroundings)
        self.pacing: Pacing | None = None

    @property
    def log(self) -> EventLog:
        """The events of the session."""
        return self._table.log

    @property
    def remark(self) -> str | None:
        """What a completed session's status adds: a trace that no longer fits what was heard, responses that failed."""
        return self._table.remark

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
                    left_badly = await self._table.leave()
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
            self._table.finish(status, problem)

    async def _play(self) -> None:
        wall = self._scenario.wall()
        async with anyio.create_task_group() as tasks:
            try:
                if wall is None:
                    clock = VirtualClock()
                    await self._table.start(clock, tasks)
                    await play_virtual(self._table, clock)
                else:
                    await self._play_wall(tasks, strict=wall.strict)
            finally:
                tasks.cancel_scope.cancel()

    async def _play_wall(self, tasks: anyio.abc.TaskGroup, *, strict: bool) -> None:
        clock = WallClock(self._scenario.sample_rate)
        await self._table.start(clock, tasks)
        self.pacing = Pacing()
        await play_wall(self._table, clock, tasks, self.pacing, strict=strict)
