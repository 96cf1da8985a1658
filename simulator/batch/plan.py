"""Plans: which sessions a run will hold, worked out before anything starts.

Every trial of every scenario (and of every sample of its dataset) is one job: a resolved scenario with its own seed
and a session id that is also its folder's name. Clashes are refused here.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from simulator.errors import ScenarioError
from simulator.events import PARTIES
from simulator.injector import InjectorSpec
from simulator.scenario import Scenario, check_length, files_of, load, resolved, slug
from simulator.session import is_session, read_session
from simulator.sound.recordings import sha256, shortfall
from simulator.spec import decode, encode


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One session to be run. scenario: resolved, one trial. group: the scenario's name, the cluster of its scores.

    sample: what is known of the dataset's sample it plays: its `id` and more; empty without a dataset.
    """

    id: str
    group: str
    scenario: Scenario
    sample: dict[str, Any] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        """Go to another process as plain data.

        Encoding leaves out the values that are the defaults themselves; a pickled copy of one is written out, and
        scenario.yaml would depend on where its session ran.
        """
        return _job, (self.id, self.group, encode(self.scenario), self.sample)


def _job(name: str, group: str, scenario: dict[str, Any], sample: dict[str, Any]) -> Job:
    decoded: Scenario = decode(scenario, Scenario, source=name, folder=Path("/"))
    return Job(id=name, group=group, scenario=decoded, sample=sample)


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The jobs of a run, and the scenarios they come from (by name).

    notes: what could not be used, remarks: what will not be all that it looks like; a sentence each.
    """

    name: str
    scenarios: dict[str, Scenario]
    jobs: list[Job]
    notes: list[str] = []
    remarks: list[str] = []


class Wishes(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line overrides in every scenario."""

    overrides: Sequence[str] = ()
    repeat: int | None = None
    seed: int | None = None


def make_plan(paths: Sequence[Path], wishes: Wishes) -> Plan:
    """Read the scenarios and list their sessions. ScenarioError: a bad file, two scenarios with one name."""
    taken: dict[str, Scenario] = {}
    for path in paths:
        if str(path) in taken:
            raise ScenarioError(f"{path}: is named twice")
        taken[str(path)] = _wished(load(path, wishes.overrides), wishes)
        check_length(taken[str(path)], path.name)
    return plan_of(taken)


def plan_of(taken: Mapping[str, Scenario]) -> Plan:
    """List the sessions of scenarios, given by where they come from. ScenarioError: two scenarios with one name."""
    scenarios: dict[str, Scenario] = {}
    origin: dict[str, str] = {}
    jobs: list[Job] = []
    notes: list[str] = []
    for source, scenario in taken.items():
        name = slug(scenario.name)
        if name in scenarios:
            raise ScenarioError(f"{source}: the name {scenario.name!r} is that of {origin[name]} already; names differ")
        scenarios[name], origin[name] = scenario, source
        found, problems = _jobs(name, scenario)
        # A dataset brings the scorers of its task, and the run is summed up with those its sessions had.
        scenarios[name] = msgspec.structs.replace(scenario, scorers=found[0].scenario.scorers)
        jobs += found
        notes += problems
    _refuse_clashes(jobs)
    name = next(iter(scenarios)) if len(scenarios) == 1 else "-".join(scenarios)[:60].rstrip("-")
    remarks = [*_damages(scenarios.values()), *_unpressed(scenarios.values())]
    return Plan(name=name, scenarios=scenarios, jobs=jobs, notes=notes, remarks=remarks)


def _wished(scenario: Scenario, wishes: Wishes) -> Scenario:
    changes = {name: value for name in ("repeat", "seed") if (value := getattr(wishes, name)) is not None}
    try:
        return msgspec.structs.replace(scenario, **changes) if changes else scenario
    except ValueError as error:
        raise ScenarioError(f"{error} (given on the command line)") from error


def _jobs(name: str, scenario: Scenario) -> tuple[list[Job], list[str]]:
    if scenario.dataset is not None:
        from simulator.datasets.expand import expand

        return expand(name, scenario)
    return [
        Job(id=f"{name}-{scenario.trial + trial}", group=name, scenario=resolved(scenario, trial))
        for trial in range(scenario.repeat)
    ], []


def _refuse_clashes(jobs: Sequence[Job]) -> None:
    seen: set[str] = set()
    for job in jobs:
        if job.id in seen:
            raise ScenarioError(f"two sessions would be called {job.id!r}; give the scenarios other names")
        seen.add(job.id)


def _damages(scenarios: Iterable[Scenario]) -> list[str]:
    """Say which of the files that the scenarios name are cut short: they are played as far as they go."""
    paths = dict.fromkeys(path for scenario in scenarios for _, path in files_of(scenario))
    return [note for path in paths for note in (read_session(path).notes if is_session(path) else shortfall(path))]


def _unpressed(scenarios: Iterable[Scenario]) -> Iterator[str]:
    """Say which injectors wait for a key where nobody has one."""
    for scenario in scenarios:
        for number, injector in enumerate(scenario.injectors):
            key = injector.cue.button if isinstance(injector, InjectorSpec) else None
            if key and not any(scenario.actor(party).live for party in PARTIES):
                yield f"{scenario.name}: injectors[{number}] waits for the key {key!r}, which only `simulate talk` has"


def hashes_of(scenario: Scenario) -> dict[str, str]:
    """Give the sha256 of every file the scenario names; of a session folder, that of its conversation."""
    found: dict[str, str] = {}
    for _, path in files_of(scenario):
        file = path
        if path.is_dir():
            sounds = (path / name for name in ("conversation.wav", "conversation.flac"))
            file = next((sound for sound in sounds if sound.is_file()), path)
        if file.is_file():
            found[str(file)] = sha256(file)
    return found
