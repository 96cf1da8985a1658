"""Resuming: a run goes on only with the settings it began with; anything else would mix two experiments."""

from collections.abc import Iterator
from typing import Any

import yaml

from simulator.batch.climbing import played_or_next
from simulator.batch.folder import RunFolder
from simulator.errors import ScenarioError
from simulator.planning.job import Job
from simulator.planning.plan import Plan
from simulator.reading.yaml_file import read_yaml
from simulator.scenario import to_yaml
from simulator.texts import quoted


def refuse_other_settings(plan: Plan, folder: RunFolder) -> None:
    """Compare what completed sessions ran with and what the plan says now. ScenarioError names what differs."""
    for name, origin in plan.origins.items():
        before = folder.origins.get(name, origin)
        if before != origin:
            raise ScenarioError(
                f"{folder.path}: {name} was run with {before.hub} at {before.revision}, and {origin.hub} is at "
                f"{origin.revision} now; go on with `revision: {before.revision}`"
            )
    folder.origins = plan.origins
    for job in played_or_next(plan, folder.done):
        done = folder.done.get(job.id)
        # Reading and writing YAML takes ten milliseconds a session: that is for naming what differs.
        if done is None or done.settings == job.settings():
            continue
        differing = next(_differences(_recorded(job, folder), yaml.safe_load(to_yaml(job.scenario))), None)
        if differing is not None:
            place, before, now = differing
            raise ScenarioError(
                f"{folder.path}: {job.id} was run with {place} = {quoted(before)} and would now be run with "
                f"{quoted(now)}; "
                "resume with the same settings, or name another folder with --out"
            )


def _recorded(job: Job, folder: RunFolder) -> Any:
    return read_yaml(folder.path / job.id / "scenario.yaml")


def _differences(before: Any, now: Any, where: str = "$") -> Iterator[tuple[str, Any, Any]]:
    """Give every place at which two plain values differ, with both values."""
    if isinstance(before, dict) and isinstance(now, dict):
        for name in sorted(before.keys() | now.keys()):
            yield from _differences(before.get(name), now.get(name), f"{where}.{name}")
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        for index, (one, other) in enumerate(zip(before, now, strict=True)):
            yield from _differences(one, other, f"{where}[{index}]")
    elif before != now:
        yield where, before, now
