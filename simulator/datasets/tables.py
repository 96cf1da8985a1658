"""Tables of samples: parquet files as the Hugging Face hub lays them out, and JSON lines beside their sounds.

Parquet: SUBSET/SPLIT-00000-of-00001.parquet or data/SPLIT-....parquet, sounds in a column of {bytes, path}. JSON lines:
SUBSET/SPLIT.jsonl, SUBSET-SPLIT.jsonl, metadata.jsonl ..., sounds by path. Fields come first and sounds only of the
rows that are chosen: a set of gigabytes is not read for ten samples.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from simulator.datasets.kept_sound import kept
from simulator.datasets.source import SampleSource
from simulator.errors import ScenarioError, SessionError
from simulator.texts import install_of, quoted

SUFFIXES = (".parquet", ".jsonl")
SOUND_COLUMNS = ("audio", "audio_path", "audio_filepath", "file_name", "context", "speech")
_NEEDS = f"reading parquet needs pyarrow: {install_of('data')}"
_TOLD = 12
"""So many tables are named where none fits; the hub has sets with hundreds."""


class NoTableError(ScenarioError):
    """A data set holds no table of what is wanted; it may hold others."""


class TableRow(NamedTuple):
    """One row: where it stands, its fields without sounds, and what gives its sounds; problem: why it is none."""

    place: str
    number: int
    fields: Mapping[str, Any]
    sounds: Callable[[], list[Path]]
    problem: str = ""


class SampleTable(NamedTuple):
    """A table, by its path inside its data set."""

    source: SampleSource
    name: PurePosixPath


def table_files(source: SampleSource, subset: str = "", split: str = "") -> list[SampleTable]:
    """Give the files of a table: the one that a user named, or those that are named after a subset and a split.

    NoTableError where there is none, another ScenarioError where there is no such place.
    """
    found = _tables(source)
    matching = found if source.alone else [file for file in found if _is_of(file.name, subset, split)]
    if not matching:
        wanted = " ".join(part for part in (subset, split) if part)
        raise NoTableError(
            f"{source}: holds no table ({' or '.join(SUFFIXES)}) of {wanted or 'samples'}{_instead(found)}"
        )
    return matching


def splits_in(source: SampleSource, subset: str, splits: Sequence[str]) -> list[str]:
    """Give those of some splits that a data set has a table of."""
    if source.alone:
        return list(splits[:1])
    return [split for split in splits if any(_is_of(file.name, subset, split) for file in _tables(source))]


def _tables(source: SampleSource) -> list[SampleTable]:
    return [SampleTable(source, name) for name in source.files() if source.alone or name.suffix in SUFFIXES]


def _instead(found: Sequence[SampleTable]) -> str:
    """Say what a data set has tables of: by folder and name, without the numbers of pieces."""
    names = list(dict.fromkeys(str(file.name.with_name(file.name.stem.partition("-0")[0])) for file in found))
    more = f" and {len(names) - _TOLD} more" if len(names) > _TOLD else ""
    return f"; it has {', '.join(names[:_TOLD])}{more}" if names else ""


def _is_of(file: PurePosixPath, subset: str, split: str) -> bool:
    """Whether a file's folders and name say this subset and this split."""
    stem = file.stem.partition("-0")[0]
    folders = file.parts[:-1]
    if subset and subset in folders:
        return not split or stem == split or folders[-1] == split or stem == "metadata"
    if subset and stem == subset:
        return split in ("", "test")
    if subset:
        return bool(split) and stem in (f"{subset}-{split}", f"{subset}_{split}")
    return not split or stem == split or split in folders


def read_table(file: SampleTable) -> Iterator[TableRow]:
    """Give a table's rows; ScenarioError where the file cannot be read."""
    return _of_parquet(file) if file.name.suffix == ".parquet" else _of_lines(file)


def read_pieces(files: Sequence[SampleTable]) -> Iterator[TableRow]:
    """Give the rows of a table that lies in pieces, one after the other, numbered throughout."""
    for number, row in enumerate(row for file in files for row in read_table(file)):
        yield row._replace(number=number)


def _of_lines(file: SampleTable) -> Iterator[TableRow]:
    with file.source.open(file.name) as opened:
        lines = opened.read().split(b"\n")
    written = [(place, line) for place, line in enumerate(lines, 1) if line.strip()]
    for number, (line_number, line) in enumerate(written):
        place = f"{file.name.name}:{line_number}"
        try:
            fields = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield TableRow(place, number, {}, list, f"is not JSON: {error}")
            continue
        if not isinstance(fields, dict):
            yield TableRow(place, number, {}, list, "is no JSON object")
            continue
        plain = {name: value for name, value in fields.items() if name not in SOUND_COLUMNS}
        yield TableRow(place, number, plain, _SoundsBeside(file, fields))


class _SoundsBeside:
    """The sounds that a row names, relative to its file's folder."""

    def __init__(self, file: SampleTable, fields: Mapping[str, Any]) -> None:
        self._file = file
        self._named = next((fields[name] for name in SOUND_COLUMNS if fields.get(name)), None)

    def __call__(self) -> list[Path]:
        named = self._named if isinstance(self._named, list) else [self._named] if self._named else []
        return [_beside(self._file, item) for item in named]


def _beside(file: SampleTable, item: Any) -> Path:
    name = item.get("path") if isinstance(item, dict) else item
    if not isinstance(name, str) or not name:
        raise SessionError(f"audio: expected a path, found {quoted(item)}")
    return file.source.sound(file.name, name)


def _of_parquet(file: SampleTable) -> Iterator[TableRow]:
    with _opened(file) as table:
        names = [name for name in table.schema_arrow.names if name not in SOUND_COLUMNS]
        column = next((name for name in SOUND_COLUMNS if name in table.schema_arrow.names), None)
        number = 0
        for group in range(table.num_row_groups):
            for place, fields in enumerate(table.read_row_group(group, columns=names).to_pylist()):
                picked: Callable[[], list[Path]] = partial(_picked, file, column, group, place) if column else list
                yield TableRow(f"{file.name.name}:{number + 1}", number, fields, picked)
                number += 1


def _picked(file: SampleTable, column: str, group: int, place: int) -> list[Path]:
    """Give the sounds of one row of a parquet file, read when they are asked for."""
    value = _sounds_of(file, column, group)[place].as_py()
    items = value if isinstance(value, list) else [value]
    return [_kept(file, item) for item in items if item]


def _sounds_of(file: SampleTable, column: str, group: int) -> Any:
    # A group of rows is the least that can be read, and may be of a hundred megabytes: its rows cost one reading.
    which = file.name, group
    at_hand = _AT_HAND.get(file.source)
    if at_hand is None or at_hand[0] != which:
        with _opened(file) as table:
            at_hand = which, table.read_row_group(group, columns=[column])[column]
        _AT_HAND[file.source] = at_hand
    return at_hand[1]


def _kept(file: SampleTable, item: Any) -> Path:
    content = item.get("bytes") if isinstance(item, dict) else None
    return kept(content) if content else _beside(file, item)


_AT_HAND: WeakKeyDictionary[SampleSource, tuple[tuple[PurePosixPath, int], Any]] = WeakKeyDictionary()
"""Of a source the group of sounds that was read last, for as long as somebody reads it."""


@contextmanager
def _opened(file: SampleTable) -> Iterator[Any]:
    """Open a parquet file; what is wrong with it, then or later, is a ScenarioError."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise ScenarioError(f"{_named(file)}: {_NEEDS}") from None
    try:
        with file.source.open(file.name) as opened:
            yield pyarrow.parquet.ParquetFile(opened)
    except (OSError, pyarrow.ArrowException) as error:
        raise ScenarioError(f"{_named(file)}: is no parquet file that can be read: {error}") from error


def _named(file: SampleTable) -> str:
    return str(file.source) if file.source.alone else f"{file.source}/{file.name}"
