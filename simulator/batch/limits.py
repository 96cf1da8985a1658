"""How many sessions that share a model run side by side: as many as find a place in it.

On the virtual clock two more wait for the next places, so that none stays empty. On the wall clock a session that finds
no place fails, so none starts before there is one.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from simulator.batch.plan import Job
from simulator.events import PARTIES

WAITING = 2


class Limits:
    """Lets sessions go on when it is their turn. concurrency: at most so many at once; 1: as many as find a place."""

    def __init__(self, concurrency: int) -> None:
        self._concurrency = concurrency
        self._all = anyio.CapacityLimiter(concurrency if concurrency > 1 else float("inf"))
        self._by_model: dict[tuple[str, ...], anyio.CapacityLimiter] = {}

    @asynccontextmanager
    async def of(self, job: Job) -> AsyncIterator[None]:
        """Hold a session's turn while the block runs."""
        names, room = room_for(job)
        wall = job.scenario.wall()
        if wall or self._concurrency == 1:
            count = room if wall else room + WAITING
            async with self._by_model.setdefault(names, anyio.CapacityLimiter(count)), self._all:
                yield
        else:
            async with self._all:
                yield


def room_for(job: Job) -> tuple[tuple[str, ...], int]:
    """Name what a session shares with others, and say how many such sessions find a place in it: at least one."""
    places = [found for party in PARTIES if (found := job.scenario.actor(party).places) is not None]
    names = [name for name, _ in places]
    rooms = [slots // names.count(name) for name, slots in places]
    return tuple(sorted(set(names))), max(1, min(rooms, default=1))
