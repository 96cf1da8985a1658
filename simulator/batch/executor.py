"""What every executor does: play jobs, each as far as it goes, and keep the run's book.

An executor asks `book.may_start(job)` before each session, plays it with `book.around(job)` in this process or for
`book.hand_out(job)` seconds at most elsewhere, and tells `book.ended(job, outcome)` when it is over. Another way of
playing (other machines) is one more file beside these, and a line in `run.py` that says which jobs it gets.
"""

from collections.abc import Sequence
from typing import Protocol

from simulator.batch.book import RunBook
from simulator.planning.job import Job


class Executor(Protocol):
    """Plays sessions; how many at a time, and where, is its own affair."""

    def play(self, jobs: Sequence[Job], book: RunBook) -> None:
        """Play jobs until all have ended; a session's own failure is an outcome like any other.

        KeyboardInterrupt passes through, when what was under way has been closed and what is known has been told.
        """
        ...
