"""What a run tells machines when it is over: the file for JUnit, GitHub's summary and annotations, the history."""

import os
import platform
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from simulator import clock
from simulator.ci.cases import suites_of
from simulator.ci.github import SUMMARY, add_summary, annotations, on_github
from simulator.ci.history import RUNS, Flaky, add_line, flaky_in, flaky_markdown, last_runs, line_of, read_history
from simulator.ci.junit import write_junit
from simulator.errors import ScenarioError
from simulator.results.summary import Summary


class Telling(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a run tells. junit: the file to write. history: the folder to keep; runs: of it that are looked at."""

    junit: Path | None = None
    history: Path | None = None
    runs: int = RUNS

    def check(self) -> None:
        """Refuse places that cannot be: before a run, not after an hour of it. ScenarioError."""
        if self.junit is not None and self.junit.is_dir():
            raise ScenarioError(f"--junit {self.junit}: is a folder; name the file to write")
        if self.history is not None and self.history.exists() and not self.history.is_dir():
            raise ScenarioError(
                f"--history {self.history}: is a file; name a folder, which is made where it is missing"
            )


class FlakyTable(msgspec.Struct, frozen=True, kw_only=True):
    """What is left to be said on the screen. flaky: None where no history is kept. notes: what was damaged in it."""

    flaky: list[Flaky] | None = None
    runs: int = 0
    notes: list[str] = []


def tell(
    wanted: Telling,
    summary: Summary,
    folder: Path,
    sources: Mapping[str, str],
    *,
    say: Callable[[str], None],
    environment: Mapping[str, str] = os.environ,
) -> FlakyTable:
    """Tell of a run. sources: the scenarios' files by name. say: takes GitHub's annotations, a line each. OSError."""
    if not (wanted.junit or wanted.history or environment.get(SUMMARY) or on_github(environment)):
        return FlakyTable()
    suites = suites_of(summary, folder, sources)
    at = clock.today()
    if wanted.junit is not None:
        write_junit(wanted.junit, suites, name=folder.resolve().name, started=at, host=platform.node())
    told = FlakyTable()
    if wanted.history is not None:
        add_line(wanted.history, line_of(suites, summary.rows, at, environment))
        history, notes = read_history(wanted.history)
        seen = min(wanted.runs, len(history))
        told = FlakyTable(flaky=flaky_in(history, wanted.runs), runs=seen, notes=notes)
    more = "" if told.flaky is None else flaky_markdown(told.flaky, told.runs)
    add_summary(suites, more, environment)
    if on_github(environment):
        for line in annotations(suites, environment):
            say(line)
    return told


def flaky_lines(told: FlakyTable) -> Sequence[str]:
    """Give the flaky checks as lines for a terminal; none where no history is kept."""
    if told.flaky is None:
        return []
    if not told.flaky:
        return [f"nothing was flaky in {last_runs(told.runs)}"]
    lines = [f"flaky in {last_runs(told.runs)}:"]
    for item in told.flaky:
        both = ", both at one commit" if item.at_one_commit else ""
        lines.append(
            f"  {item.scenario}: {item.check}: failed in {item.failed} of {item.runs}, "
            f"changed {item.changes} times{both}"
        )
    return lines
