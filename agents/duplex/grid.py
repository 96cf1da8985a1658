"""The frame grid on the wall clock: when sessions begin, and how long a step waits for a late one.

Every session begins at a point of the host's grid, so all of them hand in their frames within moments of each
other. A step is due when all have; it waits no longer than a grace after the first. Nothing is ever caught up
in bursts.
"""

import asyncio
from collections.abc import Callable

from agents.duplex.slots import Rhythm
from simulator.clock import seconds

GRACE = 0.25
"""The share of a step that it waits for late frames after the first one has come."""


class Grid:
    """Points `step_s` apart since the grid was made, and a timer for the step that is gathering."""

    def __init__(self, step_s: float) -> None:
        self.step_s = step_s
        self.rhythm = Rhythm(step_s, GRACE * step_s)
        self._origin_s = seconds()
        self._timer: asyncio.TimerHandle | None = None

    def to_next_point_s(self) -> float:
        """Seconds from now to the next point."""
        return self.step_s - (seconds() - self._origin_s) % self.step_s

    def finish_at_next_point(self, future: "asyncio.Future[None]") -> None:
        """Finish the future at the next point: a session that begins then is in step with the others."""
        asyncio.get_running_loop().call_later(self.to_next_point_s(), _finish, future)

    def gather(self, over: Callable[[], None]) -> None:
        """A frame has come: call `over` when the grace is over, unless the step begins before."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self.rhythm.grace_s, over)

    def gathered(self) -> None:
        """The step begins: nobody is waited for any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _finish(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)
