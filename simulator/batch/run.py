"""Runs: many sessions, one after the other or side by side, each kept whatever becomes of the others.

Sessions that share something in the process (a model host) run together on one event loop; all others run in this
process one by one, or in worker processes with --concurrency.
"""

import os
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from pathlib import Path
from typing import Any, Protocol

import anyio
import msgspec

from simulator import clock
from simulator.batch.budget import Budget
from simulator.batch.folder import RunFolder
from simulator.batch.job import Played, Row, finish, play, row_of
from simulator.batch.plan import Job, Plan
from simulator.batch.workers import interruptible, interrupts_held, worker_pool
from simulator.cost import Cost
from simulator.errors import sentence
from simulator.events import PARTIES
from simulator.surroundings import Surroundings


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
    """What a run came to: the rows of all its sessions (earlier ones of a resumed run too), in plan order.

    hosts: what the model hosts that sessions shared report of themselves. costs: what each scenario's use of paid
    systems came to.
    """

    rows: list[Row]
    interrupted: bool = False
    hosts: list[Any] = []
    costs: dict[str, Cost] = {}


def run_plan(plan: Plan, folder: RunFolder, concurrency: int, watcher: Watcher) -> Result:
    """Run every job that has not been completed yet."""
    todo = [job for job in plan.jobs if job.id not in folder.done]
    rows = dict(folder.done)
    budget = Budget(plan)
    watcher.begin(len(todo))
    for job in todo:
        folder.clear(job.id)

    def ended(job: Job, row: Row, wall_s: float, played: Played) -> None:
        budget.ended(job, folder.path)
        try:
            folder.append(row, wall_s, msgspec.to_builtins(played.pacing) if played.pacing else None)
        except OSError as error:
            row = msgspec.structs.replace(row, status="failed", problem=row.problem or sentence(error))
        rows[job.id] = row
        watcher.ended(job, row, wall_s)

    interrupted = False
    hosts: list[Any] = []
    together = [job for job in todo if shares_process(job)]
    apart = [job for job in todo if not shares_process(job)]
    try:
        if together:
            _run_together(together, folder.path, concurrency, watcher, ended, budget, hosts)
        if len(apart) > 1 and concurrency > 1:
            _run_in_pool(apart, folder.path, concurrency, ended, budget)
        else:
            _run_in_turn(apart, folder.path, watcher, ended, budget)
    except KeyboardInterrupt:
        interrupted = True
        for job in todo:
            if job.id not in rows and (folder.path / job.id).exists():
                row = finish(job, folder.path, Played(status="interrupted", problem="interrupted by Ctrl-C"))
                ended(job, row, 0.0, Played(status="interrupted"))
    in_order = [rows[job.id] for job in plan.jobs if job.id in rows]
    return Result(rows=in_order, interrupted=interrupted, hosts=hosts, costs=budget.costs())


def shares_process(job: Job) -> bool:
    """Say whether a job's parties share something with other sessions in the process (a model host)."""
    return any(job.scenario.actor(party).shares_process for party in PARTIES)


Ended = Callable[[Job, Row, float, Played], None]


def _around(job: Job, watcher: Watcher, budget: Budget, shared: dict[Any, Any]) -> Surroundings:
    return Surroundings(
        shared=shared,
        progress=lambda samples: watcher.progress(job, samples),
        used=lambda usage: budget.used(job, usage),
        stop=lambda: budget.exhausted(job) is not None,
    )


def _unspent(job: Job, budget: Budget, ended: Ended) -> bool:
    """Say whether a session may start; one that may not is noted as failed with the reason, and costs nothing."""
    reason = budget.exhausted(job)
    if reason is None:
        return True
    played = Played(status="failed", problem=f"not started: {reason}")
    ended(job, row_of(job, played), 0.0, played)
    return False


def _run_in_turn(jobs: list[Job], folder: Path, watcher: Watcher, ended: Ended, budget: Budget) -> None:
    for job in jobs:
        if not _unspent(job, budget, ended):
            continue
        begin = clock.seconds()
        played = anyio.run(play, job, folder, _around(job, watcher, budget, {}))
        row = finish(job, folder, played)
        ended(job, row, clock.seconds() - begin, played)


def _run_in_pool(jobs: list[Job], folder: Path, concurrency: int, ended: Ended, budget: Budget) -> None:
    """Keep `concurrency` worker processes busy; what was spent is looked at before each session is handed out."""
    waiting = list(reversed(jobs))
    with worker_pool(min(concurrency, len(jobs))) as pool:
        running: dict[Future[tuple[Row, float, Played]], Job] = {}
        try:
            while waiting or running:
                while waiting and len(running) < concurrency:
                    job = waiting.pop()
                    if _unspent(job, budget, ended):
                        with interrupts_held():
                            running[pool.submit(run_job, job, folder)] = job
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    row, wall_s, played = future.result()
                    ended(running.pop(future), row, wall_s, played)
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def run_job(job: Job, folder: Path) -> tuple[Row, float, Played]:
    """Play and finish one job: what a worker process does."""
    begin = clock.seconds()
    try:
        with interruptible():
            played = anyio.run(play, job, folder, Surroundings())
    except KeyboardInterrupt:
        played = Played(status="interrupted", problem="interrupted by Ctrl-C")
    return finish(job, folder, played), clock.seconds() - begin, played


def _run_together(
    jobs: list[Job], folder: Path, concurrency: int, watcher: Watcher, ended: Ended, budget: Budget, hosts: list[Any]
) -> None:
    """Run sessions side by side on one event loop; annotation and scores run in worker processes meanwhile.

    hosts: takes the reports of what the sessions shared.
    """
    anyio.run(_all_together, jobs, folder, concurrency, watcher, ended, budget, hosts)


def slots_of(jobs: list[Job]) -> list[int]:
    """Give the slots of every model that the jobs share: more sessions than that would only hold files open."""
    parties = [job.scenario.actor(party) for job in jobs[:1] for party in PARTIES]
    specs = {id(spec): spec for spec in parties if hasattr(spec, "slots")}
    return [spec.slots for spec in specs.values()]


async def _all_together(
    jobs: list[Job], folder: Path, concurrency: int, watcher: Watcher, ended: Ended, budget: Budget, hosts: list[Any]
) -> None:
    shared: dict[Any, Any] = {}
    limit = anyio.CapacityLimiter(concurrency if concurrency > 1 else sum(slots_of(jobs)) + 2)
    workers = min(os.cpu_count() or 1, len(jobs))
    with worker_pool(workers) as pool:

        async def one(job: Job) -> None:
            async with limit:
                if not _unspent(job, budget, ended):
                    return
                begin = clock.seconds()
                played = await play(job, folder, _around(job, watcher, budget, shared))
            with interrupts_held():
                future = pool.submit(finish, job, folder, played)
            row = await anyio.to_thread.run_sync(future.result)
            ended(job, row, clock.seconds() - begin, played)

        try:
            async with anyio.create_task_group() as tasks:
                for job in jobs:
                    tasks.start_soon(one, job)
        finally:
            with anyio.CancelScope(shield=True):
                for host in shared.values():
                    if hasattr(host, "report"):
                        hosts.append(host.report())
                    if hasattr(host, "close"):
                        await anyio.to_thread.run_sync(host.close)
