"""What a scorer of another project's numbers may do besides: write that project's own comparison of result folders."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol, runtime_checkable


class FolderComparison(NamedTuple):
    """A comparison as the other project writes it. text: None where nothing can be compared.

    problems: a sentence per folder that cannot be used. of: how many folders there were.
    """

    text: str | None
    problems: tuple[str, ...]
    of: int


@runtime_checkable
class ComparesFolders(Protocol):
    """A scorer whose project compares result folders."""

    def compare_folders(self, written: Sequence[str]) -> FolderComparison:
        """Compare folders, each as the project writes it (path, path:name, host:path:name)."""
        ...
