"""Stores on disk: what was worked out once, by the hash of all that it depends on, for every process of this machine.

Voices, recognised texts, alignments, annotations and answers of far engines are kept here, each in a folder of its own
with a limit of its own; what was written first goes first. A file that cannot be read, or is damaged, counts as absent
and is written again; a folder that cannot be written is no error: a store only saves time. What comes back is what was
put, byte for byte, or nothing.
"""

import hashlib
import os
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from simulator.files import write_whole

LARGEST_BYTES = 200_000_000
"""What a store holds unless it says otherwise: hours of annotations, more texts than anybody's scripts have."""

_DIGEST_BYTES = 32
# A file of a few bytes takes a block of the disk, and looking at many small ones takes time: both count.
_BLOCK = 4096
# Looking through the folder takes some 30 ms for a full store: it is done once a process, and then now and then.
_WRITES_BETWEEN = 200
# Room is made for a while at once.
_LEFT = 0.9
_written: Counter[Path] = Counter()
"""How often this process wrote into a folder, by whichever store."""


class Store:
    """Contents by key, in one folder. largest: the bytes that stay, asked anew each time room is made."""

    def __init__(self, folder: Path | None, ending: str, largest: Callable[[], int] = lambda: LARGEST_BYTES) -> None:
        """Keep files named `.ending` under `folder`, which is made when needed; None keeps nothing."""
        self.folder = folder
        self._ending = ending
        self._largest = largest

    def get(self, key: str) -> bytes | None:
        """Give what was put under a key (see `key_of`); None when it is not there or not whole."""
        if self.folder is None:
            return None
        try:
            content = self._path(self.folder, key).read_bytes()
        except OSError:
            return None
        body = content[_DIGEST_BYTES:]
        return body if hashlib.sha256(body).digest() == content[:_DIGEST_BYTES] else None

    def put(self, key: str, body: bytes) -> None:
        """Keep a content in one move, so that a reader never sees half of it; then make room, now and then."""
        if self.folder is None:
            return
        path = self._path(self.folder, key)
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, hashlib.sha256(body).digest() + body)
            if _written[self.folder] % _WRITES_BETWEEN == 0:
                trim(self.folder, self._largest(), block=_BLOCK)
            _written[self.folder] += 1

    def _path(self, folder: Path, key: str) -> Path:
        return folder / key[:2] / f"{key}.{self._ending}"


def key_of(asked: object, sound: bytes = b"") -> str:
    """Give the key of what was asked (anything that JSON holds) about a sound: sha256, in hex."""
    return hashlib.sha256(msgspec.json.encode(asked, order="sorted") + b"\n" + sound).hexdigest()


def cache_folder() -> Path | None:
    """Give the user's cache folder for this program (it may not exist yet); None when there is no home."""
    named = os.environ.get("XDG_CACHE_HOME", "")
    usual = "~/Library/Caches" if sys.platform == "darwin" else "~/.cache"
    with suppress(RuntimeError):
        root = Path(named) if Path(named).is_absolute() else Path(usual).expanduser()
        return root / "duplex-simulator"
    return None


def store_named(name: str, ending: str, largest: Callable[[], int] = lambda: LARGEST_BYTES) -> Store:
    """Give the store of this name in the user's cache folder."""
    folder = cache_folder()
    return Store(folder / name if folder else None, ending, largest)


def trim(folder: Path, most_bytes: int, *, block: int = 1) -> int:
    """Delete what was written first until a folder holds less than `most_bytes`; gives the bytes that went.

    block: a file counts as so many bytes at least, and in multiples of them. A file that another process deletes
    meanwhile is no error.
    """
    found: list[tuple[int, int, Path]] = []
    for path in folder.rglob("*"):
        with suppress(OSError):
            if path.is_file():
                stat = path.stat()
                found.append((stat.st_mtime_ns, -(-stat.st_size // block) * block, path))
    held = sum(size for _, size, _ in found)
    gone = 0
    if held > most_bytes:
        for _, size, path in sorted(found, key=lambda item: item[:2]):
            if held - gone <= _LEFT * most_bytes:
                break
            with suppress(OSError):
                path.unlink()
                gone += size
    return gone
