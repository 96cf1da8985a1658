"""Tables of samples: parquet files as the Hugging Face hub lays them out, and JSON lines beside their sounds.

Parquet: SUBSET/SPLIT-00000-of-00001.parquet or data/SPLIT-....parquet, sounds in a column of {bytes, path}. JSON lines:
SUBSET/SPLIT.jsonl, SUBSET-SPLIT.jsonl, metadata.jsonl ..., sounds by path. Fields come first and sounds only of the
rows that are chosen: a set of gigabytes is not read for ten samples.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from simulator.datasets.kept_sound import kept
from simulator.errors import ScenarioError, SessionError
from simulator.texts import quoted

SUFFIXES = (".parquet", ".jsonl")
SOUND_COLUMNS = ("audio", "audio_path", "audio_filepath", "file_name", "context", "speech")
_NEEDS = 'reading parquet needs pyarrow: pip install "duplex-simulator[data]"'


class NoTableError(ScenarioError):
    """A folder holds no table of what is wanted; it may hold others."""


class TableRow(NamedTuple):
    """One row: where it stands, its fields without sounds, and what gives its sounds; problem: why it is none."""

    place: str
    number: int
    fields: Mapping[str, Any]
    sounds: Callable[[], list[Path]]
    problem: str = ""


def table_files(path: Path, subset: str = "", split: str = "") -> list[Path]:
    """Give the files of a table: the path itself, or those below it that are named after a subset and a split.

    NoTableError where there is none, another ScenarioError where there is no such path.
    """
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise ScenarioError(f"{path} is neither a folder nor a file")
    found = [file for file in sorted(path.rglob("*")) if file.suffix in SUFFIXES]
    matching = [file for file in found if _is_of(file.relative_to(path), subset, split)]
    if not matching:
        wanted = " ".join(part for part in (subset, split) if part)
        raise NoTableError(f"{path}: holds no table ({' or '.join(SUFFIXES)}) of {wanted or 'samples'}")
    return matching


def splits_in(path: Path, subset: str, splits: Sequence[str]) -> list[str]:
    """Give those of some splits that a folder has a table of."""
    if not path.is_dir():
        return list(splits[:1])
    files = [file.relative_to(path) for file in sorted(path.rglob("*")) if file.suffix in SUFFIXES]
    return [split for split in splits if any(_is_of(file, subset, split) for file in files)]


def _is_of(file: Path, subset: str, split: str) -> bool:
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


def read_table(file: Path) -> Iterator[TableRow]:
    """Give a table's rows; ScenarioError where the file cannot be read."""
    return _of_parquet(file) if file.suffix == ".parquet" else _of_lines(file)


def _of_lines(file: Path) -> Iterator[TableRow]:
    try:
        lines = file.read_bytes().split(b"\n")
    except OSError as error:
        raise ScenarioError(f"{file}: cannot be read: {error.strerror}") from error
    written = [(place, line) for place, line in enumerate(lines, 1) if line.strip()]
    for number, (line_number, line) in enumerate(written):
        place = f"{file.name}:{line_number}"
        try:
            fields = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield TableRow(place, number, {}, list, f"is not JSON: {error}")
            continue
        if not isinstance(fields, dict):
            yield TableRow(place, number, {}, list, "is no JSON object")
            continue
        plain = {name: value for name, value in fields.items() if name not in SOUND_COLUMNS}
        yield TableRow(place, number, plain, _SoundsBeside(file.parent, fields))


class _SoundsBeside:
    """The sounds that a row names, relative to its file's folder."""

    def __init__(self, folder: Path, fields: Mapping[str, Any]) -> None:
        self._folder = folder
        self._named = next((fields[name] for name in SOUND_COLUMNS if fields.get(name)), None)

    def __call__(self) -> list[Path]:
        named = self._named if isinstance(self._named, list) else [self._named] if self._named else []
        return [_beside(self._folder, item) for item in named]


def _beside(folder: Path, item: Any) -> Path:
    name = item.get("path") if isinstance(item, dict) else item
    if not isinstance(name, str) or not name:
        raise SessionError(f"audio: expected a path, found {quoted(item)}")
    # A set that was moved keeps its names: the last two parts of a path that leads nowhere are tried, then the last.
    parts = Path(name).parts
    places = [folder / name, folder.parent / name, folder.joinpath(*parts[-2:]), folder / parts[-1]]
    return next((place for place in places if place.is_file()), folder / name)


def _of_parquet(file: Path) -> Iterator[TableRow]:
    table = _open(file)
    names = [name for name in table.schema_arrow.names if name not in SOUND_COLUMNS]
    sounds = next((name for name in SOUND_COLUMNS if name in table.schema_arrow.names), None)
    number = 0
    for group in range(table.num_row_groups):
        for place, fields in enumerate(table.read_row_group(group, columns=names).to_pylist()):
            picked = _PickedSounds(table, sounds, group, place, file.parent)
            yield TableRow(f"{file.name}:{number + 1}", number, fields, picked)
            number += 1


class _PickedSounds:
    """The sounds of one row of a parquet file, read when they are asked for."""

    def __init__(self, table: Any, column: str | None, group: int, place: int, folder: Path) -> None:
        self._table, self._column, self._group, self._place, self._folder = table, column, group, place, folder

    def __call__(self) -> list[Path]:
        if self._column is None:
            return []
        value = self._table.read_row_group(self._group, columns=[self._column])[self._column][self._place].as_py()
        return [self._file(item) for item in (value if isinstance(value, list) else [value]) if item]

    def _file(self, item: Any) -> Path:
        content = item.get("bytes") if isinstance(item, dict) else None
        return kept(content) if content else _beside(self._folder, item)


def _open(file: Path) -> Any:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise ScenarioError(f"{file}: {_NEEDS}") from None
    try:
        return pyarrow.parquet.ParquetFile(file)
    except (OSError, pyarrow.ArrowException) as error:
        raise ScenarioError(f"{file}: is no parquet file that can be read: {error}") from error
