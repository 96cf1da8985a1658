"""Attempts: a session that is invalid by the tester's fault is played again, up to its scenario's `retries`.

Every attempt is a session of its own, with a seed that no trial has, and is kept: `call-0`, `call-0.retry-1` ... Those
that are invalid stay out of pooled values; the first valid one is the last. A session that failed is not played again:
what it failed by (an endpoint that is down) would be asked again and again.
"""

from collections.abc import Mapping, Sequence

import msgspec

from simulator.planning.job import Job
from simulator.reading.playing import MOST_TRIALS
from simulator.results.row import Row

RETRY = ".retry-"
"""In the id of an attempt: no name of a scenario has a dot in its folder's."""

STRIDE = 10 * MOST_TRIALS
"""Between the seeds of two attempts: more than there are trials."""


class Attempts:
    """Knows the attempts of every job of a plan."""

    def __init__(self) -> None:
        self._chains: list[list[Job]] = []
        self._unseen: list[Job] = []

    def follow(self, jobs: Sequence[Job]) -> None:
        """Know the jobs there are by now, in their order: those of a staircase are found on the way."""
        known = {chain[0].id: chain for chain in self._chains}
        self._chains = [known.get(job.id, [job]) for job in jobs]

    def next(self, rows: Mapping[str, Row]) -> list[Job]:
        """Give the attempts that are due by these rows, by id; those that are in them already are taken as they are."""
        due: list[Job] = []
        for chain in self._chains:
            while (row := rows.get(chain[-1].id)) is not None and self._is_due(chain, row):
                chain.append(_again(chain[0], len(chain)))
                self._unseen.append(chain[-1])
            if len(chain) > 1 and chain[-1].id not in rows:
                due.append(chain[-1])
        return due

    def unseen(self) -> list[Job]:
        """Give the attempts that were found since this was last asked."""
        found, self._unseen = self._unseen, []
        return found

    def all(self) -> list[Job]:
        """Give every attempt there is, in the order of the plan."""
        return [job for chain in self._chains for job in chain]

    def _is_due(self, chain: Sequence[Job], row: Row) -> bool:
        return row.status == "completed" and bool(row.invalid) and len(chain) <= chain[0].scenario.retries


def _again(job: Job, number: int) -> Job:
    scenario = msgspec.structs.replace(job.scenario, seed=job.scenario.seed + number * STRIDE)
    return msgspec.structs.replace(job, id=f"{job.id}{RETRY}{number}", scenario=scenario)
