"""Which sessions of a run get a page as part of the run, and which are the worst.

A page costs a second or two and megabytes, so small runs of short sessions get all of theirs and large ones
only the pages somebody will open: failures and the worst. `simulate report` makes any other.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from simulator.results.row import Row
from simulator.results.run import Run
from simulator.scoring.scorer import definition_of

Pages = Literal["all", "failed", "none"]
"""What a scenario's `report` says."""

SMALL_RUN = 50
LONGEST_S = 20 * 60
WORST = 20


def sessions_to_show(run: Run, report: Pages | Mapping[str, Pages]) -> list[str]:
    """Give the ids of the sessions that should get a page when the run is over and have none yet, worst first.

    report: what the scenario says, or what each scenario says, by its name in the rows. `all`: every session of a
    small run; of a large one those that were not completed or are invalid, and the 20 worst others. `failed`: those of
    them that were not completed, are invalid, or miss an expectation that was not met. Sessions above 20 minutes never.
    """
    ordered = worst_first(run)
    useful = [row.id for row in ordered if is_usable(row)]
    near = set(useful if len(ordered) <= SMALL_RUN else useful[:WORST])
    chosen = [
        row.id
        for row in ordered
        if (row.id in near or not is_usable(row)) and _wanted(run, row, report) and not run.has_page(row.id)
    ]
    lengths_s = {row.id: run.duration_s(row) for row in ordered if row.id in set(chosen)}
    return [name for name in chosen if lengths_s[name] <= LONGEST_S]


def _wanted(run: Run, row: Row, report: Pages | Mapping[str, Pages]) -> bool:
    pages = report if isinstance(report, str) else report.get(row.scenario, "all")
    return pages == "all" or (pages == "failed" and is_failure(run, row))


def is_usable(row: Row) -> bool:
    """Say whether a session was completed, and says something about the agent."""
    return row.status == "completed" and not row.invalid


def is_failure(run: Run, row: Row) -> bool:
    """Say whether a session was not completed, is invalid, or misses what its scenario as a whole misses too."""
    unmet = {verdict.text for verdict in run.verdicts.get(row.scenario, ()) if not verdict.passed}
    return not is_usable(row) or not unmet.isdisjoint(run.misses(row))


def worst_first(run: Run) -> list[Row]:
    """Order sessions: not completed first, then the invalid ones, then by broken expectations, then by mean rank."""
    ranks = mean_ranks(run.rows, run.metrics)
    return sorted(
        run.rows,
        key=lambda row: (row.status == "completed", not row.invalid, -len(run.misses(row)), -ranks[row.id], row.id),
    )


def mean_ranks(rows: Sequence[Row], metrics: Sequence[str]) -> Mapping[str, float]:
    """Give each session its mean rank over the metrics with a good side: 0 the best of the run, 1 the worst.

    Ranks and not values, so that no unit outweighs another; ties share their mean rank; a session without
    values: 0.
    """
    places: dict[str, list[float]] = {row.id: [] for row in rows}
    for metric in metrics:
        definition = definition_of(metric)
        if definition is not None and definition.better != "neither":
            for name, place in _ranks(rows, metric, higher_is_worse=definition.better == "lower").items():
                places[name].append(place)
    return {name: sum(found) / len(found) if found else 0.0 for name, found in places.items()}


def _ranks(rows: Sequence[Row], metric: str, *, higher_is_worse: bool) -> dict[str, float]:
    values = {row.id: value for row in rows if (value := row.value(metric)) is not None}
    if len(values) < 2:
        return {}
    ordered = sorted(values.values(), reverse=not higher_is_worse)
    first: dict[float, int] = {}
    last: dict[float, int] = {}
    for place, value in enumerate(ordered):
        first.setdefault(value, place)
        last[value] = place
    return {name: (first[value] + last[value]) / 2 / (len(ordered) - 1) for name, value in values.items()}
