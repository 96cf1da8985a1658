"""In worker processes of this machine, several sessions at a time; each is played and scored where it runs.

What a worker cannot ask (is there money left?) it is told beforehand, as seconds. A worker that dies takes the pool
with it: its sessions are noted, and what still waits goes to new workers.
"""

from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import anyio

from simulator import clock
from simulator.batch.book import RunBook
from simulator.batch.job import Outcome, Played, finish, play
from simulator.call.surroundings import Surroundings
from simulator.planning.job import Job
from simulator.workers import WorkerPool, closed_in_peace, closing, interruptible, interrupts_held

LEAVE_S = 6.0
"""How long a session may take to end by itself after a Ctrl-C before it is told."""


def run_job(job: Job, run_folder: Path, allowance_s: float) -> Outcome:
    """Play and finish one job, for so many seconds of its own time at most: what a worker process does."""
    begin = clock.seconds()
    reached = [0]
    limit = allowance_s * job.scenario.sample_rate
    around = Surroundings(progress=reached.append, stop=lambda: reached[-1] >= limit)
    try:
        with interruptible():
            played = anyio.run(closed_in_peace, play, job, run_folder, around)
    except KeyboardInterrupt:
        played = Played(status="interrupted", problem="interrupted by Ctrl-C")
    return Outcome(finish(job, run_folder, played), clock.seconds() - begin, played)


class InPool:
    """Plays so many sessions at a time, each in a worker process. leave_s: patience after a Ctrl-C, in real seconds."""

    def __init__(self, workers: int, *, leave_s: float = LEAVE_S) -> None:
        self._workers = workers
        self._leave_s = leave_s

    def play(self, jobs: Sequence[Job], book: RunBook) -> None:
        """Hand jobs out in their order."""
        waiting = list(reversed(jobs))  # the next one is popped off the end
        while waiting:
            _Shift(waiting, book, self._workers, self._leave_s).work()


class _Shift:
    """One pool of workers, at work until nothing waits or one of them dies."""

    def __init__(self, waiting: list[Job], book: RunBook, workers: int, leave_s: float) -> None:
        self._leave_s = leave_s
        self._waiting = waiting
        self._book = book
        self._workers = min(workers, len(waiting))
        self._running: dict[Future[Outcome], Job] = {}

    def work(self) -> None:
        """Play what waits; returns with some of it still waiting when a worker has died."""
        with WorkerPool(self._workers) as pool:
            try:
                while self._waiting or self._running:
                    self._hand_out(pool)
                    self._take_in()
            except BrokenProcessPool:
                pool.give_up()
                self._bury()
            except BaseException:
                with closing():
                    self._leave(pool)
                raise

    def _hand_out(self, pool: WorkerPool) -> None:
        """Keep the workers busy; what was spent is looked at before each session."""
        while self._waiting and len(self._running) < self._workers:
            job = self._waiting[-1]
            if self._book.may_start(job):
                allowance_s = self._book.hand_out(job)
                with interrupts_held():
                    self._running[pool.submit(run_job, job, self._book.folder, allowance_s)] = job
            self._waiting.pop()  # only now: a pool that breaks at `submit` leaves the job to the next one

    def _take_in(self) -> None:
        """Wait until at least one session has ended, and note all that have."""
        done, _ = wait(self._running, return_when=FIRST_COMPLETED)
        for future in done:
            outcome = future.result()
            self._book.ended(self._running.pop(future), outcome)

    def _bury(self) -> None:
        """Note what was under way when a worker died; new workers always get a job, so this comes to an end."""
        for future, job in self._running.items():
            if future.done() and future.exception() is None:
                self._book.ended(job, future.result())
            else:
                self._book.lost(job, "failed", "its worker process died, or that of a session beside it")

    def _leave(self, pool: WorkerPool) -> None:
        """Let the sessions that run come to an end, interrupted or not, and keep what became of them."""
        wait(self._running, self._leave_s)  # a Ctrl-C at the terminal has reached the workers too
        pool.interrupt()
        pool.shutdown(wait=True, cancel_futures=True)
        for future, job in self._running.items():
            if not future.cancelled() and future.exception() is None:
                self._book.ended(job, future.result())
