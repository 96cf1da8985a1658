"""Budgets: what a run may spend, kept over all sessions of a scenario, while they go and between them.

Services tell what they used, some of them only at the end. Until then a session that is billed counts with the time it
has run; one that runs in a worker process counts with the time it was allowed.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from simulator.batch.plan import Job, Plan
from simulator.cost import Cost, Meter, billed_models
from simulator.errors import SessionError
from simulator.session import read_session


class Budget:
    """One meter per scenario: fed by `usage` events, asked before a session starts and while it runs."""

    def __init__(self, plan: Plan) -> None:
        self._meters = {
            name: Meter(scenario.prices, max_cost=scenario.max_cost, max_minutes=scenario.max_minutes)
            for name, scenario in plan.scenarios.items()
        }
        self._models = {
            name: [*billed_models(scenario.user), *billed_models(scenario.agent)]
            for name, scenario in plan.scenarios.items()
        }
        self._told: set[str] = set()
        self._under_way: dict[str, tuple[str, float]] = {}

    def reached(self, job: Job, seconds: float) -> None:
        """Note how long a session has run, or will have run at most."""
        if self._models[job.group]:
            self._under_way[job.id] = (job.group, seconds)

    def allowance_s(self, job: Job) -> float:
        """Give how many seconds a session may run that nobody can stop from here."""
        return self._meters[job.group].allowance_s(self._under_way_s(job), self._models[job.group])

    def used(self, job: Job, usage: Mapping[str, Any]) -> None:
        """Count a usage event of a session that is running in this process."""
        self._told.add(job.id)
        if usage.get("session_s"):
            self._under_way.pop(job.id, None)
        self._meters[job.group].add(usage)

    def ended(self, job: Job, folder: Path) -> None:
        """Count what a session used that ran elsewhere: its folder says so."""
        self._under_way.pop(job.id, None)
        if job.id in self._told:
            return
        try:
            session = read_session(folder / job.id)
        except SessionError:
            return
        for event in session.by_type.get("usage", []):
            self._meters[job.group].add(event.data)

    def exhausted(self, job: Job) -> str | None:
        """Say why a session must not start, or must stop now; None while it may go on."""
        return self._meters[job.group].exhausted(self._under_way_s(job), self._models[job.group])

    def costs(self) -> dict[str, Cost]:
        """What each scenario cost; nothing for those that used nothing."""
        return {name: meter.cost for name, meter in self._meters.items() if meter.used}

    def _under_way_s(self, job: Job) -> float:
        return sum(seconds for group, seconds in self._under_way.values() if group == job.group)
