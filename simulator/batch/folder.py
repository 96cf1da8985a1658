"""Run folders: where the sessions of a run lie, with run.json beside them and a row per session in results.jsonl."""

import platform
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from simulator import __version__, clock
from simulator.batch.job import Row
from simulator.errors import ScenarioError
from simulator.files import write_json
from simulator.reading.secrets import mask_command
from simulator.session import ASIDE


class RunFolder:
    """Opens (or resumes) a run folder. ScenarioError when it holds a run already, or something else."""

    def __init__(self, path: Path, *, resume: bool) -> None:
        self.path = path
        self._results = path / "results.jsonl"
        self._walls: dict[str, Any] = {}
        self._started = clock.today()
        self._begin = clock.seconds()
        self.done = self._take_over(resume=resume)

    def _take_over(self, *, resume: bool) -> dict[str, Row]:
        path = self.path
        if path.exists() and not path.is_dir():
            raise ScenarioError(f"{path}: is a file; --out names a folder")
        if path.is_dir() and any(path.iterdir()):
            if not (path / "run.json").is_file():
                raise ScenarioError(f"{path}: holds something else than a run; name another folder with --out")
            if not resume:
                raise ScenarioError(
                    f"{path}: holds a run already; continue it with --resume, or name another with --out"
                )
            return self._earlier()
        path.mkdir(parents=True, exist_ok=True)
        return {}

    def _earlier(self) -> dict[str, Row]:
        """Take over what an earlier run left: completed rows, what run.json told of its sessions, a cut last line."""
        if self._results.is_file() and not self._results.read_bytes().endswith(b"\n"):
            with self._results.open("ab") as file:
                file.write(b"\n")
        rows = read_rows(self.path)
        try:
            told = msgspec.json.decode((self.path / "run.json").read_bytes(), type=dict[str, Any]).get("sessions", {})
        except msgspec.DecodeError:
            told = {}
        self._walls = {row.id: told.get(row.id, {"status": row.status}) for row in rows}
        return {row.id: row for row in rows if row.status == "completed"}

    def clear(self, session_id: str) -> None:
        """Make room for a session that is to be run again: what a resumed run left unfinished is moved aside."""
        old = self.path / session_id
        if old.exists():
            number = 1
            while (aside := self.path / f"{session_id}{ASIDE}{number}").exists():
                number += 1
            old.rename(aside)

    def append(self, row: Row, wall_s: float, pacing: object = None) -> None:
        """Note that a session has ended."""
        with self._results.open("ab") as file:
            file.write(msgspec.json.encode(row) + b"\n")
        self._walls[row.id] = {"status": row.status, "wall_s": round(wall_s, 3), "pacing": pacing}

    def write(self, command: Sequence[str], exit_code: int | None, more: Mapping[str, Any] | None = None) -> None:
        """Write run.json: the command, versions, host, wall times, what became of every session; and what is given."""
        write_json(
            self.path / "run.json",
            {
                "command": mask_command(command),
                "started": self._started,
                "wall_s": round(clock.seconds() - self._begin, 3),
                "exit_code": exit_code,
                "versions": {"duplex-simulator": __version__, "python": platform.python_version()},
                "host": {"system": platform.system(), "machine": platform.machine(), "python": sys.executable},
                "sessions": self._walls,
                **(more or {}),
            },
        )

    def discard(self) -> None:
        """Take a run back in which nothing happened; a folder that holds more than run.json stays."""
        if [path.name for path in self.path.iterdir()] == ["run.json"]:
            (self.path / "run.json").unlink()
            self.path.rmdir()


def read_rows(run_folder: Path) -> list[Row]:
    """Read results.jsonl; a half-written last line is left out. A session that was run again counts by its last row."""
    rows: dict[str, Row] = {}
    path = run_folder / "results.jsonl"
    if not path.is_file():
        return []
    for line in path.read_bytes().splitlines():
        try:
            row = msgspec.json.decode(line, type=Row)
        except (msgspec.DecodeError, msgspec.ValidationError):
            continue
        rows[row.id] = row
    return list(rows.values())


def free_folder(path: Path) -> Path:
    """The first of path, path-2, path-3 ... that is not there."""
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.name}-{number}")
    return free
