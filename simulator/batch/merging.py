"""Merging: the parts of a run put together, byte for byte the run that one machine would have made.

Rows stand in the order of a run that plays one session after the other; session folders are copied. Nothing of the
parts is changed. What is missing is told, and what is there is merged all the same; parts that do not belong together,
or a session that two of them tell differently, are refused before anything is written.
"""

import shutil
from collections.abc import Iterator, Sequence
from filecmp import cmp
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec import UNSET

from simulator.batch.folder import RunFolder
from simulator.errors import ScenarioError, SessionError
from simulator.reading.cost import Cost
from simulator.reading.secrets import mask_command
from simulator.results.row_file import RESULTS, names_folder
from simulator.results.run import SESSION_PAGE
from simulator.results.run_info import INFO, RunInfo, ShardInfo, read_info, write_info
from simulator.session import is_session


class ShardFolder(NamedTuple):
    """A part, read: where it lies, run.json, which part it is, and the lines of its sessions by id."""

    folder: Path
    info: RunInfo
    shard: ShardInfo
    lines: dict[str, bytes]


class Merged(NamedTuple):
    """What merging came to. missing: a sentence per part that is not there, and per part that lacks sessions.

    told: what is odd and costs nothing.
    """

    sessions: int
    missing: list[str]
    told: list[str]


class _Named(msgspec.Struct):
    id: str


def merge(folders: Sequence[Path], out: Path, command: Sequence[str]) -> Merged:
    """Merge parts into a new run folder; a folder that holds folders of parts stands for all of them.

    SessionError: no part, parts of different runs, two that tell a session differently. ScenarioError: `out` is no new
    folder. OSError: the disk is full.
    """
    parts = [_read(folder) for folder in _found(folders, out)]
    _refuse_strangers(parts)
    chosen, told = _chosen(parts)
    run = RunFolder(out, resume=False)
    try:
        return _written(list(chosen.values()), run, command, told)
    finally:
        run.close()


def _found(folders: Sequence[Path], out: Path) -> Iterator[Path]:
    for folder in folders:
        if (folder / INFO).is_file():
            yield folder
            continue
        inside = sorted(path.parent for path in folder.glob(f"*/{INFO}") if path.parent.resolve() != out.resolve())
        if not inside:
            raise SessionError(f"{folder}: holds no part of a run: there is no {INFO} in it, nor in a folder of it")
        yield from inside


def _read(folder: Path) -> ShardFolder:
    info = read_info(folder)
    if info.shard is UNSET:
        raise SessionError(f"{folder}: is no part of a run (`simulate ... --shard 1/4`); nothing of it is to be merged")
    lines: dict[str, bytes] = {}
    path = folder / RESULTS
    for line in path.read_bytes().splitlines(keepends=True) if path.is_file() else ():
        try:
            name = msgspec.json.decode(line, type=_Named).id
        except (msgspec.DecodeError, ValueError):
            continue  # half a line: its session is missing, and told
        if line.endswith(b"\n") and names_folder(name):
            lines[name] = line
    return ShardFolder(folder, info, info.shard, lines)


def _refuse_strangers(parts: Sequence[ShardFolder]) -> None:
    first = parts[0]
    for part in parts[1:]:
        if part.shard.plan != first.shard.plan:
            raise SessionError(
                f"{part.folder}: is a part of another run than {first.folder}: its sessions or their settings differ"
            )
        if part.info.datasets != first.info.datasets:
            raise SessionError(
                f"{part.folder}: its data set is of another commit than that of {first.folder}; play one of them again "
                "with the `revision` that the other's run.json tells"
            )
        if part.shard.of != first.shard.of:
            raise SessionError(
                f"{part.folder}: is one of {part.shard.of} parts, {first.folder} one of {first.shard.of}; "
                "only parts of one division are merged"
            )


