"""The book of a run: asked before a session starts, told when it has ended, whoever plays it.

Money and rows are kept here and nowhere else, so that a new way of playing sessions cannot get them wrong.
"""

from typing import Any, Protocol

import msgspec

from simulator.batch.attempts import Attempts
from simulator.batch.budget import Budget
from simulator.batch.climbing import played_or_next
from simulator.batch.folder import RunFolder
from simulator.batch.job import Outcome, Played, finish, row_of
from simulator.batch.settling import Settling
from simulator.call.recording import end_running
from simulator.call.surroundings import Surroundings
from simulator.errors import sentence
from simulator.planning.job import Job
from simulator.planning.plan import Plan
from simulator.reading.cost import Cost
from simulator.results.row import Row


class Watcher(Protocol):
    """Is told how a run goes; a progress bar, or lines in a pipe."""

    def begin(self, sessions: int) -> None:
        """So many sessions are to be run, beside those that were told before."""
        ...

    def progress(self, job: Job, samples: int) -> None:
        """A session has reached this sample."""
        ...

    def ended(self, job: Job, row: Row, wall_s: float) -> None:
        """A session has ended and is scored."""
        ...


class RunBook:
    """What a run has spent, which rows it has, and what its shared hosts told. folder: where its sessions lie."""

    def __init__(self, plan: Plan, folder: RunFolder, watcher: Watcher) -> None:
        self.folder = folder.path
        self.hosts: list[Any] = []
        self._plan = plan
        self._run_folder = folder
        self._watcher = watcher
        self._budget = Budget(plan)
        self._rows = dict(folder.done)
        self._jobs = played_or_next(plan, self._rows)
        self._settling = Settling(plan)
        self._attempts = Attempts()
        for row in self._rows.values():
            self._settling.note(row)
        self.spared = 0
        """Sessions that were not played because their scenario was decided without them."""

    def begin(self) -> list[Job]:
        """Give the jobs that have not been completed yet, with room made for them and earlier spending counted."""
        todo = [job for job in self._jobs if job.id not in self._run_folder.done]
        self._watcher.begin(sum(map(len, self._plan.lengths_s().values())) - (len(self._jobs) - len(todo)))
        self._run_folder.clear([job.id for job in todo])
        # All of them: a completed session's money is spent, too.
        self._budget.spent_before(self._jobs, self.folder)
        return todo or self.again()

    def again(self) -> list[Job]:
        """Give the sessions that are to be played again, as they are invalid and their scenario says so."""
        self._attempts.follow(self._jobs)
        fresh = self._attempts.next(self._rows)
        if unseen := self._attempts.unseen():
            self._budget.spent_before(unseen, self.folder)
        if fresh:
            self._watcher.begin(len(fresh))
            self._run_folder.clear([job.id for job in fresh])
        return fresh

    def more(self) -> list[Job]:
        """Give what follows from what has ended: the next round of staircases, and sessions that are played again."""
        known = {job.id for job in self._jobs}
        self._jobs = played_or_next(self._plan, self._rows)
        todo = [job for job in self._jobs if job.id not in known]
        self._run_folder.clear([job.id for job in todo])
        return [*todo, *self.again()]

    def may_start(self, job: Job) -> bool:
        """Say whether a session may start: not where its scenario is decided; nor without money, which is noted."""
        if self._settling.settled(job):
            self.spared += 1
            return False
        reason = self._budget.exhausted(job)
        if reason is None:
            return True
        played = Played(status="failed", problem=f"not started: {reason}")
        self.ended(job, Outcome(row_of(job, played), 0.0, played))
        return False

    def around(self, job: Job, shared: dict[Any, Any]) -> Surroundings:
        """Give what a session that plays in this process needs. shared: what it shares with those beside it."""
        return Surroundings(
            shared=shared,
            progress=lambda samples: self._progress(job, samples),
            used=lambda usage: self._budget.used(job, usage),
            stop=lambda: self._budget.exhausted(job) is not None,
        )

    def hand_out(self, job: Job) -> float:
        """Count a session that plays elsewhere with all it may use; gives how many seconds it may run at most."""
        allowance_s = self._budget.allowance_s(job)
        self._budget.reached(job, min(allowance_s, job.length_s()))
        return allowance_s

    def ended(self, job: Job, outcome: Outcome) -> None:
        """Note that a session has ended, and tell the watcher. A full disk costs the session whose row it lacks."""
        row, wall_s, played = outcome
        self._budget.ended(job, self.folder)
        length_s = job.length_s()
        if row.problem is None and (row.duration_s or length_s) < length_s and (spent := self._budget.exhausted(job)):
            row = msgspec.structs.replace(row, problem=f"stopped early: {spent}")
        try:
            self._run_folder.append(row, wall_s, played.pacing)
        except OSError as error:
            row = msgspec.structs.replace(row, status="failed", problem=row.problem or sentence(error))
        self._rows[job.id] = row
        self._settling.note(row)
        self._watcher.ended(job, row, wall_s)

    def lost(self, job: Job, status: str, problem: str) -> None:
        """Note a session that cannot say itself how it ended, as far as its folder goes."""
        played = Played(status=status, problem=problem)
        end_running(self.folder / job.id, status, problem)
        self.ended(job, Outcome(finish(job, self.folder, played), 0.0, played))

    def interrupted(self, jobs: list[Job]) -> None:
        """Note those of these sessions that had begun and have no row; the others have simply not been run."""
        for job in jobs:
            if job.id not in self._rows and (self.folder / job.id).exists():
                self.lost(job, "interrupted", "interrupted by Ctrl-C")

    def rows(self) -> list[Row]:
        """Give the rows there are in plan order, attempts together, earlier ones of a resumed run too."""
        self._attempts.follow(self._jobs)
        return [self._rows[job.id] for job in self._attempts.all() if job.id in self._rows]

    def planned(self) -> int:
        """Give how many sessions there should be by now, attempts that follow one left out."""
        return len(self._jobs)

    def costs(self) -> dict[str, Cost]:
        """Give what each scenario's use of paid systems came to."""
        return self._budget.costs()

    def _progress(self, job: Job, samples: int) -> None:
        self._budget.reached(job, samples / job.scenario.sample_rate)
        self._watcher.progress(job, samples)
