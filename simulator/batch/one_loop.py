"""On one event loop of this process, side by side: sessions that share something in it (a model host).

They wait for each other inside the host's batch, so they must be in the same process and go on together. Annotation
and scores need nothing of that and run in worker processes meanwhile.
"""

import os
from collections.abc import Sequence
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import anyio

from simulator import clock
from simulator.batch.book import RunBook
from simulator.batch.job import Outcome, Played, finish, play
from simulator.batch.limits import Admission
from simulator.planning.job import Job
from simulator.results.row import Row
from simulator.workers import WorkerPool, closed_in_peace, interrupts_held


class OneLoop:
    """Plays sessions side by side; concurrency: so many at most, 1: as many as find a place in what they share."""

    def __init__(self, concurrency: int) -> None:
        self._concurrency = concurrency

    def play(self, jobs: Sequence[Job], book: RunBook) -> None:
        """Play jobs, each as soon as it finds a place."""
        with WorkerPool(min(os.cpu_count() or 1, len(jobs))) as pool:
            anyio.run(closed_in_peace, _Gathering(book, Admission(self._concurrency), pool).play, jobs)


class _Gathering:
    """The sessions of one event loop, what they share, and the workers that score them."""

    def __init__(self, book: RunBook, limits: Admission, scorers: WorkerPool) -> None:
        self._book = book
        self._limits = limits
        self._scorers = scorers
        self._shared: dict[Any, Any] = {}

    async def play(self, jobs: Sequence[Job]) -> None:
        """Play all jobs; what they shared is closed afterwards, whatever happened."""
        try:
            async with anyio.create_task_group() as tasks:
                for job in jobs:
                    tasks.start_soon(self._play_one, job)
        finally:
            with anyio.CancelScope(shield=True):
                await self._let_go()

    async def _play_one(self, job: Job) -> None:
        async with self._limits.of(job):
            if not self._book.may_start(job):
                return
            begin = clock.seconds()
            played = await play(job, self._book.folder, self._book.around(job, self._shared))
        # The place is free again: scoring needs none.
        row = await self._finished(job, played)
        self._book.ended(job, Outcome(row, clock.seconds() - begin, played))

    async def _finished(self, job: Job, played: Played) -> Row:
        try:
            with interrupts_held():
                future = self._scorers.submit(finish, job, self._book.folder, played)
            return await anyio.to_thread.run_sync(future.result)
        except BrokenProcessPool:  # then here, one after the other
            self._scorers.give_up()
            return await anyio.to_thread.run_sync(finish, job, self._book.folder, played)

    async def _let_go(self) -> None:
        """Ask what the sessions shared for its report, and close it."""
        for host in self._shared.values():
            if hasattr(host, "report"):
                self._book.hosts.append(host.report())
            if hasattr(host, "close"):
                await anyio.to_thread.run_sync(host.close)
