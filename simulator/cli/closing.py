"""The last lines of a run, one per scenario: what ran, what of it counts, what it came to, how long it took."""

from collections.abc import Iterator, Mapping
from math import inf
from pathlib import Path
from typing import NamedTuple

from simulator.cli.numbers import number
from simulator.errors import SimulatorError
from simulator.results.leading import LEADING
from simulator.results.row import Row
from simulator.results.run_info import read_info
from simulator.results.summary import ScenarioSummary, Summary
from simulator.scenario import slug

HEAD = 3
"""Metrics in a line."""


class Walls(NamedTuple):
    """What each session took and what the run took, in real seconds, as far as run.json says.

    Sessions that go side by side take longer together than their run.
    """

    sessions: Mapping[str, float]
    run_s: float


def closing_lines(summary: Summary, folder: Path) -> Iterator[str]:
    """Give a line per scenario; none of points of sweeps, which have a table."""
    walls = _walls(folder)
    for scenario in summary.scenarios:
        rows = [
            row for row in summary.rows if row.scenario == slug(scenario.name) and scenario.agent in ("", row.agent)
        ]
        if rows and not any(row.point for row in rows):
            yield f"{scenario.name}{f' · {scenario.agent}' if scenario.agent else ''}: {_told(scenario, rows, walls)}"


def _told(scenario: ScenarioSummary, rows: list[Row], walls: Walls) -> str:
    failed = sum(row.status != "completed" for row in rows)
    talked_s = sum(row.duration_s or 0.0 for row in rows)
    took = [walls.sessions[row.id] for row in rows if row.id in walls.sessions]
    parts = [
        f"{len(rows)} session{'s' if len(rows) > 1 else ''} of {_length(talked_s)} in all",
        f"{failed} failed" if failed else "none failed",
        *([f"{scenario.invalid} invalid"] if scenario.invalid else []),
        *([f"took {_length(min(sum(took), walls.run_s))}"] if took else []),
    ]
    return "; ".join([", ".join(parts), *_head(scenario)])


def _head(scenario: ScenarioSummary) -> list[str]:
    """The metrics that the scenario expects something of, another project's, and those that are asked for first."""
    values = {score.id: score.value for score in scenario.scores if score.value is not None}
    expected = [verdict.metric for verdict in scenario.verdicts if verdict.asked is None]
    foreign = [name for name in values if ":" in name]  # never a default: who named that project wants its numbers
    told = (name for name in [*expected, *foreign, *LEADING] if name in values)
    ids = list(dict.fromkeys(told))[: max(HEAD, len(expected))]
    return [", ".join(f"{name} {number(values[name])}" for name in ids)] if ids else []


def _walls(folder: Path) -> Walls:
    try:
        info = read_info(folder)
    except SimulatorError:
        return Walls({}, inf)
    known = {name: wall.wall_s for name, wall in info.sessions.items() if isinstance(wall.wall_s, float)}
    return Walls(known, inf if info.wall_s is None else info.wall_s)


def _length(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 100 else f"{seconds / 60:.1f} min"
