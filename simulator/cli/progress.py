"""Progress while a run goes: one bar per run on a terminal (a line per session with -v), plain lines in a pipe."""

import sys
from types import TracebackType
from typing import Any, Self

from simulator import clock
from simulator.cli.console import console
from simulator.planning.job import Job
from simulator.planning.plan import Plan
from simulator.results.row import Row


def watcher(plan: Plan, *, quiet: bool, verbose: bool) -> "Bar | Plain":
    """Give what shows a run's progress: a bar on a terminal, lines in a pipe, nothing when quiet."""
    if not quiet and sys.stderr.isatty():
        return Bar(plan, verbose=verbose)
    return Plain(quiet=quiet)


class Plain:
    """A line per session that has ended."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._ended = self._sessions = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to tidy."""

    def begin(self, sessions: int) -> None:
        """So many sessions are to be run, beside those that were told before."""
        self._sessions += sessions

    def progress(self, job: Job, samples: int) -> None:
        """Nothing between the lines."""

    def ended(self, job: Job, row: Row, wall_s: float) -> None:
        """Say what became of a session."""
        self._ended += 1
        if not self._quiet:
            print(f"[{self._ended}/{self._sessions}] {told(row, wall_s)}", file=sys.stderr, flush=True)


class Bar:
    """One bar over the whole run: sessions done, real-time factor, time remaining."""

    def __init__(self, plan: Plan, *, verbose: bool) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._console = console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[done]}"),
            TextColumn("{task.fields[speed]}"), TimeRemainingColumn(), console=self._console, transient=True,
        )  # fmt: skip
        self._verbose = verbose
        self._begin = clock.seconds()
        self._seconds: dict[str, float] = {}
        self._rows: dict[str, Any] = {}
        self._name = plan.name
        self._all_s = sum(map(sum, plan.lengths_s().values()))
        self._sessions = self._ended = 0

    def __enter__(self) -> Self:
        self._progress.start()
        self._all = self._progress.add_task(self._name, total=self._all_s, done="", speed="")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def begin(self, sessions: int) -> None:
        """So many sessions are to be run, beside those that were told before."""
        self._sessions += sessions
        self._show()

    def progress(self, job: Job, samples: int) -> None:
        """A session has reached this sample."""
        self._seconds[job.id] = samples / job.scenario.sample_rate
        if self._verbose:
            if job.id not in self._rows:
                self._rows[job.id] = self._progress.add_task(f"  {job.id}", total=job.length_s(), done="", speed="")
            self._progress.update(self._rows[job.id], completed=self._seconds[job.id])
        self._show()

    def ended(self, job: Job, row: Row, wall_s: float) -> None:
        """A session has ended and is scored."""
        self._ended += 1
        self._seconds[job.id] = job.length_s()
        if job.id in self._rows:
            self._progress.remove_task(self._rows.pop(job.id))
        if self._verbose or row.status != "completed":
            self._console.print(told(row, wall_s), highlight=False, markup=False)
        self._show()

    def _show(self) -> None:
        heard = sum(self._seconds.values())
        speed = heard / max(1e-9, clock.seconds() - self._begin)
        self._progress.update(
            self._all, completed=heard, done=f"{self._ended}/{self._sessions}", speed=f"{speed:.0f}x real time"
        )


def told(row: Row, wall_s: float) -> str:
    """Say in a line what became of a session."""
    if row.problem:
        return f"{row.id}: {row.status}: {row.problem}"
    return f"{row.id}: {row.status} ({wall_s:.1f} s)"
