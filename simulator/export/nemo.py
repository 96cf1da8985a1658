"""Lhotse shards as a NeMo-Skills test set: test.jsonl with a message a recording, and the recordings beside it.

The layout alone is read (cuts.*.jsonl.gz, recording.*.tar), in the order of the files' names. A row is written for
every cut, whether its recording is in a shard or not; a recording is the tar's member `<id>.flac`. Offsets and
references of cuts are not used.
"""

import gzip
import json
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from simulator.errors import ScenarioError, SessionError
from simulator.export.predictions import write_lines

SYSTEM_PROMPT = "You are a helpful assistant."
SOUND_FOLDER = "data"
PREFIX = "s2s_demo"
SUFFIX = ".flac"
_CUTS, _SHARDS = "cuts.*.jsonl.gz", "recording.*.tar"


class Converted(NamedTuple):
    """What was written: the test file, how many rows, and the ids whose recordings no shard holds."""

    path: Path
    rows: int
    absent: list[str]


def write(
    shards: Path,
    folder: Path,
    *,
    system_prompt: str = SYSTEM_PROMPT,
    sound_folder: str = SOUND_FOLDER,
    prefix: str = PREFIX,
) -> Converted:
    """Write folder/test.jsonl and the recordings; ScenarioError without cuts, SessionError where one is unreadable."""
    ids = list(_ids(shards))
    if not ids:
        raise ScenarioError(f"{shards}: holds no cuts ({_CUTS})")
    found = _extract(shards, folder / sound_folder, frozenset(ids))
    rows = [_row(name, sound_folder, prefix, system_prompt) for name in ids]
    write_lines(folder / "test.jsonl", rows)
    absent = [name for name in dict.fromkeys(ids) if name not in found]
    return Converted(folder / "test.jsonl", len(rows), absent)


def _ids(shards: Path) -> Iterator[str]:
    """Give the id of every cut."""
    for file in sorted(shards.glob(_CUTS)):
        try:
            lines = gzip.decompress(file.read_bytes()).decode().split("\n")
        except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
            raise SessionError(f"{file}: cannot be read: {error}") from error
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield _id_of(line, f"{file.name}:{number}")


def _id_of(line: str, where: str) -> str:
    try:
        name = json.loads(line)["id"]
    except (ValueError, KeyError, TypeError) as error:
        raise SessionError(f"{where}: is no cut with an id") from error
    if not isinstance(name, str) or not name:
        raise SessionError(f"{where}: is no cut with an id")
    return name


def _row(name: str, sound_folder: str, prefix: str, system_prompt: str) -> dict[str, Any]:
    path = f"{sound_folder}/{name}{SUFFIX}"
    user = {"role": "user", "content": "", "audio": {"path": f"{prefix}/{path}"}}
    return {"problem": "", "audio_path": path, "messages": [{"role": "system", "content": system_prompt}, user]}


def _extract(shards: Path, folder: Path, ids: frozenset[str]) -> set[str]:
    """Write every wanted member under its own file name, out of whatever folder it has in the tar; give the ids."""
    found: set[str] = set()
    _make(folder)
    for file in sorted(shards.glob(_SHARDS)):
        try:
            with tarfile.open(file, "r") as shard:
                for member in shard:
                    name = member.name.removesuffix(SUFFIX)
                    sound = shard.extractfile(member) if member.name.endswith(SUFFIX) and name in ids else None
                    if sound is not None:
                        (folder / Path(member.name).name).write_bytes(sound.read())
                        found.add(name)
        except (OSError, EOFError, tarfile.TarError) as error:
            raise SessionError(f"{file}: cannot be read: {error}") from error
    return found


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ScenarioError(f"{folder}: cannot be written: {error.strerror}") from error


def shards_in(paths: Sequence[Path]) -> list[Path]:
    """Give the folders of shards that paths name; ScenarioError where one is none."""
    for path in paths:
        if not path.is_dir() or next(path.glob(_CUTS), None) is None:
            raise ScenarioError(f"{path} holds no lhotse shards ({_CUTS} and {_SHARDS})")
    return list(paths)