def _chosen(parts: Sequence[ShardFolder]) -> tuple[dict[int, ShardFolder], list[str]]:
    """Give the parts by number; of two of one number that with more sessions, if they agree on all that both have."""
    chosen: dict[int, ShardFolder] = {}
    told: list[str] = []
    for part in parts:
        number = part.shard.number
        other = chosen.setdefault(number, part)
        if other is part:
            continue
        for name in part.lines.keys() & other.lines.keys():
            _refuse_difference(name, part, other)
        chosen[number] = max(other, part, key=lambda one: len(one.lines))
        told.append(f"{part.folder} and {other.folder} hold part {number}/{part.shard.of}, alike; one of them is used")
    return dict(sorted(chosen.items())), told


def _refuse_difference(name: str, part: ShardFolder, other: ShardFolder) -> None:
    differs = None if part.lines[name] == other.lines[name] else RESULTS
    folders = part.folder / name, other.folder / name
    if differs is None and all(map(is_session, folders)):
        inside = [{str(path.relative_to(folder)) for path in _files(folder)} for folder in folders]
        differs = next(iter(sorted(inside[0] ^ inside[1])), None) or next(
            (file for file in sorted(inside[0]) if not cmp(folders[0] / file, folders[1] / file, shallow=False)), None
        )
    if differs is not None:
        raise SessionError(f"{name}: {differs} in {part.folder} and in {other.folder} differs; leave one of them out")


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and path.name != SESSION_PAGE)


def _written(parts: Sequence[ShardFolder], run: RunFolder, command: Sequence[str], told: list[str]) -> Merged:
    """Write rows, sessions and run.json."""
    run.write(command, None)
    missing = _missing(parts)
    order = {name: place for part in parts for name, place in part.shard.order.items()}
    rows = [(order.get(name, []), name, part) for part in parts for name in part.lines]
    with (run.path / RESULTS).open("wb") as file:
        for _, name, part in sorted(rows, key=lambda row: (not row[0], row[0], row[1])):
            file.write(part.lines[name])
    for part in parts:
        for path in sorted(part.folder.iterdir()):
            if path.is_dir():  # attempts that were set aside, and sessions that never ended, too
                _copy(path, run.path / path.name)
    write_info(run.path, _info(parts, command))
    return Merged(len(rows), missing, told)


def _copy(source: Path, target: Path) -> None:
    if target.exists():
        raise ScenarioError(f"{target}: two parts hold a folder of this name")
    shutil.copytree(source, target)


def _missing(parts: Sequence[ShardFolder]) -> list[str]:
    of, known = parts[0].shard.of, {part.shard.number for part in parts}
    lines = [f"part {number}/{of} is missing" for number in range(1, of + 1) if number not in known]
    for part in parts:
        lacking = [name for name in part.shard.sessions if name not in part.lines]
        lost = [name for name in part.lines if not is_session(part.folder / name)]
        for names, what in ((lacking, "have no result"), (lost, "have no folder any more")):
            if names:
                more = f" and {len(names) - 3} more" if len(names) > 3 else ""
                lines.append(f"{part.folder}: {len(names)} sessions {what}: {', '.join(names[:3])}{more}")
    return lines


def _info(parts: Sequence[ShardFolder], command: Sequence[str]) -> RunInfo:
    infos = [part.info for part in parts]
    costs: dict[str, Cost] = {}
    for info in infos:
        for name, cost in (info.costs or {}).items():
            before = costs.get(name, Cost(value=0.0))
            value = None if cost.value is None or before.value is None else before.value + cost.value
            costs[name] = Cost(value=value, reason=before.reason or cost.reason)
    return RunInfo(
        command=mask_command(command),
        started=min(info.started for info in infos),
        wall_s=sum(info.wall_s or 0.0 for info in infos),
        versions=infos[0].versions,
        host=infos[0].host,
        sessions={name: wall for info in infos for name, wall in info.sessions.items()},
        model_hosts=[host for info in infos for host in info.model_hosts or []],
        costs=costs,
        sweeps=infos[0].sweeps,
        datasets=infos[0].datasets,
    )


def end(folder: Path, exit_code: int) -> None:
    """Have a merged run's run.json say how it ended. OSError."""
    write_info(folder, msgspec.structs.replace(read_info(folder), exit_code=exit_code))
