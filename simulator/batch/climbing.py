"""Climbing: what the sessions of staircases answered, and which ones follow from it."""

from collections.abc import Mapping

from simulator.planning.job import Job
from simulator.planning.plan import Plan
from simulator.results.row import Row

YES = 0.5
"""A session with several cases answers as most of them do."""


def played_or_next(plan: Plan, rows: Mapping[str, Row]) -> list[Job]:
    """Give a plan's jobs and those of staircases that follow from these rows, by session."""
    if not plan.flights:
        return plan.jobs
    metrics = {job.group: flight.metric for flight in plan.flights for job in flight.levels}
    answers = {name: _answer(row, metrics[row.scenario]) for name, row in rows.items() if row.scenario in metrics}
    return plan.unfolded(answers)


def _answer(row: Row, metric: str) -> bool | None:
    value = row.value(metric)
    return None if row.status != "completed" or row.invalid or value is None else value >= YES
