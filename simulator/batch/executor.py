"""What every executor does: play jobs, each as far as it goes, and keep the run's book.

An executor asks `book.may_start(job)` before each session, plays it with `book.around(job)` in this process or for
`book.hand_out(job)` seconds at most elsewhere, and tells `book.ended(job, outcome)` when it is over. Another way of
playing (other machines) is one more file beside this one, and a line in `run.py` that says which jobs it gets. The
simplest is here: one session after the other.
"""

from collections.abc import Sequence
from typing import Protocol

import anyio

from simulator import clock
from simulator.batch.book import RunBook
from simulator.batch.job import Outcome, finish, play
from simulator.planning.job import Job
from simulator.workers import closed_in_peace


class Executor(Protocol):
    """Plays sessions; how many at a time, and where, is its own affair."""

    def play(self, jobs: Sequence[Job], book: RunBook) -> None:
        """Play jobs until all have ended; a session's own failure is an outcome like any other.

        KeyboardInterrupt passes through, when what was under way has been closed and what is known has been told.
        """
        ...


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
