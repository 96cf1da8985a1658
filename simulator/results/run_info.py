"""run.json: how a run was started, on what, how long it took, and what became of its sessions.

The one file of a run folder that tells of the wall clock and the machine. It is written when the run starts, without
an exit code, and once more when it has ended.
"""

from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, UnsetType

from simulator.call.surroundings import Pacing
from simulator.datasets.source import HubOrigin
from simulator.files import read_json, write_json
from simulator.reading.cost import Cost
from simulator.sweep.sweep import SweepInfo

INFO = "run.json"


class HostInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The machine of a run: operating system, architecture, the interpreter's path.

    system: as the machine names it. machine: its architecture. python: the interpreter's path.
    """

    system: str = ""
    machine: str = ""
    python: str = ""


class SessionWall(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a session and how long it took in real seconds; pacing: on the wall clock alone, else None.

    The times are left out where only the status is known: of sessions whose run was killed before it told. status:
    completed, failed or interrupted. wall_s: real seconds that it took. pacing: how well it kept the wall clock; null
    on the virtual one.
    """

    status: str
    wall_s: float | UnsetType = UNSET
    pacing: Pacing | UnsetType | None = UNSET


Place = list[int]
"""Where a session stands among those of its run: places are compared number by number."""


class ShardInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of a run a folder holds: `number` of `of`. plan: the sha256 of the whole run's sessions.

    sessions: those that are to be played. order: where each that was played stands in the whole, by id; while the run
    goes it is empty. number: which part. of: how many.
    """

    number: Annotated[int, msgspec.Meta(ge=1)]
    of: Annotated[int, msgspec.Meta(ge=1)]
    plan: str
    sessions: list[str] = []
    order: dict[str, Place] = {}


class RunInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The content of run.json. wall_s: real seconds. exit_code: None while the run goes, and for one that was killed.

    started: UTC, ISO 8601. model_hosts: what shared models measured, as each tells it. costs: by scenario. Both are
    left out by what is no run over scenarios: a talk, a server. sweeps: what there is to know of them, by name. shard:
    of a part of a run. command: the words it was started by, secrets masked. versions: of this package, of Python, of
    what was used. host: the machine. sessions: what became of each, by id. datasets: by scenario what was read from the
    hub, at which commit.
    """

    command: list[str] = []
    started: str = ""
    wall_s: Annotated[float, msgspec.Meta(ge=0, le=1e12)] | None = None
    exit_code: int | None = None
    versions: dict[str, str] = {}
    host: HostInfo = HostInfo()
    sessions: dict[str, SessionWall] = {}
    model_hosts: list[Any] | UnsetType = UNSET
    costs: dict[str, Cost] | UnsetType = UNSET
    sweeps: dict[str, SweepInfo] | UnsetType = UNSET
    shard: ShardInfo | UnsetType = UNSET
    datasets: dict[str, HubOrigin] | UnsetType = UNSET


def write_info(run_folder: Path, info: RunInfo) -> None:
    """Write a run's run.json. OSError."""
    write_json(run_folder / INFO, info)


def read_info(run_folder: Path) -> RunInfo:
    """Read a run's run.json; an empty one where there is none. SessionError when damaged."""
    path = run_folder / INFO
    try:
        return read_json(path, RunInfo)
    except FileNotFoundError:
        return RunInfo()
