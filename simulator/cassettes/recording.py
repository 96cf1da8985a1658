"""Recording: what a run says of its paid calls (`--record`), and the store that all of them are kept in.

Chat endpoints, callers' minds, judges and speech servers are asked in many places, some of them outside any session
(what a voice said is kept for the process). So the store is one per process, set by whoever plays a session.
"""

from pathlib import Path
from typing import NamedTuple

from simulator.cassettes.store import Cassettes, Record
from simulator.errors import ScenarioError

FILE = "cassettes.jsonl"
DEFAULT_FOLDER = Path("cassettes")


class RecordSetting(NamedTuple):
    """Where a run keeps paid calls, and whether kept ones are used (simulator/cassettes/store.py)."""

    folder: str
    record: Record

    def check(self) -> None:
        """Refuse a folder that is none, or is missing where nothing may go out. ScenarioError."""
        path = Path(self.folder)
        if path.exists() and not path.is_dir():
            raise ScenarioError(f"--cassettes {path}: is a file; name a folder, which need not be there yet")
        if self.record == "never" and not (path / FILE).is_file():
            raise ScenarioError(f"--record never: {path / FILE} is missing; record it first with --record missing")


_now: list[tuple[RecordSetting, Cassettes]] = []
"""The one that counts in this process, if any."""


def record_by(wanted: RecordSetting | None) -> None:
    """Let paid calls of this process be kept, or replayed, as a run says; None: as each of them says itself."""
    if wanted == (_now[0][0] if _now else None):
        return
    _now.clear()
    if wanted is not None:
        file = Path(wanted.folder) / FILE
        _now.append((wanted, Cassettes([file], keep=file, record=wanted.record)))


def kept_calls() -> Cassettes | None:
    """Give the store in which this process keeps paid calls, if a run said so."""
    return _now[0][1] if _now else None


def nothing_goes_out() -> bool:
    """Whether a run said that no call may go out, so that nobody needs a key."""
    return bool(_now) and _now[0][1].offline


def record_or(own: Record) -> Record:
    """Give what the run says, else what a part of it says itself."""
    return _now[0][0].record if _now else own
