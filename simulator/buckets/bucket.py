"""A folder at a URL that fsspec opens (`s3://`, `gs://`, `memory://`, `file://` ...): listed, sent to, fetched from.

What a file system raises is its own and may hold keys; it becomes one sentence without them. Keys are the file system's
matter too: it finds them in the environment and in its own files, as ever.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

from simulator.errors import RemoteError, ScenarioError, sentence
from simulator.reading.secrets import Secrets, mask_url
from simulator.texts import install_of

T = TypeVar("T")

NEEDS = f"opening it needs fsspec: {install_of('data')}"
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_UNFIT = re.compile(r"[^\w.-]+")
_AT_ONCE = 8
"""A request to object storage takes some 50 ms, whatever it carries."""
_REAL_FOLDERS = frozenset({"file", "local", "memory", "sftp", "ssh", "ftp", "smb", "hdfs", "webhdfs"})
"""Where folders have to be made; elsewhere that makes buckets, which is for their owner to do."""


def is_url(text: str) -> bool:
    """Say whether a text names a place by its URL."""
    return bool(_URL.match(text))


class BucketError(RemoteError):
    """A bucket is not there any more, or does not let us in."""


class HeldFile(NamedTuple):
    """A file of a bucket: its bytes, and what changes with its content (an ETag, a time; "" where nothing is told)."""

    size: int
    version: str


class Bucket:
    """A folder at a URL. Its text is that URL without what opens doors in it."""

    def __init__(self, url: str) -> None:
        """Take a URL; nothing is asked yet. ScenarioError: nobody here opens such a one."""
        self._url = url
        self._secrets = Secrets({})
        self._secrets.learn(url)
        try:
            core = import_module("fsspec.core")
        except ImportError:
            raise ScenarioError(f"{self}: {NEEDS}") from None
        try:
            self._files, root = core.url_to_fs(url)
        except ImportError as error:
            raise ScenarioError(f"{self}: {self._told(error)}, beside this package") from error
        except Exception as error:
            raise ScenarioError(f"{self}: {self._told(error)}; write it like s3://bucket/run") from error
        self._root = str(root).rstrip("/")
        protocol = self._files.protocol
        self._makes = bool(_REAL_FOLDERS & {*([protocol] if isinstance(protocol, str) else protocol)})

    def __str__(self) -> str:
        return mask_url(self._url).rstrip("/")

    @property
    def name(self) -> str:
        """The last part of its path, fit for a folder of this machine."""
        return _UNFIT.sub("-", urlsplit(str(self)).path.rpartition("/")[2]) or "run"

    def held(self) -> dict[str, HeldFile]:
        """List its files, at any depth, by their paths inside it; none where nothing is there. BucketError."""

        def find() -> Mapping[str, Mapping[str, Any]]:
            self._files.invalidate_cache()
            found: Mapping[str, Mapping[str, Any]] = self._files.find(self._root, detail=True)
            return found

        return {
            name: HeldFile(int(info.get("size") or 0), _version(info))
            for place, info in self._asked("read", find).items()
            if _is_inside(name := place.removeprefix(self._root).lstrip("/"))
        }

    def content(self, name: str) -> bytes:
        """Give a file's content. BucketError."""
        return self._asked("read", lambda: bytes(self._files.cat_file(self._place(name))))

    def fetch(self, names: Iterable[str], folder: Path) -> None:
        """Bring files into a folder of this machine, each there as a whole or not at all. BucketError, OSError."""
        self._each(partial(self._fetch, folder), names)

    def send(self, names: Iterable[str], folder: Path) -> None:
        """Send files of a folder of this machine. BucketError: some were not taken."""
        self._each(partial(self._send, folder), names)

    def remove(self, names: Iterable[str]) -> None:
        """Delete files. BucketError."""
        self._each(lambda name: self._asked("written", lambda: self._files.rm_file(self._place(name))), names)

    def _each(self, work: Callable[[str], None], names: Iterable[str]) -> None:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for done in [pool.submit(work, name) for name in names]:
                done.result()

    def _fetch(self, folder: Path, name: str) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f".{path.name}.part")
        self._asked("read", lambda: self._files.get_file(self._place(name), str(unfinished)))
        unfinished.replace(path)

    def _send(self, folder: Path, name: str) -> None:
        place = self._place(name)

        def put() -> None:
            if self._makes:
                self._files.makedirs(place.rpartition("/")[0], exist_ok=True)
            self._files.put_file(str(folder / name), place)

        self._asked("written", put)

    def _place(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _asked(self, what: str, ask: Callable[[], T]) -> T:
        try:
            return ask()
        except Exception as error:
            raise BucketError(f"{self}: cannot be {what}: {self._told(error)}") from error

    def _told(self, error: Exception) -> str:
        """Say in one line what a file system raised, without secrets."""
        return self._secrets.scrub(sentence(error).partition("\n")[0])


def _version(info: Mapping[str, Any]) -> str:
    return next((str(info[key]) for key in ("ETag", "etag", "mtime", "LastModified", "updated") if info.get(key)), "")


def _is_inside(name: str) -> bool:
    """Whether a path stays below the folder that it is fetched into: anybody may write into a bucket."""
    return bool(name) and ".." not in PurePosixPath(name).parts
