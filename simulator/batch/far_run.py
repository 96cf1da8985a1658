"""A run whose folder is a URL: made in a folder of this machine, sent session by session, gone from here at the end.

What is here is the run; what is there follows. A session is sent when its row is noted, results.jsonl now and then,
all that is missing at the end. A bucket that vanishes costs nothing: that is said, the run goes on here, what is
missing is tried once more at the end, and stays here if that fails, for `--resume` with the same URL.
"""

import hashlib
import shutil
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue

import msgspec

from simulator import clock
from simulator.buckets.bucket import Bucket, BucketError, HeldFile
from simulator.errors import ScenarioError
from simulator.results.row_file import RESULTS
from simulator.results.run_info import INFO

_BETWEEN_S = 30.0
"""Object storage cannot add to a file: rows are sent whole, and of a long run are many."""
_LAST = (RESULTS, INFO)


def scratch_of(bucket: Bucket) -> Path:
    """Give the folder of this machine in which a run is made that belongs elsewhere."""
    return Path("runs") / f"{bucket.name}-{hashlib.sha256(str(bucket).encode()).hexdigest()[:8]}"


class FarRun:
    """A run at a URL. folder: where it is made. complain: takes a sentence while it goes."""

    def __init__(self, url: str, complain: Callable[[str], None]) -> None:
        self.bucket = Bucket(url)
        self.folder = scratch_of(self.bucket)
        self._brought = not self.folder.exists()
        self._complain = complain
        self._held: dict[str, HeldFile] = {}
        self._sent: dict[str, tuple[int, int]] = {}
        self._ended: SimpleQueue[str | None] = SimpleQueue()
        self._over = False
        self._rows_sent_s = clock.seconds()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def prepare(self, *, resume: bool) -> None:
        """Look at what is there; of a run that goes on bring what is not here.

        ScenarioError: a run that is not to be resumed, something else, or one that others went on with. BucketError.
        """
        if not resume and (self.folder / INFO).is_file():
            raise ScenarioError(
                f"{self.bucket}: what was not sent of a run lies in {self.folder}; send it with --resume, or delete it"
            )
        self._held = self.bucket.held()
        if self._held and INFO not in self._held:
            raise ScenarioError(f"{self.bucket}: holds something else than a run; name another place with --out")
        if self._held and not resume:
            raise ScenarioError(
                f"{self.bucket}: holds a run already; continue it with --resume, or name another place with --out"
            )
        if not self._held:
            return
        self._refuse_other_rows()
        # What says that a run is here comes last: one that was brought in half is brought again.
        missing = [name for name in self._held if not (self.folder / name).exists()]
        for some in ([name for name in missing if name not in _LAST], *([name] for name in _LAST if name in missing)):
            self.bucket.fetch(some, self.folder)
        for name, file in self._held.items():
            path = self.folder / name
            if name not in _LAST and path.stat().st_size == file.size:
                self._sent[name] = _look(path)

    def _refuse_other_rows(self) -> None:
        """Refuse what cannot be one run: sessions there that are not here, where there is a run here."""
        if RESULTS not in self._held or not (self.folder / INFO).is_file():
            return
        here = (self.folder / RESULTS).read_bytes() if (self.folder / RESULTS).is_file() else b""
        if _completed(self.bucket.content(RESULTS)) - _completed(here):
            raise ScenarioError(
                f"{self.bucket}: went on elsewhere since {self.folder} was made; delete that folder, or name another "
                "place with --out"
            )

    def begin(self) -> None:
        """Send the first file, so that a place that takes none is refused before anything is played; then follow."""
        self._send([INFO])
        self._thread.start()

    def noted(self, session_id: str) -> None:
        """A session's row is written: it can be sent."""
        self._ended.put(session_id)

    def finish(self) -> None:
        """Send all that is missing, rows and run.json last. BucketError: it is not all there, and stays here."""
        self._over = True
        self._ended.put(None)
        self._thread.join()
        files = [path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if path.is_file()]
        self._send([name for name in files if name not in _LAST])
        self._send([name for name in _LAST if name in files])

    def give_up(self) -> None:
        """Delete what was brought here for a run that is not played after all."""
        if self._brought:
            self.discard()

    def discard(self) -> None:
        """Delete the folder here."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _follow(self) -> None:
        """Send sessions as they end, until the run is over or nothing is taken any more."""
        try:
            while (session := self._ended.get()) is not None and not self._over:
                self._send_session(session)
                if clock.seconds() - self._rows_sent_s > _BETWEEN_S:
                    self._send(_LAST)
                    self._rows_sent_s = clock.seconds()
        except (BucketError, OSError) as error:
            self._complain(f"{error}; the run goes on in {self.folder}")

    def _send_session(self, session: str) -> None:
        files = (self.folder / session).rglob("*")
        names = [path.relative_to(self.folder).as_posix() for path in files if path.is_file()]
        self._send(names)
        # Of one that was played again, what an earlier try had and this one has not.
        self.bucket.remove([name for name in self._held if name.startswith(f"{session}/") and name not in names])

    def _send(self, names: Sequence[str]) -> None:
        """Send those of some files that were not sent as they are now."""
        now = {name: _look(self.folder / name) for name in names if (self.folder / name).is_file()}
        due = [name for name, look in now.items() if self._sent.get(name) != look]
        self.bucket.send(due, self.folder)
        self._sent |= {name: now[name] for name in due}


class _Became(msgspec.Struct):
    id: str
    status: str


def _completed(rows: bytes) -> set[str]:
    """Give the sessions that rows say were completed; a half line says nothing."""
    found: set[str] = set()
    for line in rows.splitlines():
        with suppress(msgspec.DecodeError, ValueError):
            row = msgspec.json.decode(line, type=_Became)
            found |= {row.id} if row.status == "completed" else set()
    return found


def _look(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns
