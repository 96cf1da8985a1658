"""Where a data set lies: a folder or a file of this machine, or a repository of the hub (`hub.py`)."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Protocol

import msgspec

from simulator.errors import ScenarioError


class HubOrigin(msgspec.Struct, frozen=True, kw_only=True):
    """What a set was read from, exactly. hub: the repository's id there. revision: the commit, 40 hex digits."""

    hub: str
    revision: str


class SampleSource(Protocol):
    """Files by their paths inside a data set. Its text is how a message names it."""

    @property
    def alone(self) -> bool:
        """Whether it is one file, which the user named."""
        ...

    @property
    def origin(self) -> HubOrigin | None:
        """What it was read from, of a repository."""
        ...

    @property
    def remarks(self) -> Sequence[str]:
        """What is to be known of how it was read, a sentence each."""
        ...

    def files(self) -> Sequence[PurePosixPath]:
        """Give the paths of all its files, in order. ScenarioError: there is no such place."""
        ...

    def open(self, file: PurePosixPath) -> BinaryIO:
        """Open a file for reading anywhere in it. ScenarioError: it cannot be read."""
        ...

    def local(self, file: PurePosixPath) -> Path:
        """Give a file of this machine with the content of one of its files. ScenarioError: it cannot be read."""
        ...

    def sound(self, table: PurePosixPath, name: str) -> Path:
        """Give a sound that a table names, as a file of this machine; one that is nowhere is a path to nothing."""
        ...


class Folder:
    """A folder of this machine, or one file of it."""

    origin: HubOrigin | None = None
    remarks: Sequence[str] = ()

    def __init__(self, path: Path) -> None:
        self._path = path
        self.alone = path.is_file()
        self._root = path.parent if self.alone else path

    def __str__(self) -> str:
        return str(self._path)

    def files(self) -> Sequence[PurePosixPath]:
        """Give the paths of all its files."""
        return self._found

    @cached_property
    def _found(self) -> Sequence[PurePosixPath]:
        if self.alone:
            return [PurePosixPath(self._path.name)]
        if not self._path.is_dir():
            raise ScenarioError(f"{self._path} is neither a folder nor a file")
        paths = [path for path in sorted(self._path.rglob("*")) if path.is_file()]
        return [PurePosixPath(path.relative_to(self._path).as_posix()) for path in paths]

    def open(self, file: PurePosixPath) -> BinaryIO:
        """Open a file."""
        path = self.local(file)
        try:
            return path.open("rb")
        except OSError as error:
            raise ScenarioError(f"{path}: cannot be read: {error.strerror}") from error

    def local(self, file: PurePosixPath) -> Path:
        """Give the file itself."""
        return self._root / file

    def sound(self, table: PurePosixPath, name: str) -> Path:
        """Find a sound beside its table, then where a set that was moved has it: by the ends of its path."""
        folder = self._root / table.parent
        places = [folder / name, folder.parent / name, *(folder / end for end in ends(name))]
        return next((place for place in places if place.is_file()), folder / name)


def ends(name: str) -> list[PurePosixPath]:
    """Give the ends of a path, the longest first: a set keeps its names wherever it is moved to."""
    parts = PurePosixPath(name).parts
    return [PurePosixPath(*parts[start:]) for start in range(1, len(parts))]
