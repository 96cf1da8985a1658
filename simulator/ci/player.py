"""The fixture `scenario`: plays a scenario and gives its session to be asserted on.

def test_the_order_is_looked_up(scenario):
    session = scenario("calls/order.yaml", set={"agent.endpoint": "700ms"})
    assert session.calls("lookup_order")[0].arguments == {"order": "12345"}
    assert session.barge_ins[0].yield_latency_s < 1.0
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from simulator.cassettes.recording import DEFAULT_FOLDER, RecordSetting
from simulator.cassettes.store import Record
from simulator.ci.playing_once import AskedRun, play_once
from simulator.ci.shared_root import root_of
from simulator.errors import ScenarioError, SessionError, SimulatorError
from simulator.results.conversation_text import told_conversation
from simulator.results.run import SESSION_PAGE, Run, load_run
from simulator.results.session_view import SessionView, view_session


class ScenarioPlayer:
    """Plays scenarios for one test. What was played before with the same settings is given again."""

    def __init__(self, config: pytest.Config, folder: Path, *, attempt: int = 0) -> None:
        """folder: of the test's file, from which a scenario's path is looked up. attempt: above 0 in a rerun."""
        self._config = config
        self._folder = folder
        self._attempt = attempt
        self._seen: list[SessionView] = []

    def __call__(
        self,
        file: str | Path,
        *,
        set: Mapping[str, Any] | None = None,  # noqa: A002 - the word of the command line
        seed: int | None = None,
    ) -> SessionView:
        """Play a scenario and give its (first) session. ScenarioError, SessionError: it could not be played."""
        __tracebackhide__ = True  # a test's own line tells where; ours are no news to who wrote it
        return self.all(file, set=set, seed=seed)[0]

    def all(
        self,
        file: str | Path,
        *,
        set: Mapping[str, Any] | None = None,  # noqa: A002 - as above
        seed: int | None = None,
        repeat: int | None = None,
    ) -> list[SessionView]:
        """Give all sessions of a scenario: trials, samples, points. SessionError: one was not completed."""
        __tracebackhide__ = True
        run = self.run(file, set=set, seed=seed, repeat=repeat)
        bad = [f"{row.id}: {row.status}: {row.problem}" for row in run.rows if row.status != "completed"]
        views = [view_session(run.folder / row.id) for row in run.rows if row.status == "completed"]
        self._seen += [view for view in views if view.folder not in [seen.folder for seen in self._seen]]
        if bad or not views:
            raise SessionError("; ".join(bad) or f"{file}: no session was played")
        return views

    def run(
        self,
        file: str | Path,
        *,
        set: Mapping[str, Any] | None = None,  # noqa: A002 - as above
        seed: int | None = None,
        repeat: int | None = None,
    ) -> Run:
        """Give the whole run: rows, pooled verdicts, sessions whatever became of them. ScenarioError."""
        __tracebackhide__ = True
        own = [f"{path}={msgspec.json.encode(value).decode()}" for path, value in (set or {}).items()]
        wanted = wanted_of(self._config, self._found(file), overrides=own, seed=seed, repeat=repeat)
        try:
            return load_run(played(self._config, msgspec.structs.replace(wanted, attempt=self._attempt)))
        except SimulatorError as error:
            raise error.with_traceback(None)  # noqa: B904 - it is the same error, without the way it took through us

    def _found(self, file: str | Path) -> Path:
        places = [self._folder / file, self._config.rootpath / file]
        for place in places:
            if place.is_file():
                return place
        raise ScenarioError(f"{file}: there is no such file in {self._folder} and none in {self._config.rootpath}")

    def sections(self) -> list[tuple[str, str]]:
        """What a report shows of a test that failed."""
        return [(f"conversation {view.id} (seed {view.meta.seed})", told_conversation(view)) for view in self._seen]

    def properties(self) -> list[tuple[str, object]]:
        """What a JUnit report of pytest's knows of a test."""
        return [item for view in self._seen for item in properties_of(self._config, view.folder, view.meta.seed)]


def properties_of(config: pytest.Config, session: Path, seed: int) -> list[tuple[str, object]]:
    """Give a session's seed and, where it is kept (`--simulate-out`), its page or folder as properties of a test."""
    page = session / SESSION_PAGE
    kept = config.getoption("--simulate-out") is not None
    return [(f"seed:{session.name}", seed), *([("page", str(page if page.is_file() else session))] if kept else [])]


def wanted_of(
    config: pytest.Config,
    file: Path,
    *,
    overrides: list[str] | None = None,
    seed: int | None = None,
    repeat: int | None = None,
) -> AskedRun:
    """Give what is to be played of a file, with what the command line of pytest says; what a test says comes last."""
    record: Record | None = config.getoption("--simulate-record")
    cassettes: str = config.getoption("--simulate-cassettes") or str(DEFAULT_FOLDER)
    folder = config.rootpath / cassettes
    return AskedRun(
        record=RecordSetting(str(folder), record) if record is not None else None,
        verbose=config.get_verbosity() > 0,
        file=file,
        overrides=[*config.getoption("--simulate-set"), *(overrides or [])],
        seed=seed if seed is not None else config.getoption("--simulate-seed"),
        repeat=repeat if repeat is not None else config.getoption("--simulate-repeat"),
    )


def played(config: pytest.Config, wanted: AskedRun) -> Path:
    """Play it, or give what was played before in this run of pytest. SimulatorError."""
    out: str | None = config.getoption("--simulate-out")
    return play_once(wanted, root_of(config), (config.invocation_params.dir / out) if out else None)
