"""How long sessions took in the last runs on this machine: what a dry run promises with."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

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


class PastSession(NamedTuple):
    """A session that was completed here: its scenario (by folder name), the length of its talk, and what that took."""

    scenario: str
    talked_s: float
    took_s: float


def recent_sessions(runs: Path) -> list[PastSession]:
    """Read the completed sessions of the last runs of a folder."""
    try:
        infos = sorted(runs.glob(f"*/{INFO}"), key=lambda path: path.stat().st_mtime, reverse=True)
    except OSError:
        return []
    return [session for info in infos[:RUNS] for session in _sessions(info.parent)]


def recent_pace(sessions: Sequence[PastSession], scenario: str) -> Pace | None:
    """Give the pace of a scenario (its folder name) in its own sessions; of all of them where it has none."""
    own = [session for session in sessions if session.scenario == scenario]
    seen = own or sessions
    if not seen:
        return None
    took, talked = sum(session.took_s for session in seen), sum(session.talked_s for session in seen)
    return Pace(wall_per_s=took / talked, sessions=len(seen), alike=bool(own))


def _sessions(run: Path) -> Iterator[PastSession]:
    try:
        walls = read_info(run).sessions
    except (SimulatorError, OSError):
        return
    done = [(name, wall.wall_s) for name, wall in walls.items() if wall.status == "completed"]
    for name, wall_s in done[:SESSIONS]:
        with suppress(SimulatorError, OSError):
            meta = read_meta(run / name)
            if isinstance(wall_s, float) and meta.duration_s:
                yield PastSession(meta.scenario, meta.duration_s, wall_s)
