"""Plugins: how `kind: player` in a scenario becomes a spec class, ours or anybody's.

Every kind is an entry point: the group says what it is (an actor, a channel ...), the name is the YAML `kind`, the
value the spec class. A separate package adds a kind by declaring an entry point; nothing here changes. Only the kinds
a scenario uses are imported.
"""

import importlib
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import cache
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, version
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from simulator.choices import alike
from simulator.errors import ScenarioError
from simulator.spec import AnyStruct, Convert
from simulator.texts import quoted

GROUPS = {
    "actors": "simulator.actors",
    "injectors": "simulator.injectors",
    "channels": "simulator.channels",
    "scorers": "simulator.scorers",
    "responders": "simulator.responders",
    "models": "simulator.models",
    "datasets": "simulator.datasets",
    "servers": "simulator.servers",
    "synthesizers": "simulator.synthesizers",
    "recognizers": "simulator.recognizers",
    "ears": "simulator.ears",
    "endpointing": "simulator.endpointing",
    "engines": "simulator.engines",
    "worlds": "simulator.worlds",
    "sinks": "simulator.sinks",
}


@cache
def installed(group: str) -> Mapping[str, EntryPoint]:
    """Give the kinds installed in a group (`actors`, `channels` ...), by name, sorted; nothing is imported."""
    return {point.name: point for point in sorted(_points().select(group=GROUPS[group]), key=lambda point: point.name)}


@cache
def _points() -> Any:  # another class before Python 3.12, which selects as well
    """Everything that packages here announce: reading it takes 10 ms, whatever group is asked for."""
    return entry_points()


@cache
def load(group: str, kind: str) -> Any:
    """Import and give the class registered as `kind`; ScenarioError names the kinds there are when it is unknown."""
    points = installed(group)
    if kind not in points:
        close = alike(kind, points)
        meant = f"; did you mean {' or '.join(close)}?" if close else ""
        raise ScenarioError(f"{quoted(kind)} is not installed; choose one of {', '.join(points) or '(none)'}{meant}")
    try:
        return points[kind].load()
    except ImportError as error:
        raise ScenarioError(f"{kind!r} cannot be imported: {error}") from error


class Kind(metaclass=AnyStruct):
    """A field's type that decodes to a spec of any kind of one group; `silent` alone is short for `{kind: silent}`.

    Beside the spec class that all kinds of a group derive from stands the marker that scenarios use: `AnyActor` beside
    ActorSpec. The checker is told that it is the spec class, which is what such a field holds.
    """

    group: ClassVar[str]
    spec: ClassVar[type[msgspec.Struct]]
    any_word: ClassVar[bool] = False
    """Whether words are allowed that are no kind's name: `expand` knows what they mean."""
    any_list: ClassVar[bool] = False
    """Whether a list is short for a mapping too."""

    @classmethod
    def __decode__(cls, value: object, convert: Convert) -> Any:
        if isinstance(value, str) or (cls.any_list and isinstance(value, list)):
            value = cls.expand(value)
        if not isinstance(value, dict):
            raise ValueError(f"expected a mapping with a kind, found {quoted(value)}")
        if not isinstance(value.get("kind"), str):
            raise ValueError(f"the key `kind` is missing; choose one of {', '.join(installed(cls.group))}")
        try:
            spec = load(cls.group, value["kind"])
        except ScenarioError as error:
            raise ValueError(f"{error} - at `$.kind`") from error
        if not (isinstance(spec, type) and issubclass(spec, cls.spec)):
            raise ValueError(f"{value['kind']!r} is no {cls.spec.__name__}, as {cls.group} are - at `$.kind`")
        return convert(value, spec)

    @classmethod
    def expand(cls, short: Any) -> Mapping[str, Any]:
        """Give the mapping that a word (or a list) is short for."""
        return {"kind": short}


def function_named(call: str, folder: Path | None = None) -> Callable[..., Any]:
    """Import and give a function written `package.module:function`; folder: where its module lies, if not installed.

    ScenarioError: no module, nothing of that name in it, or not callable.
    """
    module_name, colon, name = call.partition(":")
    if not colon or not module_name or not name:
        raise ScenarioError(f"expected package.module:function, found {call!r}")
    if folder is not None and str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    try:
        found: Any = importlib.import_module(module_name)
    except Exception as error:
        raise ScenarioError(f"{module_name!r} cannot be imported: {type(error).__name__}: {error}") from error
    for part in name.split("."):
        found = getattr(found, part, None)
    if not callable(found):
        raise ScenarioError(f"{module_name!r} has no function {name!r}")
    return found  # type: ignore[no-any-return]


def versions_of(packages: Iterable[str]) -> dict[str, str]:
    """Give the versions of those of some packages that are installed."""
    found: dict[str, str] = {}
    for package in packages:
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found
