"""The screen: progress while a run goes, and the table of scores at its end.

On a terminal one progress bar per run (a line per session with -v); in a pipe plain lines. Readable at 80 columns.
"""

import logging
import sys
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import structlog

from simulator import clock
from simulator.batch.job import Row
from simulator.batch.plan import Job, Plan
from simulator.batch.summary import Summary
from simulator.expect import Verdict
from simulator.scenario import slug
from simulator.score import Score


def set_up_logs(*, verbose: bool) -> None:
    """Send logs to stderr: warnings, everything with -v."""
    level = logging.INFO if verbose else logging.WARNING
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(level),
                        logger_factory=structlog.PrintLoggerFactory(sys.stderr))


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

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Nothing to tidy."""

    def begin(self, sessions: int) -> None:
        """So many sessions are to be run."""
        self._sessions = sessions

    def progress(self, job: Job, samples: int) -> None:
        """Nothing between the lines."""

    def ended(self, job: Job, row: Row, wall_s: float) -> None:
        """Say what became of a session."""
        self._ended += 1
        if not self._quiet:
            print(f"[{self._ended}/{self._sessions}] {told(row, job, wall_s)}", file=sys.stderr, flush=True)


class Bar:
    """One bar over the whole run: sessions done, real-time factor, time remaining."""

    def __init__(self, plan: Plan, *, verbose: bool) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[done]}"),
            TextColumn("{task.fields[speed]}"), TimeRemainingColumn(), console=self._console, transient=True,
        )  # fmt: skip
        self._verbose = verbose
        self._begin = clock.seconds()
        self._seconds: dict[str, float] = {}
        self._rows: dict[str, Any] = {}
        self._name = plan.name
        self._length_s = {job.id: job.scenario.ticks() * job.scenario.frame_ms / 1000 for job in plan.jobs}
        self._sessions = self._ended = 0

    def __enter__(self) -> Self:
        self._progress.start()
        self._all = self._progress.add_task(self._name, total=sum(self._length_s.values()), done="", speed="")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._progress.stop()

    def begin(self, sessions: int) -> None:
        """So many sessions are to be run."""
        self._sessions = sessions
        self._show()

    def progress(self, job: Job, samples: int) -> None:
        """A session has reached this sample."""
        self._seconds[job.id] = samples / job.scenario.sample_rate
        if self._verbose:
            if job.id not in self._rows:
                self._rows[job.id] = self._progress.add_task(f"  {job.id}", total=self._length_s[job.id], done="", speed="")
            self._progress.update(self._rows[job.id], completed=self._seconds[job.id])
        self._show()

    def ended(self, job: Job, row: Row, wall_s: float) -> None:
        """A session has ended and is scored."""
        self._ended += 1
        self._seconds[job.id] = self._length_s[job.id]
        if job.id in self._rows:
            self._progress.remove_task(self._rows.pop(job.id))
        if self._verbose or row.status != "completed":
            self._console.print(told(row, job, wall_s), highlight=False)
        self._show()

    def _show(self) -> None:
        heard = sum(self._seconds.values())
        speed = heard / max(1e-9, clock.seconds() - self._begin)
        self._progress.update(self._all, completed=heard, done=f"{self._ended}/{self._sessions}", speed=f"{speed:.0f}x real time")


def told(row: Row, job: Job, wall_s: float) -> str:
    """Say in a line what became of a session."""
    if row.problem:
        return f"{row.id}: {row.status}: {row.problem}"
    return f"{row.id}: {row.status} ({wall_s:.1f} s)"


def print_summary(summary: Summary, folder: Path) -> None:
    """Print the scores, the expectations, what failed, and where the files lie."""
    from rich.console import Console

    console = Console(width=None if sys.stdout.isatty() else 100, highlight=False)
    scored = [score for score in summary.pooled if score.value is not None]
    if scored:
        console.print(_table(scored, summary))
    _print_undefined(console, summary.pooled)
    for scenario in summary.scenarios:
        for verdict in scenario.verdicts:
            console.print(_verdict_line(verdict, scenario.name if len(summary.scenarios) > 1 else ""))
            if not verdict.passed:
                _print_evidence(console, verdict, slug(scenario.name), summary, folder)
    for row in summary.rows:
        if row.status != "completed":
            console.print(f"[red]{row.status}[/] {row.id}: {row.problem or ''}")
    _print_files(console, summary, folder)


def _table(scores: Iterable[Score], summary: Summary) -> Any:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("metric")
    table.add_column("value", justify="right")
    table.add_column("unit")
    table.add_column("n", justify="right")
    intervals = any(score.ci95 for score in scores)
    if intervals:
        table.add_column("95 % interval", justify="right")
    family = None
    for score in scores:
        if family not in (None, score.id.split(".")[0]):
            table.add_section()
        family = score.id.split(".")[0]
        cells = [score.id, number(score.value), score.unit, str(score.n)]
        if intervals:
            cells.append(f"{number(score.ci95[0])} .. {number(score.ci95[1])}" if score.ci95 else "")
        table.add_row(*cells)
    return table


def number(value: float | None) -> str:
    """Write a number with three or so telling digits."""
    if value is None:
        return "-"
    if value == int(value) and abs(value) < 1e6:
        return str(int(value))
    return f"{value:.3f}" if abs(value) < 100 else f"{value:.1f}"


def _print_undefined(console: Any, scores: Iterable[Score]) -> None:
    reasons: dict[str, list[str]] = {}
    for score in scores:
        if score.value is None:
            reasons.setdefault(score.reason or "", []).append(score.id)
    for reason, ids in reasons.items():
        console.print(f"[dim]undefined ({reason}): {', '.join(ids)}[/]")


def _verdict_line(verdict: Verdict, scenario: str) -> str:
    where = f" [dim]({scenario})[/]" if scenario else ""
    if verdict.passed:
        return f"[green]held[/]    {verdict.text}: found {number(verdict.found)}{where}"
    found = verdict.reason if verdict.found is None else f"found {number(verdict.found)}"
    return f"[red]failed[/]  {verdict.text}: {found}{where}"


def _print_evidence(console: Any, verdict: Verdict, group: str, summary: Summary, folder: Path) -> None:
    """Say where to look: the session that fails the expectation by its own value, or the scenario's first."""
    rows = [row for row in summary.rows if row.scenario == group]
    own = [row for row in rows if verdict.violated_by(row.scores.get(verdict.metric, {}).get("value"))]
    for row in (own or rows)[:1]:
        page = folder / row.id / "report.html"
        look = f"open {page}" if page.is_file() else f"simulate report {folder / row.id}"
        console.print(f"        evidence: {look}   meaning: simulate explain {verdict.metric}", soft_wrap=True)


def _print_files(console: Any, summary: Summary, folder: Path) -> None:
    index = folder / "index.html"
    if len(summary.rows) == 1:
        only = folder / summary.rows[0].id
        page = only / "report.html"
        console.print(f"session: {only}", soft_wrap=True)
        if page.is_file():
            console.print(f"page:    {page}", soft_wrap=True)
    elif summary.rows:
        console.print(f"run:     {folder} ({len(summary.rows)} sessions)", soft_wrap=True)
        if index.is_file():
            console.print(f"page:    {index}", soft_wrap=True)
