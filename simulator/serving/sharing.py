"""How the sessions of a server share one event loop and a few threads, so that whoever else asks is answered soon.

Every answer, `/health` too, takes the loop four or five rounds. So a round must be short however many sessions there
are, and what computes for long is done in a thread, of which few run at once.
"""

from collections.abc import Callable
from traceback import clear_frames
from typing import Any, TypeVar, cast

import anyio
from anyio.lowlevel import checkpoint

T = TypeVar("T")

THREADS = 2
"""For bodies and long tracks: more would hardly be faster, each keeps the memory of its largest body, and the loop has
to wait for one turn of each before its own comes."""


class Sharing:
    """What the sessions of one server have in common."""

    def __init__(self) -> None:
        self._threads = anyio.CapacityLimiter(THREADS)
        self._way = anyio.Lock()

    async def in_thread(self, work: Callable[..., T], *given: Any) -> T:
        """Do in one of a few threads what would hold up every other client: decoding and encoding of bodies."""
        result, error = await anyio.to_thread.run_sync(_tried, work, given, limiter=self._threads)
        if error is not None:
            raise error
        return cast("T", result)

    async def give_way(self) -> None:
        """Let everybody else have a round of the loop; of the sessions that give way one goes on in each."""
        async with self._way:
            await checkpoint()


def _tried(work: Callable[..., T], given: tuple[Any, ...]) -> tuple[T | None, Exception | None]:
    """Give what came of some work. An error holds on to nothing of it: the bodies of refused requests are large."""
    try:
        return work(*given), None
    except Exception as error:  # noqa: BLE001 - raised again by whoever asked
        inner: BaseException | None = error
        while inner is not None:
            clear_frames(inner.__traceback__)
            inner = inner.__cause__ or inner.__context__
        return None, error.with_traceback(None)
