"""Data sets on the Hugging Face hub: of a repository at one commit as much is read as the chosen rows need.

Which commit a branch is, is asked once a process, so that all that a run reads is of one. Without the hub what was read
before is read again, at the commit at which it was; a commit that is named is not asked for twice.
"""

import io
import posixpath
import re
import zipfile
from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache
from pathlib import Path, PurePosixPath
from typing import Annotated, BinaryIO, NamedTuple

import msgspec

from simulator.datasets.hub_client import Listing, UnreachableError, ask_listing, endpoint
from simulator.datasets.hub_file import HubFile, hub_store
from simulator.datasets.kept_sound import kept
from simulator.datasets.source import HubOrigin, ends
from simulator.engines.store import key_of
from simulator.errors import ScenarioError

RepositoryId = Annotated[str, msgspec.Meta(pattern=r"^[\w-][\w.-]*(/[\w-][\w.-]*)?$")]
Revision = Annotated[str, msgspec.Meta(pattern=r"^[\w][\w./-]*$")]
MAIN = "main"
_COMMIT = re.compile(r"[0-9a-f]{40}")


def repository(hub: str, revision: str | None) -> "Repository":
    """Give a repository of data by its id, as it is at a revision (`main`). ScenarioError says why it is not there."""
    found = _known(endpoint(), hub, revision or MAIN)
    return Repository(hub, found.listing, [found.remark] if found.remark else [])


class _Found(NamedTuple):
    listing: Listing
    remark: str = ""


@lru_cache(maxsize=256)
def _known(_endpoint: str, hub: str, revision: str) -> _Found:
    """Give a listing: kept where a commit is named, else asked for, else kept from before."""
    store = hub_store("listing")
    key = key_of((endpoint(), hub, revision))
    body = store.get(key)
    before = msgspec.json.decode(body, type=Listing) if body is not None else None
    if before is not None and _COMMIT.fullmatch(revision):
        return _Found(before)
    try:
        listing = ask_listing(hub, revision)
    except UnreachableError as error:
        if before is None:
            raise
        return _Found(before, f"{error}; it is read from the cache, as of commit {before.commit}")
    for name in {revision, listing.commit}:
        store.put(key_of((endpoint(), hub, name)), msgspec.json.encode(listing))
    return _Found(listing)


class Repository:
    """A repository at a commit, as a source of tables. remarks: how it was read, where that is not as usual."""

    alone = False

    def __init__(self, hub: str, listing: Listing, remarks: Sequence[str] = ()) -> None:
        self._hub = hub
        self._listing = listing
        self.remarks = remarks
        self.origin = HubOrigin(hub=hub, revision=listing.commit)

    def __str__(self) -> str:
        return self._hub

    def files(self) -> Sequence[PurePosixPath]:
        """Give the paths of all its files."""
        return self._paths

    @cached_property
    def _paths(self) -> Sequence[PurePosixPath]:
        return sorted(PurePosixPath(name) for name in self._listing.files)

    def open(self, file: PurePosixPath) -> BinaryIO:
        """Open a file; nothing of it is read yet."""
        name = str(file)
        return io.BufferedReader(HubFile(self._hub, self._listing.commit, name, self._listing.files[name]))

    def local(self, file: PurePosixPath) -> Path:
        """Fetch a sound as a whole. SessionError: it is none."""
        with self.open(file) as opened:
            return kept(opened.read())

    def sound(self, table: PurePosixPath, name: str) -> Path:
        """Fetch a sound: a file beside its table, else a member of an archive, such as data.zip."""
        places = [posixpath.normpath(place) for place in self._places(table.parent, name)]
        found = next((place for place in places if place in self._listing.files), None)
        if found is not None:
            return self.local(PurePosixPath(found))
        for archive in self._archives:
            member = next((place for place in places if place in archive.NameToInfo), None)
            if member is not None:
                return kept(archive.read(member))
        return Path(self._hub) / name

    def _places(self, folder: PurePosixPath, name: str) -> Iterator[PurePosixPath]:
        yield folder / name
        yield folder.parent / name
        for end in ends(name):
            yield folder / end

    @cached_property
    def _archives(self) -> Sequence[zipfile.ZipFile]:
        """The archives, their tables of contents read."""
        try:
            return [zipfile.ZipFile(self.open(name)) for name in self._paths if name.suffix == ".zip"]
        except zipfile.BadZipFile as error:
            raise ScenarioError(f"{self._hub}: holds an archive that cannot be read: {error}") from error
