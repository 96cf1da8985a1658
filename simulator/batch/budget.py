"""Budgets: what a run may spend, kept over all sessions of a scenario, while they go and between them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from simulator.batch.plan import Job, Plan
from simulator.cost import Cost, Meter
from simulator.errors import SessionError
from simulator.session import read_session


class Budget:
    """One meter per scenario: fed by `usage` events, asked before a session starts and while it runs."""

    def __init__(self, plan: Plan) -> None:
        self._meters = {
            name: Meter(scenario.prices, max_cost=scenario.max_cost, max_minutes=scenario.max_minutes)
            for name, scenario in plan.scenarios.items()
        }
        self._told: set[str] = set()

    def used(self, job: Job, usage: Mapping[str, Any]) -> None:
        """Count a usage event of a session that is running in this process."""
        self._told.add(job.id)
        self._meters[job.group].add(usage)

    def ended(self, job: Job, folder: Path) -> None:
        """Count what a session used that ran elsewhere: its folder says so."""
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
        return self._meters[job.group].exhausted()

    def costs(self) -> dict[str, Cost]:
        """What each scenario cost; nothing for those that used nothing."""
        return {name: meter.cost for name, meter in self._meters.items() if meter.used}
