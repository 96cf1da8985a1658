"""Runs: many sessions, each kept whatever becomes of the others; which executor plays which of them is decided here."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from simulator.batch.book import RunBook, Watcher
from simulator.batch.executor import Executor, InTurn
from simulator.batch.folder import RunFolder
from simulator.batch.in_pool import InPool
from simulator.batch.one_loop import OneLoop
from simulator.events import PARTIES
from simulator.planning.job import Job
from simulator.planning.plan import Plan
from simulator.reading.cost import Cost
from simulator.results.row import Row
from simulator.workers import closing


class Result(msgspec.Struct, kw_only=True):
    """What a run came to: the rows of all its sessions (earlier ones of a resumed run too), in plan order.

    planned: the sessions there should be. spared: sessions that were not needed, as their scenario was decided without
    them. hosts: what the model hosts that sessions shared report of themselves. costs: what each scenario's use of paid
    systems came to.
    """

    rows: list[Row]
    interrupted: bool = False
    planned: int = 0
    spared: int = 0
    hosts: list[Any] = []
    costs: dict[str, Cost] = {}


Assigned = list[tuple[Executor, list[Job]]]
"""Who plays what, one executor after the other."""


def shares_process(job: Job) -> bool:
    """Say whether a job's parties share something with other sessions in the process (a model host)."""
    return any(job.scenario.actor(party).traits().host for party in PARTIES)


def assign(jobs: Sequence[Job], concurrency: int) -> Assigned:
    """Say who plays what: what shares something on one loop; all others in turn, or in workers with --concurrency."""
    together = [job for job in jobs if shares_process(job)]
    apart = [job for job in jobs if not shares_process(job)]
    # One session alone gains nothing from a worker, which takes a second to start.
    alone: Executor = InPool(concurrency) if concurrency > 1 and len(apart) > 1 else InTurn()
    shares: Assigned = [(OneLoop(concurrency), together), (alone, apart)]
    return [(executor, given) for executor, given in shares if given]


Assign = Callable[[Sequence[Job], int], Assigned]


def assign_elsewhere(elsewhere: Executor) -> Assign:
    """Give the `assign` of a run that is played elsewhere. What keeps the wall clock is played here all the same: its
    far ends were looked for from here, and machines that others use, too, are late.
    """

    def assigned(jobs: Sequence[Job], concurrency: int) -> Assigned:
        here = [job for job in jobs if job.scenario.wall() is not None]
        there = [job for job in jobs if job.scenario.wall() is None]
        return [*([(elsewhere, there)] if there else []), *assign(here, concurrency)]

    return assigned


def run_plan(
    plan: Plan,
    folder: RunFolder,
    concurrency: int,
    watcher: Watcher,
    assign: Assign = assign,
) -> Result:
    """Run every job that has not been completed yet; Ctrl-C closes what runs and leaves the rest."""
    book = RunBook(plan, folder, watcher)
    todo = book.begin()
    interrupted = False
    try:
        while todo:
            for executor, jobs in assign(todo, concurrency):
                executor.play(jobs, book)
            todo = book.more()
    except KeyboardInterrupt:
        interrupted = True
        with closing():
            book.interrupted(todo)
    return Result(
        rows=book.rows(),
        interrupted=interrupted,
        planned=book.planned(),
        spared=book.spared,
        hosts=book.hosts,
        costs=book.costs(),
    )
