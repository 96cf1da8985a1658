"""Run folders as a run fills them: a folder per session, a row for each that has ended, run.json beside them."""

import fcntl
import os
import platform
import sys
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import UNSET, UnsetType

from simulator import __version__, clock
from simulator.call.surroundings import Pacing
from simulator.datasets.source import HubOrigin
from simulator.errors import ScenarioError, SessionError
from simulator.reading.cost import Cost
from simulator.reading.secrets import mask_command
from simulator.results.row import Row
from simulator.results.row_file import append_row, drop_rows, end_last_line, read_rows
from simulator.results.run import Run, run_of
from simulator.results.run_info import INFO, HostInfo, RunInfo, SessionWall, ShardInfo, read_info, write_info
from simulator.session import ASIDE
from simulator.sweep.sweep import SweepInfo


class RunFolder:
    """Opens (or resumes) a run folder. ScenarioError when it holds a run already, or something else, or is in use.

    It has one writer at a time: the folder itself is locked, and the lock ends with whoever holds it, however it ends.
    """

    def __init__(self, path: Path, *, resume: bool) -> None:
        self.path = path
        self._walls: dict[str, SessionWall] = {}
        self.shard: ShardInfo | UnsetType = UNSET
        """Which part of a run it holds, once that is said."""
        self.earlier_shard: tuple[int, int] | None = None
        """Which part it held when it was left."""
        self.noted: Callable[[str], None] = lambda _session: None
        """Is told of every session whose row is written."""
        self.origins: Mapping[str, HubOrigin] = {}
        """What of it is read from the hub, by scenario; of a resumed run what it was, until it is said anew."""
        self._started = clock.today()
        self._begin = clock.seconds()
        if path.exists() and not path.is_dir():
            raise ScenarioError(f"{path}: is a file; --out names a folder")
        path.mkdir(parents=True, exist_ok=True)
        earlier = _IN_USE.get(path.resolve())
        if earlier is not None:  # of this process, which does one thing after the other
            earlier.close()
        self._lock = weakref.finalize(self, os.close, _locked(path))
        _IN_USE[path.resolve()] = self
        self.resumed = resume and (path / INFO).is_file()
        self.earlier: dict[str, Row] = {}
        """The rows that an earlier run left, in the order they ended; without those that are to be played again."""
        self.notes: list[str] = []
        """What was damaged in them."""
        self._take_over(resume=resume)
        self.done = {name: row for name, row in self.earlier.items() if row.status == "completed"}

    def _take_over(self, *, resume: bool) -> None:
        path = self.path
        if any(path.iterdir()):
            if not (path / INFO).is_file():
                raise ScenarioError(f"{path}: holds something else than a run; name another folder with --out")
            if not resume:
                raise ScenarioError(
                    f"{path}: holds a run already; continue it with --resume, or name another with --out"
                )
            self._read()

    def _read(self) -> None:
        """Take over what an earlier run left: completed rows, and what run.json told of its sessions."""
        end_last_line(self.path)
        rows, self.notes = read_rows(self.path)  # a row that is not whole is played again
        self.earlier = {row.id: row for row in rows}
        try:
            info = read_info(self.path)
        except SessionError:
            info = RunInfo()
        told, shard = info.sessions, info.shard
        self.origins = info.datasets or {}
        self.earlier_shard = (shard.number, shard.of) if shard else None
        self._walls = {row.id: told.get(row.id, SessionWall(status=row.status)) for row in rows}

    def clear(self, session_ids: Sequence[str]) -> None:
        """Make room for sessions that are to be run again: rows go, folders are moved aside. OSError."""
        drop_rows(self.path, set(session_ids))
        for session_id in session_ids:
            self.earlier.pop(session_id, None)
            self._set_aside(session_id)
        if session_ids and self.notes:  # which name lines by their numbers
            _, self.notes = read_rows(self.path)

    def _set_aside(self, session_id: str) -> None:
        old = self.path / session_id
        if old.exists():
            number = 1
            while (aside := self.path / f"{session_id}{ASIDE}{number}").exists():
                number += 1
            old.rename(aside)

    def append(self, row: Row, wall_s: float, pacing: Pacing | None = None) -> None:
        """Note that a session has ended. OSError."""
        append_row(self.path, row)
        self._walls[row.id] = SessionWall(status=row.status, wall_s=round(wall_s, 3), pacing=pacing)
        self.noted(row.id)

    def write(
        self,
        command: Sequence[str],
        exit_code: int | None,
        *,
        model_hosts: list[Any] | UnsetType = UNSET,
        costs: Mapping[str, Cost] | UnsetType = UNSET,
        sweeps: Mapping[str, SweepInfo] | None = None,
    ) -> None:
        """Write run.json as things stand. exit_code: None while the run goes. OSError."""
        write_info(
            self.path,
            RunInfo(
                command=mask_command(command),
                started=self._started,
                wall_s=round(clock.seconds() - self._begin, 3),
                exit_code=exit_code,
                versions={"duplex-simulator": __version__, "python": platform.python_version()},
                host=HostInfo(system=platform.system(), machine=platform.machine(), python=sys.executable),
                sessions=self._walls,
                model_hosts=model_hosts,
                costs=costs if costs is UNSET else dict(costs),
                sweeps=dict(sweeps) if sweeps else UNSET,
                shard=self.shard,
                datasets=dict(self.origins) or UNSET,
            ),
        )

    def read(self, rows: Iterable[Row]) -> Run:
        """Give the run as its readers have it, of rows that are in memory: of 10,000 sessions they take 140 MB.

        rows: those of the sessions that were played since it was opened; of others, too, if at hand.
        """
        return run_of(self.path, list((self.earlier | {row.id: row for row in rows}).values()), self.notes)

    def close(self) -> None:
        """Let another writer in."""
        self._lock()

    def discard(self) -> None:
        """Take a run back in which nothing happened; a folder that holds more than run.json stays."""
        if [path.name for path in self.path.iterdir()] == [INFO]:
            (self.path / INFO).unlink()
            self.path.rmdir()


_IN_USE: weakref.WeakValueDictionary[Path, RunFolder] = weakref.WeakValueDictionary()
"""The folders that this process writes into."""


def _locked(path: Path) -> int:
    """Open a folder for this writer alone and give its descriptor. ScenarioError where another one has it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise ScenarioError(
            f"{path}: another run is writing into it; wait for it, or name another with --out"
        ) from None
    except OSError:  # a file system without locks
        return descriptor
    return descriptor


def free_folder(path: Path) -> Path:
    """The first of path, path-2, path-3 ... that is not there."""
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.name}-{number}")
    return free
