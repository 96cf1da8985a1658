"""How many sessions that share a model run side by side: as many as find a place in it.

On the virtual clock two more wait for the next places, so that none stays empty. On the wall clock a session that finds
no place fails, so none starts before there is one.
"""

import math
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import anyio

from simulator.events import PARTIES
from simulator.planning.job import Job

WAITING = 2
"""So many more than the model has places on the virtual clock: one that is being opened or closed leaves none empty."""

Shared = tuple[str, bool]
"""A loaded model, by name, and whether it runs on the wall clock: that is another copy of it."""


class Admission:
    """Lets sessions go on when it is their turn. concurrency: at most so many at once; 1: as many as find a place."""

    def __init__(self, concurrency: int) -> None:
        self._concurrency = concurrency
        self._all = anyio.CapacityLimiter(concurrency if concurrency > 1 else math.inf)
        self._free: dict[Shared, int] = {}
        self._given_back = anyio.Condition()

    @asynccontextmanager
    async def of(self, job: Job) -> AsyncIterator[None]:
        """Hold a session's turn while the block runs."""
        needed = self._needed(job)
        async with self._all:
            await self._take(needed)
            try:
                yield
            finally:
                # A cancelled session gives its places back all the same, or those who wait for them wait for ever.
                with anyio.CancelScope(shield=True):
                    await self._give_back(needed)

    async def _take(self, needed: Mapping[Shared, int]) -> None:
        """Wait until all places are free at once: two sessions that each hold half of what they need would stand."""
        async with self._given_back:
            while any(self._free[shared] < count for shared, count in needed.items()):
                await self._given_back.wait()
            for shared, count in needed.items():
                self._free[shared] -= count

    async def _give_back(self, needed: Mapping[Shared, int]) -> None:
        async with self._given_back:
            for shared, count in needed.items():
                self._free[shared] += count
            self._given_back.notify_all()

    def _needed(self, job: Job) -> dict[Shared, int]:
        """Give the places a session takes, no more than there are at all: one that asks for more says so itself."""
        wall = job.scenario.wall() is not None
        if not wall and self._concurrency > 1:
            return {}
        hosts = [host for party in PARTIES if (host := job.scenario.actor(party).traits().host) is not None]
        counts = Counter(host.name for host in hosts)
        sizes = {(host.name, wall): host.places if wall else host.places + WAITING for host in hosts}
        for shared, size in sizes.items():
            self._free.setdefault(shared, size)
        return {(name, wall): min(count, sizes[name, wall]) for name, count in counts.items()}
