"""How many sessions that share a model run side by side: as many as find a place in it.

On the virtual clock two more wait for the next places, so that none stays empty. On the wall clock a session that finds
no place fails, so none starts before there is one.
"""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from simulator.batch.plan import Job
from simulator.events import PARTIES

WAITING = 2

Room = tuple[str, bool]
"""A loaded model, by name, and whether it runs on the wall clock: that is another copy of it."""


class Admission:
    """Lets sessions go on when it is their turn. concurrency: at most so many at once; 1: as many as find a place."""

    def __init__(self, concurrency: int) -> None:
        self._concurrency = concurrency
        self._all = anyio.CapacityLimiter(concurrency if concurrency > 1 else float("inf"))
        self._free: dict[Room, int] = {}
        self._given_back = anyio.Condition()

    @asynccontextmanager
    async def of(self, job: Job) -> AsyncIterator[None]:
        """Hold a session's turn while the block runs."""
        needed = self._needed(job)
        async with self._all:
            async with self._given_back:
                while any(self._free[room] < count for room, count in needed.items()):
                    await self._given_back.wait()
                for room, count in needed.items():
                    self._free[room] -= count
            try:
                yield
            finally:
                with anyio.CancelScope(shield=True):
                    async with self._given_back:
                        for room, count in needed.items():
                            self._free[room] += count
                        self._given_back.notify_all()

    def _needed(self, job: Job) -> dict[Room, int]:
        """Give the places a session takes, no more than there are at all: one that asks for more says so itself."""
        wall = job.scenario.wall() is not None
        if not wall and self._concurrency > 1:
            return {}
        places = [found for party in PARTIES if (found := job.scenario.actor(party).places) is not None]
        counts = Counter(name for name, _ in places)
        rooms = {(name, wall): slots if wall else slots + WAITING for name, slots in places}
        for room, size in rooms.items():
            self._free.setdefault(room, size)
        return {(name, wall): min(count, rooms[name, wall]) for name, count in counts.items()}
