"""Tables of a sweep: a row per point and a column per metric; agents that are swept over stand side by side."""

from typing import NamedTuple

from simulator.results.sweeps import SweepPoint, SweepSummary
from simulator.score import Score
from simulator.sweep.dimension import Label


class SweepTable(NamedTuple):
    """title: the metric, where the columns are agents. rows: the place on the dimensions, and a score per column."""

    title: str
    dimensions: list[str]
    columns: list[str]
    rows: list[tuple[list[Label], list[Score | None]]]


def tables_of(sweep: SweepSummary) -> list[SweepTable]:
    """Give the tables of a sweep: one, or one for each metric where agents stand side by side."""
    agents = next((name for name, info in sweep.dimensions.items() if info.path == "agent"), None)
    if agents is None or len(sweep.dimensions) == 1:
        rows: list[tuple[list[Label], list[Score | None]]] = [
            (list(point.at.values()), list(point.scores)) for point in sweep.points
        ]
        return [SweepTable("", list(sweep.dimensions), sweep.measure, rows)]
    return [_side_by_side(sweep, agents, place) for place in range(len(sweep.measure))]


def _side_by_side(sweep: SweepSummary, agents: str, place: int) -> SweepTable:
    columns = list(dict.fromkeys(point.at[agents] for point in sweep.points))
    others = [name for name in sweep.dimensions if name != agents]
    apart: dict[tuple[Label, ...], dict[Label, SweepPoint]] = {}
    for point in sweep.points:
        apart.setdefault(tuple(point.at[name] for name in others), {})[point.at[agents]] = point
    rows = [
        (list(key), [mine[column].scores[place] if column in mine else None for column in columns])
        for key, mine in apart.items()
    ]
    return SweepTable(sweep.measure[place], others, [str(column) for column in columns], rows)
