"""Budgets: what a run may spend, kept over all sessions of a scenario, while they go and between them.

Services tell what they used, some of them only at the end. Until then a session that is billed counts with the time it
has run and not yet told; one that runs in a worker process counts with the time it was allowed. What was spent before a
run was resumed counts too.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from simulator.cassettes.store import read_cassettes
from simulator.errors import SessionError
from simulator.planning.job import Job
from simulator.planning.plan import Plan
from simulator.reading.cost import Cost, Meter
from simulator.scoring.judge_endpoint import FILE
from simulator.session import ASIDE, read_session


class Budget:
    """One meter per scenario (per sweep): fed by `usage` events, asked before a session starts and while it runs."""

    def __init__(self, plan: Plan) -> None:
        self._meters = {
            name: Meter(scenario.prices, max_cost=scenario.max_cost, max_minutes=scenario.max_minutes)
            for name, scenario in plan.purses.items()
        }
        self._models = {name: scenario.billed_models() for name, scenario in plan.scenarios.items()}
        self._told_s: dict[str, dict[str, float]] = {}
        self._under_way: dict[str, tuple[Job, float]] = {}

    def reached(self, job: Job, seconds: float) -> None:
        """Note how long a session has run, or will have run at most."""
        if self._models[job.priced_as]:
            self._under_way[job.id] = (job, seconds)

    def allowance_s(self, job: Job) -> float:
        """Give how many seconds a session may run that nobody can stop from here."""
        return self._meters[job.purse].allowance_s(*self._untold(job), self._models[job.priced_as])

    def used(self, job: Job, usage: Mapping[str, Any]) -> None:
        """Count a usage event of a session that is running in this process."""
        told, model = self._told_s.setdefault(job.id, {}), str(usage.get("model", ""))
        told[model] = told.get(model, 0.0) + float(usage.get("session_s") or 0.0)
        self._meters[job.purse].add(usage)

    def ended(self, job: Job, folder: Path) -> None:
        """Count what a session used that ran elsewhere: its folder says so."""
        self._under_way.pop(job.id, None)
        if job.id not in self._told_s:
            self._count(job, folder / job.id)
        self._judged(job, folder / job.id)

    def spent_before(self, jobs: Iterable[Job], folder: Path) -> None:
        """Count what jobs used in earlier runs into this folder, whether they were completed or set aside."""
        aside: dict[str, list[Path]] = {}
        for path in folder.iterdir():  # once: a look for each job's own is quadratic in the sessions of a run
            name, between, _ = path.name.rpartition(ASIDE)
            if between:
                aside.setdefault(name, []).append(path)
        for job in jobs:
            for earlier in (folder / job.id, *aside.get(job.id, ())):
                if self._models[job.priced_as]:
                    self._count(job, earlier)
                self._judged(job, earlier)

    def _judged(self, job: Job, session_folder: Path) -> None:
        """Count what judges used for a session and had not been paid for before."""
        try:
            cassettes = read_cassettes(session_folder / FILE, [])
        except SessionError:
            return
        for cassette in cassettes:
            if not cassette.replayed:
                usage = {f"{kind}_tokens": count for kind, count in cassette.usage.items()}
                self._meters[job.purse].add({"model": cassette.request.get("model"), **usage})

    def _count(self, job: Job, session_folder: Path) -> None:
        try:
            session = read_session(session_folder)
        except SessionError:
            return
        for event in session.by_type.get("usage", []):
            self._meters[job.purse].add(event.data)

    def exhausted(self, job: Job) -> str | None:
        """Say why a session must not start, or must stop now; None while it may go on."""
        return self._meters[job.purse].exhausted(*self._untold(job))

    def costs(self) -> dict[str, Cost]:
        """What each scenario cost; nothing for those that used nothing."""
        return {name: meter.cost for name, meter in self._meters.items() if meter.used}

    def _untold(self, job: Job) -> tuple[float, float]:
        """Give what sessions under way have used and not told: seconds, and what they cost by the minute."""
        seconds = cost = 0.0
        for name, (other, ran_s) in self._under_way.items():
            if other.purse == job.purse:
                told = self._told_s.get(name, {})
                seconds += max(0.0, ran_s - max(told.values(), default=0.0))
                for model in self._models[other.priced_as]:
                    untold_s = max(0.0, ran_s - told.get(model, 0.0))
                    cost += self._meters[job.purse].per_minute([model]) * untold_s / 60
        return seconds, cost
