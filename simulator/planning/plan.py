"""Plans: which sessions a run will hold, worked out before anything starts.

Every trial of every scenario (of every point of its sweep, of every sample of its dataset) is one job: a resolved
scenario with its own seed and a session id that is also its folder's name. Clashes are refused here.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from simulator.cassettes.recording import RecordSetting
from simulator.datasets.source import HubOrigin
from simulator.errors import ScenarioError
from simulator.events import PARTIES
from simulator.injector import SpeechInjectorSpec
from simulator.planning.controls import check_control, each_control
from simulator.planning.gating import informed
from simulator.planning.job import Expanded, Expander, Job
from simulator.planning.languages import check_languages, foreign
from simulator.planning.points import each_point
from simulator.planning.samples import each_sample
from simulator.planning.staircases import Answers, Flight, flights_of
from simulator.planning.topics import each_topic
from simulator.planning.traps import traps
from simulator.planning.trials import deciding, each_trial
from simulator.scenario import Scenario, check_length, files_of, load, slug
from simulator.session import is_session, read_session
from simulator.sound.recordings import shortfall
from simulator.sweep.sweep import SweepInfo

EXPANDERS: tuple[Expander, ...] = (each_point, each_sample, each_trial, each_topic, each_control)
"""In this order: a trial is the last thing that tells two sessions apart, as its number ends their ids; by it goes the
topic; a control has another name in front."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The jobs of a run, and the scenarios they come from (by name): of a sweep those of its points.

    sweeps: the scenarios that have points, by name; points: whose point a scenario is; flights: the staircases, whose
    first round alone is among the jobs. sources: where each scenario comes from, by name. notes: what could not be
    used, remarks: what will not be all that it looks like; a sentence each. record: where paid calls are kept.
    origins: by scenario the data sets that were read from the hub.
    """

    name: str
    scenarios: dict[str, Scenario]
    jobs: list[Job]
    sweeps: dict[str, Scenario] = {}
    points: dict[str, str] = {}
    flights: list[Flight] = []
    sources: dict[str, str] = {}
    notes: list[str] = []
    remarks: list[str] = []
    record: RecordSetting | None = None
    origins: dict[str, HubOrigin] = {}

    @property
    def purses(self) -> dict[str, Scenario]:
        """The scenarios whose limits hold, by name: a sweep's for all of its points together."""
        return {**self.sweeps, **{name: item for name, item in self.scenarios.items() if name not in self.points}}

    def lengths_s(self) -> dict[str, list[float]]:
        """How long each session may last in seconds of its own time, by purse; of staircases all that may come."""
        lengths: dict[str, list[float]] = {name: [] for name in self.purses}
        climbing = {job.purse for flight in self.flights for job in flight.levels}
        for job in self.jobs:
            if job.purse not in climbing:
                lengths[job.purse].append(job.length_s())
        for flight in self.flights:
            longest = max(job.length_s() for job in flight.levels)
            lengths[flight.levels[0].purse] += [longest] * flight.design.trials
        return lengths

    def unfolded(self, answers: Answers) -> list[Job]:
        """Give the jobs and, of staircases, those that follow from these answers."""
        later = [job for flight in self.flights for job in flight.unfolded(answers)]
        jobs = {job.id: job for job in (*self.jobs, *later)}.values()
        return [msgspec.structs.replace(job, record=self.record) for job in jobs] if self.record else list(jobs)

    @property
    def swept(self) -> dict[str, SweepInfo]:
        """What a reader of the run needs of its sweeps, by name."""
        return {name: item.sweep.info(item.measure) for name, item in self.sweeps.items() if item.sweep is not None}


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
    sweeps: dict[str, Scenario] = {}
    points: dict[str, str] = {}
    flights: list[Flight] = []
    origin: dict[str, str] = {}
    sources: dict[str, str] = {}
    jobs: list[Job] = []
    notes: list[str] = []
    doubts: list[str] = []
    origins: dict[str, HubOrigin] = {}
    for source, asked in taken.items():
        check_control(asked)
        scenario, told = informed(deciding(asked))
        doubts += told
        name = slug(scenario.name)
        if name in origin:
            raise ScenarioError(f"{source}: the name {scenario.name!r} is that of {origin[name]} already; names differ")
        origin[name] = source
        if scenario.sweep is not None:
            sweeps[name] = scenario
        starts = each_point(Job(id=name, group=name, scenario=scenario)).jobs
        sources |= dict.fromkeys((name, *(start.group for start in starts)), source)
        points |= {start.group: name for start in starts if start.point}
        climbs = flights_of(scenario, starts)
        flights += climbs
        jobs += [job for flight in climbs for job in flight.unfolded({})]
        for start in starts:
            found = Expanded(jobs=[start]) if climbs else expanded(start)
            # A dataset brings the scorers of its task, and the run is summed up with those its sessions had.
            scorers = found.jobs[0].scenario.scorers
            check_languages(start.scenario)
            scenarios[start.group] = msgspec.structs.replace(start.scenario, scorers=scorers)
            jobs += [] if climbs else found.jobs
            notes += found.notes
            doubts += found.remarks
            origins |= found.origins
    _refuse_clashes(jobs)
    name = next(iter(origin)) if len(origin) == 1 else "-".join(origin)[:60].rstrip("-")
    return Plan(
        name=name,
        scenarios=scenarios,
        jobs=jobs,
        sweeps=sweeps,
        points=points,
        flights=flights,
        sources=sources,
        notes=notes,
        remarks=[*dict.fromkeys(doubts), *_remarks(scenarios)],
        origins=origins,
    )


def recorded(plan: Plan, record: RecordSetting | None) -> Plan:
    """Give the plan with every job told where its paid calls are kept."""
    if record is None:
        return plan
    jobs = [msgspec.structs.replace(job, record=record) for job in plan.jobs]
    return msgspec.structs.replace(plan, jobs=jobs, record=record)


def _remarks(scenarios: Mapping[str, Scenario]) -> list[str]:
    """Say what will not be all that it looks like; what is so at every point of a sweep is said of the first."""
    every = list(scenarios.values())
    found = [*_damages(every), *_unpressed(every), *traps(every), *foreign(every)]
    return list({remark.partition(": ")[2]: remark for remark in reversed(found)}.values())[::-1]


def expanded(job: Job, expanders: Sequence[Expander] = EXPANDERS) -> Expanded:
    """Send a job through expanders, one after the other: the jobs it stands for, and what could not be used."""
    whole = Expanded(jobs=[job])
    for expand in expanders:
        made = [expand(one) for one in whole.jobs]
        whole = Expanded(
            jobs=[one for each in made for one in each.jobs],
            notes=[*whole.notes, *(note for each in made for note in each.notes)],
            remarks=[*whole.remarks, *(remark for each in made for remark in each.remarks)],
            origins=dict(item for each in (whole, *made) for item in each.origins.items()),
        )
    return whole


def _wished(scenario: Scenario, wishes: Wishes) -> Scenario:
    changes = {name: value for name in ("repeat", "seed") if (value := getattr(wishes, name)) is not None}
    try:
        return msgspec.structs.replace(scenario, **changes) if changes else scenario
    except ValueError as error:
        raise ScenarioError(f"{error} (given on the command line)") from error


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
            key = injector.cue.button if isinstance(injector, SpeechInjectorSpec) else None
            if key and not any(scenario.actor(party).traits().live for party in PARTIES):
                yield f"{scenario.name}: injectors[{number}] waits for the key {key!r}, which only `simulate talk` has"
