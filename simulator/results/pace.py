"""How long sessions took in the last runs on this machine: what a dry run promises with."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from simulator.errors import SimulatorError
from simulator.results.run_info import INFO, read_info
from simulator.session import read_meta

RUNS = 8
"""The last ones that are looked at."""
SESSIONS = 20
"""Of each."""


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """Real seconds per second of talk, over so many sessions of earlier runs. alike: of the scenario itself."""

    wall_per_s: float
    sessions: int
    alike: bool


def recent_pace(runs: Path, scenario: str) -> Pace | None:
    """Give the pace of a scenario (its folder name) in the last runs of a folder; of all of them where it never ran."""
    seen = _walls(runs)
    own = {folder: wall_s for folder, wall_s in seen.items() if _scenario_of(folder) == scenario}
    return _pace(own, alike=True) or _pace(seen, alike=False)


def _walls(runs: Path) -> Mapping[Path, float]:
    """What the completed sessions of the last runs took, by their folder."""
    try:
        infos = sorted(runs.glob(f"*/{INFO}"), key=lambda path: path.stat().st_mtime, reverse=True)
    except OSError:
        return {}
    found: dict[Path, float] = {}
    for info in infos[:RUNS]:
        with suppress(SimulatorError, OSError):
            done = [
                (name, wall) for name, wall in read_info(info.parent).sessions.items() if wall.status == "completed"
            ]
            found |= {
                info.parent / name: wall.wall_s for name, wall in done[:SESSIONS] if isinstance(wall.wall_s, float)
            }
    return found


def _scenario_of(session: Path) -> str:
    try:
        return read_meta(session).scenario
    except (SimulatorError, OSError):
        return ""


def _pace(walls: Mapping[Path, float], *, alike: bool) -> Pace | None:
    talked: list[float] = []
    took: list[float] = []
    for folder, wall_s in walls.items():
        with suppress(SimulatorError, OSError):
            length = read_meta(folder).duration_s
            if length:
                talked.append(length)
                took.append(wall_s)
    return Pace(wall_per_s=sum(took) / sum(talked), sessions=len(took), alike=alike) if took else None
