"""What a sink gets: a whole run when it is over, as plain values and paths; and the spec that every kind of sink has.

    class MyTrackerSpec(SinkSpec, frozen=True, kw_only=True, tag="my_tracker"):
        def log(self, run: LoggedRun) -> str:
            for session in run.sessions:
                my_tracker.add(session.id, session.scores, sound=session.sound, page=session.page)
            return f"my tracker: {len(run.sessions)} sessions"

With `my_tracker = "my_package:MyTrackerSpec"` under the entry points `simulator.sinks`, `log: my_tracker` works.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from simulator.plugins import Kind
from simulator.spec import Spec


class LoggedCheck(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an expectation over a scenario's sessions. became: held, failed, undecided."""

    scenario: str
    text: str
    became: str
    found: float | None = None


class LoggedSession(msgspec.Struct, frozen=True, kw_only=True):
    """One session. scores: by metric id, None where a value is undefined. sound, page: files, None where there are
    none. problem: why it was not completed. invalid: why it says nothing about the agent, "" where it does.
    """

    id: str
    scenario: str
    agent: str
    seed: int
    trial: int
    status: str
    folder: Path
    scores: dict[str, float | None]
    problem: str = ""
    invalid: str = ""
    sound: Path | None = None
    page: Path | None = None


class LoggedRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run that is over. scenarios: as plain data, secrets masked, by name. pooled: scores by scenario, by metric.

    page: that over all sessions.
    """

    name: str
    folder: Path
    exit_code: int
    scenarios: dict[str, dict[str, Any]]
    sessions: list[LoggedSession]
    pooled: dict[str, dict[str, float | None]]
    checks: list[LoggedCheck]
    page: Path | None = None


class SinkSpec(Spec, frozen=True, kw_only=True):
    """What every sink's spec does."""

    def check(self, where: str) -> None:
        """Refuse what cannot work before anything starts: a package that is not installed. ScenarioError."""

    def log(self, run: LoggedRun) -> str:
        """Log a run, and say in a few words where it lies now. SimulatorError: it could not be logged."""
        raise NotImplementedError


if TYPE_CHECKING:
    AnySink = SinkSpec
else:

    class AnySink(Kind):
        """The spec of any sink that is installed."""

        group = "sinks"
        spec = SinkSpec
