"""A file of the hub, read in blocks that stay in the user's cache: what was read once is read without the hub."""

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

from simulator.datasets.hub_client import HubFileInfo, ask_part, endpoint
from simulator.engines.store import Store, key_of, store_named
from simulator.files import allowed_bytes

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BLOCK = 1 << 18
"""A table's footer costs one, and a thousand of them are no burden to a folder."""
_LARGEST_MB = 5000
_AT_ONCE = 128
"""Blocks of one request: what is on its way lies in memory."""


def hub_store(ending: str) -> Store:
    """Give the store of what was read: of more than 5 GB (SIMULATOR_HUB_MB says otherwise) the oldest goes."""
    return store_named("hub", ending, lambda: allowed_bytes("SIMULATOR_HUB_MB", _LARGEST_MB))


class HubFile(io.RawIOBase):
    """A file of a repository at a commit, readable anywhere. ScenarioError: what is read has to be asked for, in vain.

    Blocks are kept by what is in the file: the same file of a later commit is not fetched again.
    """

    def __init__(self, hub: str, commit: str, name: str, info: HubFileInfo) -> None:
        super().__init__()
        self._hub, self._commit, self._name, self._info = hub, commit, name, info
        self._store = hub_store("block")
        self._at = 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def tell(self) -> int:
        """Give the place of the next byte."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._info.size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Fill a buffer, up to the file's end; gives the number of bytes."""
        view = memoryview(buffer).cast("B")
        end = min(self._at + len(view), self._info.size)
        length = max(0, end - self._at)
        filled = 0
        for number, block in self._blocks(self._at // BLOCK, -(-end // BLOCK)) if length else ():
            first = self._at - number * BLOCK if not filled else 0
            piece = block[first : first + length - filled]
            view[filled : filled + len(piece)] = piece
            filled += len(piece)
        self._at += length
        return length

    def _blocks(self, first: int, last: int) -> Iterator[tuple[int, bytes]]:
        """Give the blocks from `first` up to `last` with their numbers; those that are missing come many at once."""
        number = first
        while number < last:
            kept = self._store.get(self._key(number))
            if kept is not None:
                yield number, kept
                number += 1
                continue
            missing = number + 1
            while missing < min(last, number + _AT_ONCE) and self._store.get(self._key(missing)) is None:
                missing += 1
            content = self._fetch(number, missing)
            for start in range(0, len(content), BLOCK):
                block = content[start : start + BLOCK]
                self._store.put(self._key(number), block)
                yield number, block
                number += 1

    def _fetch(self, first: int, last: int) -> bytes:
        return ask_part(self._hub, self._commit, self._name, first * BLOCK, min(last * BLOCK, self._info.size))

    def _key(self, number: int) -> str:
        return key_of((endpoint(), self._info.content, number, BLOCK))
