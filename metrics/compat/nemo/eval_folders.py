"""Folders of NeMo-Skills results, here or on another machine: `eval-results/<benchmark>.<set>/` with metrics.json.

Source: the comparison of the speech-to-speech evaluation of a NeMo-Skills fork (2026-01), restated. A folder is written
`path`, `path:name`, `host:path` or `host:path:name`; of two parts it is here only if the first begins with `/` or `.`.
"""

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from metrics.compat.nemo.eval_results import METRICS, RESULTS, ROWS
from simulator.errors import SessionError
from simulator.remote.ssh import over_ssh
from simulator.texts import quoted


class EvalFolder(NamedTuple):
    """A folder of results. host: empty for this machine. name: what the model is called in the report."""

    host: str
    path: str
    name: str

    @property
    def place(self) -> str:
        """Where it lies, as the user wrote it."""
        return f"{self.host}:{self.path}" if self.host else self.path

    def sets(self) -> list[str]:
        """Give the folders of its eval-results, sorted; none where there is no such folder. RemoteError."""
        folder = self._inside()
        if self.host:
            code, output = over_ssh(self.host, f"ls {shlex.quote(folder)}")
            return sorted(line.strip() for line in _text(output).splitlines() if line.strip()) if code == 0 else []
        return sorted(item.name for item in Path(folder).iterdir()) if Path(folder).is_dir() else []

    def metrics(self, set_name: str) -> Mapping[str, Any]:
        """Give a set's metrics.json, empty where there is none. RemoteError; SessionError: it is no JSON object."""
        path = self._inside(set_name, METRICS)
        if self.host:
            code, content = over_ssh(self.host, f"cat {shlex.quote(path)}")
            if code != 0:
                return {}
        elif Path(path).is_file():
            content = Path(path).read_bytes()
        else:
            return {}
        try:
            found = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise SessionError(f"{self.place}: {set_name}/{METRICS} is not JSON: {error}") from error
        if not isinstance(found, dict):
            raise SessionError(f"{self.place}: {set_name}/{METRICS} is no JSON object: {quoted(found)}")
        return found

    def rows(self, set_name: str) -> int:
        """Count the lines of a set's output.jsonl; 0 where there is none. RemoteError."""
        path = self._inside(set_name, ROWS)
        if self.host:
            code, output = over_ssh(self.host, f"wc -l < {shlex.quote(path)}")
            count = _text(output).strip()
            return int(count) if code == 0 and count.isdecimal() else 0
        if not Path(path).is_file():
            return 0
        with Path(path).open("rb") as file:
            return sum(1 for _ in file)

    def _inside(self, *parts: str) -> str:
        return "/".join((self.path.rstrip("/") or "/", RESULTS, *parts))


def eval_folder(written: str) -> EvalFolder:
    """Read how a folder is written; a path here may hold colons of its own where a name follows the last."""
    first, *rest = written.split(":")
    here = first.startswith(("/", ".")) or not rest
    if here:
        path, name = (":".join([first, *rest[:-1]]), rest[-1]) if rest else (first, "")
        return EvalFolder("", path, name or _last(path))
    path, name = (":".join(rest[:-1]), rest[-1]) if len(rest) > 1 else (rest[0], "")
    return EvalFolder(first, path, name or _last(path))


def _last(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]


def _text(output: bytes) -> str:
    return output.decode("utf-8", "replace")
