"""world.json: what a session's world was before and after, and what changed, path by path."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from simulator.files import read_json

WORLD = "world.json"


class StateChange(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What lies at a path, before and after; left out where there is nothing."""

    path: str
    before: Any | msgspec.UnsetType = msgspec.UNSET
    after: Any | msgspec.UnsetType = msgspec.UNSET


class WorldVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a world itself says of what was done in it, as a benchmark does.

    reward: 0 to 1, by calls and state. basis: what all of it rests on. communicate: what the agent must have said.
    language: criteria that only a reader of language can judge.
    """

    reward: float
    basis: list[str] = []
    communicate: list[str] = []
    language: list[str] = []


class WorldRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The content of world.json."""

    before: Any
    after: Any
    diff: list[StateChange] = []
    verdict: WorldVerdict | None = None


def recorded(before: Any, after: Any, verdict: WorldVerdict | None = None) -> WorldRecord:
    """Give what became of a state, as plain data both."""
    return WorldRecord(before=before, after=after, diff=list(_changes(before, after, "")), verdict=verdict)


def read_world(folder: Path) -> WorldRecord | None:
    """Read a session's world.json; None where it had no world. SessionError when damaged."""
    try:
        return read_json(folder / WORLD, WorldRecord)
    except FileNotFoundError:
        return None


def _changes(before: Any, after: Any, path: str) -> Iterator[StateChange]:
    if isinstance(before, dict) and isinstance(after, dict):
        yield from _changes_at([*before, *(name for name in after if name not in before)], before, after, path)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _changes(old, new, f"{path}.{index}" if path else str(index))
    elif before != after or type(before) is not type(after):
        yield StateChange(path=path, before=before, after=after)


def _changes_at(names: list[str], before: dict[str, Any], after: dict[str, Any], path: str) -> Iterator[StateChange]:
    for name in names:
        inside = f"{path}.{name}" if path else name
        if name in before and name in after:
            yield from _changes(before[name], after[name], inside)
        else:
            yield StateChange(path=inside, before=before.get(name, msgspec.UNSET), after=after.get(name, msgspec.UNSET))
