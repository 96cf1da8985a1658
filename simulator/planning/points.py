"""One job per point: a scenario with a sweep becomes a scenario for each of its points, with a name of its own."""

from typing import Any

import msgspec

from simulator.planning.job import Expanded, Job
from simulator.scenario import LONGEST_NAME, Scenario, check, slug
from simulator.spec import decode, encode
from simulator.sweep.dimension import Label, placed
from simulator.sweep.sweep import Point, Sweep

_LONGEST = LONGEST_NAME - 20
"""Bytes of a point's name, above which its number stands for its labels."""


def each_point(job: Job) -> Expanded:
    """Give a job per point of the scenario's sweep, each a group of its own; without one the job itself.

    ScenarioError names the point whose values make no scenario.
    """
    sweep = job.scenario.sweep
    if sweep is None:
        return Expanded(jobs=[job])
    places = sweep.places()
    names: set[str] = set()
    jobs: list[Job] = []
    base: dict[str, Any] = encode(msgspec.structs.replace(job.scenario, sweep=None))
    for number, (place, labels) in enumerate(zip(places, sweep.labelled(places), strict=True)):
        point = Point(sweep=job.group, at=labels)
        name = _name(job.scenario.name, number, labels, names)
        scenario = _scenario_of(base, sweep, place, name, f"{job.scenario.name}: $.sweep at {placed(labels)}")
        jobs.append(Job(id=slug(name), group=slug(name), scenario=scenario, point=point))
    return Expanded(jobs=jobs)


def _scenario_of(base: dict[str, Any], sweep: Sweep, place: dict[str, Any], name: str, source: str) -> Scenario:
    data = {**msgspec.json.decode(msgspec.json.encode(base)), "name": name}
    sweep.put(data, place)
    scenario: Scenario = decode(data, Scenario, source=source, folder=sweep.folder)
    check(scenario, source)
    return scenario


def _name(scenario: str, number: int, labels: dict[str, Label], taken: set[str]) -> str:
    """Name a point by its labels; by its number where that is too long, or the folder's name of another."""
    parts = [f"{name} {str(label).replace('-', 'minus ', 1) if _below_zero(label) else label}"
             for name, label in labels.items()]  # fmt: skip
    name = " ".join([scenario, *parts])
    if len(slug(name).encode()) > _LONGEST or slug(name) in taken:
        name = f"{scenario} point {number}"
    taken.add(slug(name))
    return name


def _below_zero(label: Label) -> bool:
    return isinstance(label, int | float) and label < 0
