"""Runs at URLs, read: what they hold is brought into the user's cache, and once more only where it has changed."""

import hashlib
from contextlib import suppress
from pathlib import Path

import msgspec

from simulator.buckets.bucket import Bucket, HeldFile
from simulator.engines.store import cache_folder, trim
from simulator.errors import ScenarioError, SessionError
from simulator.files import allowed_bytes, write_json

_INDEX = ".fetched.json"
_LARGEST_MB = 20_000
_PAGES = ("report.html", "index.html")
"""Pages are for people: no command reads them, and they hold the sound once more."""


def fetched(url: str) -> Path:
    """Give a folder of this machine with what lies at a URL, pages aside. Of more than 20 GB (SIMULATOR_RUNS_MB says
    otherwise) the oldest files go before more is fetched.

    ScenarioError: nobody opens such a URL, there is no cache. SessionError: nothing lies there. BucketError, OSError.
    """
    bucket = Bucket(url)
    cache = cache_folder()
    if cache is None:
        raise ScenarioError(f"{bucket}: what is read is kept in the user's cache, and there is no home for one")
    held = {name: file for name, file in bucket.held().items() if Path(name).name not in _PAGES}
    if not held:
        raise SessionError(f"{bucket}: nothing lies there")
    home = cache / "runs"
    trim(home, allowed_bytes("SIMULATOR_RUNS_MB", _LARGEST_MB))
    # The last part of the name stays: runs are called after their folders.
    folder = home / hashlib.sha256(str(bucket).encode()).hexdigest()[:16] / bucket.name
    before = _before(folder)
    for gone in before.keys() - held.keys():
        (folder / gone).unlink(missing_ok=True)
    wanted = [name for name, file in held.items() if before.get(name) != file or not (folder / name).is_file()]
    bucket.fetch(wanted, folder)
    write_json(folder / _INDEX, held)
    return folder


def _before(folder: Path) -> dict[str, HeldFile]:
    """What was fetched before, as it was; a file of which nothing tells changes counts as changed."""
    with suppress(OSError, msgspec.MsgspecError, ValueError):
        told = msgspec.json.decode((folder / _INDEX).read_bytes(), type=dict[str, HeldFile])
        return {name: file for name, file in told.items() if file.version}
    return {}
