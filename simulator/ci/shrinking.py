"""Shrinking: a failing scenario made as small as it can be and still fail.

Left out are turns of scripts, injectors and channels; then the session is made shorter. It still fails when every
expectation that failed before does, by a value that was measured: a metric that nothing makes happen any more is no
failure. Of a session that could not be completed the reason stays the same, numbers aside.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from simulator.batch.folder import RunFolder
from simulator.batch.run import run_plan
from simulator.ci.ddmin import ddmin, least
from simulator.ci.playing_once import Unwatched
from simulator.doctor.addresses import missing_of
from simulator.errors import ScenarioError
from simulator.planning.checks import check_startable
from simulator.planning.plan import plan_of
from simulator.reading.expect import Expectation
from simulator.results.row import Row
from simulator.scenario import Scenario, check, check_length
from simulator.spec import decode

Plain = dict[str, Any]
Part = tuple[str, int]
"""A list of the scenario by its path, and a place in it."""

LISTS = ("user.turns", "agent.turns", "injectors", "lines.user_to_agent", "lines.agent_to_user")
GRID_S = 0.5
"""Lengths are tried in steps of this."""


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """What a session fails by. expectations: their texts; undefined: those whose value was. problem: of a session that
    could not be completed. seconds: how long it was.
    """

    expectations: frozenset[str] = frozenset()
    undefined: frozenset[str] = frozenset()
    problem: str = ""
    seconds: float = 0.0

    def still_in(self, other: "Failure | None") -> bool:
        """Whether another session fails by the same, and maybe by more."""
        if other is None or _without_numbers(self.problem) != _without_numbers(other.problem):
            return False
        measured = self.expectations - self.undefined
        return measured <= other.expectations - other.undefined and self.expectations <= other.expectations


def _without_numbers(problem: str) -> str:
    return re.sub(r"\d+(\.\d+)?", "0", problem)


class Shrunk(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario as plain data that still fails. before, after: how many of each list, and seconds. runs: played."""

    data: Plain
    failure: Failure
    before: dict[str, float]
    after: dict[str, float]
    runs: int
    whole: bool = True


class _EnoughError(Exception):
    """So many runs were allowed, and no more."""


