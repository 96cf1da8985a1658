"""Runs: many sessions, one after the other or side by side, each kept whatever becomes of the others.

Sessions that share something in the process (a model host) run together on one event loop; all others run in this
process one by one, or in worker processes with --concurrency.
"""

import os
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, Protocol

import anyio
import msgspec

from simulator import clock
from simulator.batch.budget import Budget
from simulator.batch.folder import RunFolder
from simulator.batch.job import Played, Row, finish, play, row_of
from simulator.batch.limits import Admission
from simulator.batch.plan import Job, Plan
from simulator.call.surroundings import Surroundings
from simulator.errors import sentence
from simulator.events import PARTIES
from simulator.reading.cost import Cost
from simulator.workers import WorkerPool, interruptible, interrupts_held

LEAVE_S = 6.0
"""How long a session may take to end by itself after a Ctrl-C before it is told."""


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
    return _Run(plan, folder, concurrency, watcher).run()


def shares_process(job: Job) -> bool:
    """Say whether a job's parties share something with other sessions in the process (a model host)."""
    return any(job.scenario.actor(party).shares_process for party in PARTIES)


def run_job(job: Job, folder: Path, allowance_s: float) -> tuple[Row, float, Played]:
    """Play and finish one job, for so long at most: what a worker process does."""
    begin = clock.seconds()
    reached = [0]
    limit = allowance_s * job.scenario.sample_rate
    around = Surroundings(progress=reached.append, stop=lambda: reached[-1] >= limit)
    try:
        with interruptible():
            played = anyio.run(play, job, folder, around)
    except KeyboardInterrupt:
        played = Played(status="interrupted", problem="interrupted by Ctrl-C")
    return finish(job, folder, played), clock.seconds() - begin, played


