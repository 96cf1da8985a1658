"""Runs: many sessions, one after the other or side by side, each kept whatever becomes of the others.

Sessions that share something in the process (a model host) run together on one event loop; all others run in this
process one by one, or in worker processes with --concurrency.
"""

import os
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Protocol

import anyio
import msgspec

from simulator import clock
from simulator.batch.folder import RunFolder
from simulator.batch.job import Played, Row, finish, play
from simulator.batch.plan import Job, Plan
from simulator.conversation import Surroundings
from simulator.events import PARTIES


class Watcher(Protocol):
    """Is told how a run goes; a progress bar, or lines in a pipe."""

    def begin(self, sessions: int) -> None:
        """So many sessions are to be run."""
        ...

    def progress(self, job: Job, samples: int) -> None:
        """A session has reached this sample."""
        ...

    def ended(self, job: Job, row: Row, wall_s: float) -> None:
        """A session has ended and is scored."""
        ...


class Result(msgspec.Struct, kw_only=True):
    """What a run came to: the rows of all its sessions (earlier ones of a resumed run too), in plan order."""

    rows: list[Row]
    interrupted: bool = False


def run_plan(plan: Plan, folder: RunFolder, concurrency: int, watcher: Watcher) -> Result:
    """Run every job that has not been completed yet."""
    todo = [job for job in plan.jobs if job.id not in folder.done]
    rows = dict(folder.done)
    watcher.begin(len(todo))
    for job in todo:
        folder.clear(job.id)

    def ended(job: Job, row: Row, wall_s: float, played: Played) -> None:
        rows[job.id] = row
        folder.append(row, wall_s, msgspec.to_builtins(played.pacing) if played.pacing else None)
        watcher.ended(job, row, wall_s)

    interrupted = False
    together = [job for job in todo if shares_process(job)]
    apart = [job for job in todo if not shares_process(job)]
    try:
        if together:
            _run_together(together, folder.path, concurrency, watcher, ended)
        if len(apart) > 1 and concurrency > 1:
            _run_in_pool(apart, folder.path, concurrency, ended)
        else:
            _run_in_turn(apart, folder.path, watcher, ended)
    except KeyboardInterrupt:
        interrupted = True
        for job in todo:
            if job.id not in rows and (folder.path / job.id).exists():
                row = finish(job, folder.path, Played(status="interrupted", problem="interrupted by Ctrl-C"))
                ended(job, row, 0.0, Played(status="interrupted"))
    return Result(rows=[rows[job.id] for job in plan.jobs if job.id in rows], interrupted=interrupted)


def shares_process(job: Job) -> bool:
    """Say whether a job's parties share something with other sessions in the process (a model host)."""
    return any(job.scenario.actor(party).shares_process for party in PARTIES)


Ended = Callable[[Job, Row, float, Played], None]


def _run_in_turn(jobs: list[Job], folder: Path, watcher: Watcher, ended: Ended) -> None:
    for job in jobs:
        begin = clock.seconds()
        around = Surroundings(progress=lambda samples, job=job: watcher.progress(job, samples))  # type: ignore[misc]
        played = anyio.run(play, job, folder, around)
        row = finish(job, folder, played)
        ended(job, row, clock.seconds() - begin, played)


def _run_in_pool(jobs: list[Job], folder: Path, concurrency: int, ended: Ended) -> None:
    with ProcessPoolExecutor(min(concurrency, len(jobs)), mp_context=get_context("spawn")) as pool:
        futures: dict[Future[tuple[Row, float, Played]], Job] = {pool.submit(run_job, job, folder): job for job in jobs}
        try:
            for future in as_completed(futures):
                row, wall_s, played = future.result()
                ended(futures[future], row, wall_s, played)
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def run_job(job: Job, folder: Path) -> tuple[Row, float, Played]:
    """Play and finish one job: what a worker process does."""
    begin = clock.seconds()
    try:
        played = anyio.run(play, job, folder, Surroundings())
    except KeyboardInterrupt:
        played = Played(status="interrupted", problem="interrupted by Ctrl-C")
    return finish(job, folder, played), clock.seconds() - begin, played


def _run_together(jobs: list[Job], folder: Path, concurrency: int, watcher: Watcher, ended: Ended) -> None:
    """Run sessions side by side on one event loop; annotation and scores run in worker processes meanwhile."""
    anyio.run(_all_together, jobs, folder, concurrency, watcher, ended)


async def _all_together(jobs: list[Job], folder: Path, concurrency: int, watcher: Watcher, ended: Ended) -> None:
    shared: dict[Any, Any] = {}
    limit = anyio.CapacityLimiter(max(concurrency, 1) if concurrency > 1 else max(1, len(jobs)))
    workers = min(os.cpu_count() or 1, len(jobs))
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:

        async def one(job: Job) -> None:
            async with limit:
                begin = clock.seconds()
                around = Surroundings(shared=shared, progress=lambda samples: watcher.progress(job, samples))
                played = await play(job, folder, around)
            future = pool.submit(finish, job, folder, played)
            row = await anyio.to_thread.run_sync(future.result)
            ended(job, row, clock.seconds() - begin, played)

        async with anyio.create_task_group() as tasks:
            for job in jobs:
                tasks.start_soon(one, job)
    for host in shared.values():
        close = getattr(host, "close", None)
        if close is not None:
            await anyio.to_thread.run_sync(close)