class Shrinking:
    """Shrinks one scenario. folder: from which its paths are relative. tell: gets a line for every try."""

    def __init__(self, data: Plain, folder: Path, *, most: int, tell: Callable[[str], None]) -> None:
        self._data = data
        self._folder = folder
        self._most = most
        self._tell = tell
        self._known: dict[bytes, Failure | None] = {}
        self._best = data
        self._wanted = Failure()
        self.runs = 0

    def shrink(self) -> Shrunk:
        """Shrink. ScenarioError: it cannot be run, or it does not fail."""
        for word in ("sweep", "dataset"):
            if word in self._data:
                raise ScenarioError(f"$.{word}: a scenario is shrunk that is one conversation; leave it out")
        self._best = self._first_failing()
        before = sizes(self._best) | {"seconds": self._wanted.seconds}
        whole = True
        try:
            parts = list(parts_of(self._best))
            start = self._best
            kept = ddmin(parts, lambda some: self._fails(with_parts(start, some)))
            self._fails(with_parts(start, kept))
            self._shorten()
        except _EnoughError:
            whole = False
        failure = self._played(self._best)
        assert failure is not None
        after = sizes(self._best) | {"seconds": failure.seconds}
        return Shrunk(data=self._best, failure=failure, before=before, after=after, runs=self.runs, whole=whole)

    def _first_failing(self) -> Plain:
        """Give the first trial that fails, as a scenario of one trial."""
        scenario = self._scenario(self._data)
        missing_of({scenario.name: scenario}, "start it: nothing can be learnt of a session that does not begin")
        for trial in range(scenario.most_trials):
            data = {**deepcopy(self._data), "seed": scenario.seed + trial, "repeat": 1}
            failure = self._played(data)
            if failure is not None and (failure.expectations or failure.problem):
                self._wanted = failure
                return data
        raise ScenarioError(
            f"{scenario.name}: holds all that it expects, in {scenario.most_trials} trials: there is nothing to shrink"
        )

    def _shorten(self) -> None:
        """Find the shortest length that still fails, in steps of half a second."""
        start = self._best
        high = max(1, -(-round(1000 * self._wanted.seconds) // round(1000 * GRID_S)))

        def fails(steps: int) -> bool:
            return self._fails({**start, "duration": f"{steps * GRID_S:g}s"})

        if fails(high):
            least(1, high, fails)

    def _fails(self, data: Plain) -> bool:
        failed = self._wanted.still_in(self._played(data))
        if failed:
            self._best = data
        return failed

    def _played(self, data: Plain) -> Failure | None:
        """Give what a scenario fails by; None where it cannot be run at all. Nothing is played twice."""
        key = msgspec.json.encode(data)
        if key not in self._known:
            if self.runs >= self._most:
                raise _EnoughError
            self._known[key] = self._play(data)
            counts = ", ".join(f"{count:g} {name}" for name, count in sizes(data).items() if count)
            found = self._known[key]
            became = "refused" if found is None else self._became(found)
            self._tell(f"{self.runs}: {counts or 'nothing'}, duration {data.get('duration')}: {became}")
        return self._known[key]

    def _became(self, found: Failure) -> str:
        """In two words: something else than what is looked for may fail, as what nothing makes happen any more."""
        if not (found.expectations or found.problem):
            return "holds"
        return "fails" if self._wanted == Failure() or self._wanted.still_in(found) else "fails otherwise"

    def _play(self, data: Plain) -> Failure | None:
        try:
            scenario = self._scenario(data)
            plan = plan_of({"shrink": scenario})
            check_startable(plan.scenarios.values())
        except ScenarioError:
            if not self.runs:
                raise
            return None
        self.runs += 1
        with TemporaryDirectory() as place:
            folder = RunFolder(Path(place) / "run", resume=False)
            try:
                result = run_plan(plan, folder, 1, Unwatched())
            finally:
                folder.close()
        if result.interrupted:
            raise KeyboardInterrupt
        return failure_of(scenario.expect, result.rows[-1])

    def _scenario(self, data: Plain) -> Scenario:
        scenario: Scenario = decode(deepcopy(data), Scenario, source="scenario", folder=self._folder)
        check(scenario, "scenario")
        check_length(scenario, "scenario")
        return msgspec.structs.replace(scenario, report="none", retries=0)


def failure_of(expected: Sequence[Expectation], row: Row) -> Failure:
    """Give what a session fails by, each expectation by the session's own value."""
    seconds = row.duration_s or 0.0
    if row.status != "completed":
        return Failure(problem=row.problem or row.status, seconds=seconds)
    gating = [item for item in expected if not item.inform]
    return Failure(
        expectations=frozenset(item.text for item in gating if not item.holds(row.value(item.metric))),
        undefined=frozenset(item.text for item in gating if row.value(item.metric) is None),
        seconds=seconds,
    )


def parts_of(data: Plain) -> Iterator[Part]:
    """Give everything that may be left out, in the order of the file."""
    for path in LISTS:
        yield from ((path, index) for index in range(len(_list_at(data, path))))


def with_parts(data: Plain, kept: Sequence[Part]) -> Plain:
    """Give the scenario with these of its parts alone."""
    made = deepcopy(data)
    for path in LISTS:
        found = _list_at(made, path)
        found[:] = [item for index, item in enumerate(found) if (path, index) in kept]
    return made


def sizes(data: Plain) -> dict[str, float]:
    """Count turns, injectors and channels."""
    counts = {path: len(_list_at(data, path)) for path in LISTS}
    turns = counts["user.turns"] + counts["agent.turns"]
    channels = counts["lines.user_to_agent"] + counts["lines.agent_to_user"]
    return {"turns": turns, "injectors": counts["injectors"], "channels": channels}


def _list_at(data: Plain, path: str) -> list[Any]:
    place: Any = data
    for name in path.split("."):
        place = place.get(name) if isinstance(place, dict) else None
    return place if isinstance(place, list) else []
