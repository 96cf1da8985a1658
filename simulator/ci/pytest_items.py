"""What pytest collects of a `*.scenario.yaml`: an item for every expectation, or one for a scenario without any."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from simulator.ci.cases import COMPLETED, evidence_of, worst_of
from simulator.ci.player import played, properties_of, wanted_of
from simulator.errors import SimulatorError
from simulator.planning.checks import check_startable
from simulator.planning.plan import make_plan
from simulator.reading.expect import Verdict
from simulator.reading.places import line_at
from simulator.results.conversation_text import told_conversation
from simulator.results.row import Row
from simulator.results.run import Run, load_run
from simulator.results.session_view import view_session
from simulator.session import is_session, read_meta


class ExpectationError(AssertionError):
    """An expectation did not hold; its text is the report."""


class ScenarioFile(pytest.File):
    """A scenario file."""

    def collect(self) -> Iterator[pytest.Item]:
        """Give an item per expectation. CollectError: it is no scenario."""
        try:
            wanted = wanted_of(self.config, self.path)
            plan = make_plan([self.path], wanted.wishes)
            check_startable((*plan.sweeps.values(), *plan.scenarios.values()), offline=wanted.offline)
        except SimulatorError as error:
            raise self.CollectError(str(error)) from None
        text = self.path.read_text(encoding="utf-8")
        for group, scenario in plan.scenarios.items():
            before = f"{scenario.name}: " if len(plan.scenarios) > 1 else ""
            for number, item in enumerate(scenario.expect):
                line = line_at(text, f"$.expect[{number}]")
                yield ExpectationItem.from_parent(self, name=before + item.text, group=group, number=number, line=line)
            if not scenario.expect:
                yield ExpectationItem.from_parent(self, name=before + COMPLETED, group=group, number=None, line=0)


class ExpectationItem(pytest.Item):
    """One expectation of a scenario; all of them look at the same sessions."""

    def __init__(self, *, group: str, number: int | None, line: int, **more: Any) -> None:
        """number: which of the scenario's expectations; None asks only that its sessions were completed."""
        super().__init__(**more)
        self._group = group
        self._number = number
        self._line = line

    def runtest(self) -> None:
        """Play the scenario, unless somebody has, and hold it to the expectation; again, where that was asked for."""
        first = getattr(self, "execution_count", 1) - 1  # as pytest-rerunfailures counts
        reruns: int = self.config.getoption("--simulate-reruns")
        for attempt in range(first, first + reruns + 1):
            wanted = msgspec.structs.replace(wanted_of(self.config, self.path), attempt=attempt)
            run = load_run(played(self.config, wanted))
            rows = [row for row in run.rows if row.scenario == self._group]
            problem = self._problem(run, rows)
            if problem is None:
                break
            if attempt == first + reruns or _always_the_same(run, rows):
                raise ExpectationError(problem)
        self.user_properties.append(("attempts", attempt + 1))
        for row in rows:
            if is_session(run.folder / row.id):
                self.user_properties.extend(properties_of(self.config, run.folder / row.id, row.seed))

    def _problem(self, run: Run, rows: list[Row]) -> str | None:
        bad = [f"{row.id} (seed {row.seed}) {row.status}: {row.problem}" for row in rows if row.status != "completed"]
        if bad or not rows:
            return "\n".join(bad) or "no session was played"
        if self._number is None:
            return None
        verdicts = run.verdicts.get(self._group, [])
        if self._number >= len(verdicts):
            return "its sessions were not scored"
        verdict = verdicts[self._number]
        if verdict.passed:
            return None
        if verdict.inform:
            pytest.skip(f"informs only; {_told(verdict)}")
        keep = bool(self.config.getoption("--simulate-out"))
        return "\n".join([_told(verdict), *_evidence(verdict, run, rows, keep=keep)])

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """What did not hold, and the conversation; of a fault in anything else what pytest shows.

        What could not be played is told in its sentence; the way there with `--tb=long`.
        """
        shown_whole = isinstance(excinfo.value, SimulatorError) and self.config.getoption("tbstyle") == "long"
        if isinstance(excinfo.value, ExpectationError | SimulatorError) and not shown_whole:
            return str(excinfo.value)
        return super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """The line of the YAML."""
        return self.path, self._line - 1 if self._line else None, self.name


def _told(verdict: Verdict) -> str:
    found = verdict.found_as("{:.4g}".format)
    return f"{verdict.text}: {verdict.outcome}, {found}" + (f" ({verdict.reason})" if verdict.reason else "")


def _evidence(verdict: Verdict, run: Run, rows: list[Row], *, keep: bool) -> Iterator[str]:
    """Where to look in the session that is worst, and what was said in it."""
    for row in worst_of(verdict, rows)[:1]:
        yield from evidence_of(verdict, row, run.folder)
        view = view_session(run.folder / row.id)
        kept = f"session: {view.folder}" if keep else "(its sound and page are kept with --simulate-out DIR)"
        yield "\n".join(["", told_conversation(view), "", kept])


def _always_the_same(run: Run, rows: list[Row]) -> bool:
    """Whether playing it again gives the same bytes."""
    return all(read_meta(run.folder / row.id).deterministic for row in rows if is_session(run.folder / row.id))