class _Run:
    """One run: what it has spent, which rows it has, and the three ways in which its sessions are played."""

    def __init__(self, plan: Plan, folder: RunFolder, concurrency: int, watcher: Watcher) -> None:
        self._plan = plan
        self._folder = folder
        self._concurrency = concurrency
        self._watcher = watcher
        self._budget = Budget(plan)
        self._rows = dict(folder.done)
        self._hosts: list[Any] = []

    def run(self) -> Result:
        """Run what is to be done; Ctrl-C closes what runs and leaves the rest."""
        todo = [job for job in self._plan.jobs if job.id not in self._folder.done]
        self._watcher.begin(len(todo))
        for job in todo:
            self._folder.clear(job.id)
        for job in self._plan.jobs:
            self._budget.spent_before(job, self._folder.path)
        interrupted = False
        try:
            self._play(todo)
        except KeyboardInterrupt:
            interrupted = True
            self._note_interrupted(todo)
        rows = [self._rows[job.id] for job in self._plan.jobs if job.id in self._rows]
        return Result(rows=rows, interrupted=interrupted, hosts=self._hosts, costs=self._budget.costs())

    def _play(self, todo: list[Job]) -> None:
        together = [job for job in todo if shares_process(job)]
        apart = [job for job in todo if not shares_process(job)]
        if together:
            anyio.run(self._play_together, together)
        if len(apart) > 1 and self._concurrency > 1:
            self._play_in_pool(apart)
        else:
            self._play_in_turn(apart)

    def _note_interrupted(self, todo: list[Job]) -> None:
        for job in todo:
            if job.id not in self._rows and (self._folder.path / job.id).exists():
                played = Played(status="interrupted", problem="interrupted by Ctrl-C")
                self._ended(job, finish(job, self._folder.path, played), 0.0, played)

    def _ended(self, job: Job, row: Row, wall_s: float, played: Played) -> None:
        self._budget.ended(job, self._folder.path)
        length_s = job.scenario.ticks() * job.scenario.frame_ms / 1000
        if row.problem is None and (row.duration_s or length_s) < length_s and (spent := self._budget.exhausted(job)):
            row = msgspec.structs.replace(row, problem=f"stopped early: {spent}")
        try:
            self._folder.append(row, wall_s, msgspec.to_builtins(played.pacing) if played.pacing else None)
        except OSError as error:
            row = msgspec.structs.replace(row, status="failed", problem=row.problem or sentence(error))
        self._rows[job.id] = row
        self._watcher.ended(job, row, wall_s)

    def _unspent(self, job: Job) -> bool:
        """Say whether a session may start; one that may not is noted as failed with the reason, and costs nothing."""
        reason = self._budget.exhausted(job)
        if reason is None:
            return True
        played = Played(status="failed", problem=f"not started: {reason}")
        self._ended(job, row_of(job, played), 0.0, played)
        return False

    def _around(self, job: Job, shared: dict[Any, Any]) -> Surroundings:
        return Surroundings(
            shared=shared,
            progress=lambda samples: self._progress(job, samples),
            used=lambda usage: self._budget.used(job, usage),
            stop=lambda: self._budget.exhausted(job) is not None,
        )

    def _progress(self, job: Job, samples: int) -> None:
        self._budget.reached(job, samples / job.scenario.sample_rate)
        self._watcher.progress(job, samples)

    def _play_in_turn(self, jobs: list[Job]) -> None:
        for job in jobs:
            if self._unspent(job):
                begin = clock.seconds()
                played = anyio.run(play, job, self._folder.path, self._around(job, {}))
                row = finish(job, self._folder.path, played)
                self._ended(job, row, clock.seconds() - begin, played)

    def _play_in_pool(self, jobs: list[Job]) -> None:
        """Keep the worker processes busy; what was spent is looked at before each session is handed out."""
        waiting = list(reversed(jobs))
        while waiting:
            with WorkerPool(min(self._concurrency, len(waiting))) as pool:
                running: dict[Future[tuple[Row, float, Played]], Job] = {}
                try:
                    self._keep_busy(pool, waiting, running)
                except BrokenProcessPool:
                    if not running:
                        raise
                    for future, job in running.items():
                        if future.done() and future.exception() is None:
                            self._ended(job, *future.result())
                        else:
                            self._note_dead(job)
                except BaseException:
                    self._leave(pool, running)
                    raise

    def _leave(self, pool: WorkerPool, running: dict[Future[tuple[Row, float, Played]], Job]) -> None:
        """Let the sessions that run come to an end, interrupted or not, and keep what became of them."""
        wait(running, LEAVE_S)  # a Ctrl-C at the terminal has reached the workers too
        pool.interrupt()
        pool.shutdown(wait=True, cancel_futures=True)
        for future, job in running.items():
            if not future.cancelled() and future.exception() is None:
                self._ended(job, *future.result())

    def _keep_busy(
        self, pool: WorkerPool, waiting: list[Job], running: dict[Future[tuple[Row, float, Played]], Job]
    ) -> None:
        """Hand out what waits until all of it is done. BrokenProcessPool: a worker died, and `running` is lost."""
        while waiting or running:
            while waiting and len(running) < self._concurrency:
                if self._unspent(waiting[-1]):
                    running[self._handed_out(waiting[-1], pool)] = waiting[-1]
                waiting.pop()
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                row, wall_s, played = future.result()
                self._ended(running.pop(future), row, wall_s, played)

    def _note_dead(self, job: Job) -> None:
        played = Played(status="failed", problem="its worker process died, or that of a session beside it")
        self._ended(job, finish(job, self._folder.path, played), 0.0, played)

    def _handed_out(self, job: Job, pool: WorkerPool) -> Future[tuple[Row, float, Played]]:
        allowance_s = self._budget.allowance_s(job)
        length_s = job.scenario.ticks() * job.scenario.frame_ms / 1000
        self._budget.reached(job, min(allowance_s, length_s))
        with interrupts_held():
            return pool.submit(run_job, job, self._folder.path, allowance_s)

    async def _play_together(self, jobs: list[Job]) -> None:
        """Play sessions side by side on one event loop; annotation and scores run in worker processes meanwhile."""
        shared: dict[Any, Any] = {}
        limits = Admission(self._concurrency)
        with WorkerPool(min(os.cpu_count() or 1, len(jobs))) as pool:

            async def one(job: Job) -> None:
                async with limits.of(job):
                    if not self._unspent(job):
                        return
                    begin = clock.seconds()
                    played = await play(job, self._folder.path, self._around(job, shared))
                try:
                    with interrupts_held():
                        future = pool.submit(finish, job, self._folder.path, played)
                    row = await anyio.to_thread.run_sync(future.result)
                except BrokenProcessPool:  # then here, one after the other
                    row = await anyio.to_thread.run_sync(finish, job, self._folder.path, played)
                self._ended(job, row, clock.seconds() - begin, played)

            try:
                async with anyio.create_task_group() as tasks:
                    for job in jobs:
                        tasks.start_soon(one, job)
            finally:
                with anyio.CancelScope(shield=True):
                    await self._let_go(shared)

    async def _let_go(self, shared: dict[Any, Any]) -> None:
        """Ask what the sessions shared for its report, and close it."""
        for host in shared.values():
            if hasattr(host, "report"):
                self._hosts.append(host.report())
            if hasattr(host, "close"):
                await anyio.to_thread.run_sync(host.close)
