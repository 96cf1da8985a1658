"""In this process, one session after the other."""

from collections.abc import Sequence

import anyio

from simulator import clock
from simulator.batch.book import RunBook
from simulator.batch.job import Outcome, finish, play
from simulator.planning.job import Job
from simulator.workers import closed_in_peace


class InTurn:
    """Plays one session at a time, each on an event loop of its own: what one leaves behind cannot reach the next."""

    def play(self, jobs: Sequence[Job], book: RunBook) -> None:
        """Play jobs in their order."""
        for job in jobs:
            if book.may_start(job):
                begin = clock.seconds()
                played = anyio.run(closed_in_peace, play, job, book.folder, book.around(job, {}))
                row = finish(job, book.folder, played)
                book.ended(job, Outcome(row, clock.seconds() - begin, played))
