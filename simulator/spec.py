"""Specs: what a scenario file says, decoded once at the edge into frozen structs.

Every kind (an actor, a channel, a scorer ...) has a Spec subclass tagged with its `kind`. `decode` turns plain YAML
data into one, resolving relative paths against the scenario's folder and turning msgspec's complaint into a sentence
that says where in the file, what was found and what is allowed.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, ClassVar, TypeVar

import msgspec

from simulator.choices import with_choices
from simulator.errors import ScenarioError
from simulator.texts import quoted

T = TypeVar("T")

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|min|h)")
_UNIT_S = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0}
LONGEST_S = 24 * 3600.0


Decibels = Annotated[float, msgspec.Meta(ge=-100, le=100)]
"""A level or a gain in dB, within what 16 bits can tell apart."""
Tempo = Annotated[float, msgspec.Meta(ge=0.5, le=2)]
"""How many times as fast as it was spoken."""


class Spec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """What every spec is: frozen, keyword-only, closed against unknown fields. Subclasses give `tag="..."`."""


class AnyStruct(type):
    """Lets msgspec accept what `__decode__` gives: a struct is an instance of its own class, not of the marker."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, msgspec.Struct)


class Written(metaclass=AnyStruct):
    """A field's type for a struct that may be written as a text, too: `__decode__` gives the struct.

    The checker is told that it is the struct, which is what such a field holds.
    """

    struct: ClassVar[type[msgspec.Struct]]


class Duration(float):
    """A length of time in seconds, written in a scenario as `1.5s`, `300ms`, `2min`: not negative, at most 24 hours."""

    @classmethod
    def __decode__(cls, value: object, _convert: "Convert") -> "Duration":
        match = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
        if match is None:
            raise ValueError(f"{quoted(value)} is not a duration; write it like 1.5s or 300ms")
        seconds = float(match[1]) * _UNIT_S[match[2]]
        if seconds > LONGEST_S:
            raise ValueError(f"{value!r} is longer than 24 hours")
        return cls(seconds)

    def __encode__(self) -> str:
        milliseconds = round(self * 1000, 6)
        return f"{milliseconds:.12g}ms" if milliseconds < 1000 else f"{round(float(self), 9):.12g}s"

    __str__ = __encode__

    def samples(self, sample_rate: int) -> int:
        """Give the length in samples at `sample_rate` (Hz), rounded to the nearest."""
        return round(self * sample_rate)


def ms(value: float) -> Duration:
    """Give a Duration of so many milliseconds: the way defaults are written in specs."""
    return Duration(value / 1000)


Convert = Callable[[object, Any], Any]
"""What a type's `__decode__(value, convert)` gets to decode the parts of its value: convert(value, type) -> object."""


def decode(data: object, into: type[T], *, source: str, folder: Path, where: str = "$") -> T:
    """Decode plain data into a spec; ScenarioError names the file, the path in the file and what is allowed.

    source: the file's name. folder: what relative paths are relative to. where: path of `data` in the file.
    A type that is not msgspec's own decodes itself: `__decode__(value, convert)`, raising ValueError with a sentence.
    """

    def hook(kind: Any, value: Any) -> Any:
        if kind is Path:
            if not isinstance(value, str) or not value.strip():
                raise ValueError(f"expected a path, found {quoted(value)}")
            return _path(folder, value)
        try:
            return kind.__decode__(value, convert)
        except (msgspec.ValidationError, ArithmeticError, TypeError) as error:
            # msgspec adds the outer path to a ValueError, but lets its own error pass as it is.
            raise ValueError(str(error)) from error

    def convert(value: object, kind: Any) -> Any:
        try:
            return msgspec.convert(value, kind, dec_hook=hook)
        except msgspec.ValidationError as error:
            raise msgspec.ValidationError(with_choices(str(error), kind)) from error

    try:
        return convert(data, into)  # type: ignore[no-any-return]
    except (msgspec.ValidationError, ArithmeticError) as error:  # a number that no field can hold, or that overflows
        raise ScenarioError(_sentence(str(error), where=where, source=source)) from error


def _path(folder: Path, text: str) -> Path:
    """Give a path as it is meant. ValueError where no file can have that name."""
    try:
        return (folder / Path(text).expanduser()).resolve()
    except (OSError, RuntimeError, ValueError) as error:  # a NUL, links in a circle, the home of nobody
        raise ValueError(f"{quoted(text)} is no path: {error}") from error


def _sentence(complaint: str, *, where: str, source: str) -> str:
    """Turn `Expected x, got y - at `$.c` - at `$.a.b`` (inner path first) into `source: $.a.b.c: expected x, got y`."""
    text, *places = complaint.split(" - at `")
    if places and places[0].startswith("key` in `"):
        text, places[0] = f"a key: {text[:1].lower()}{text[1:]}", places[0].removeprefix("key` in `")
    path = where + "".join(place.rstrip("`").removeprefix("$") for place in reversed(places))
    return f"{source}: {path}: {text[:1].lower()}{text[1:]}"


def encode(value: object) -> Any:
    """Turn specs back into plain data (dicts, lists, strings, numbers) that `decode` reads as the same specs.

    What is UNSET is left out. A struct that says `omit_defaults` leaves out what equals its default. (msgspec's own
    encoder asks whether it *is* the default for types of ours, so a spec that came through another process would be
    written differently.)
    """
    if hasattr(value, "__encode__"):
        return value.__encode__()
    if isinstance(value, msgspec.Struct):
        return encode_struct(value)
    if isinstance(value, Mapping):
        return {str(name): encode(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [encode(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def encode_struct(value: msgspec.Struct) -> dict[str, Any]:
    """Give a struct's mapping, whatever short form it may have."""
    config = value.__struct_config__
    plain: dict[str, Any] = {config.tag_field: config.tag} if config.tag_field else {}
    for field in _fields(type(value)):
        item = getattr(value, field.name)
        default = field.default_factory() if field.default_factory is not msgspec.NODEFAULT else field.default
        if item is msgspec.UNSET:
            continue
        if not (config.omit_defaults and item == default):
            plain[field.encode_name] = encode(item)
    return plain


@cache
def _fields(kind: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    # Kept: msgspec resolves every annotation anew, which was nine tenths of what encoding a scenario took.
    return msgspec.structs.fields(kind)


def walk(value: object, visit: Callable[[str, object], None], where: str = "$") -> None:
    """Call `visit(path in the file, value)` for every value inside a spec, depth first."""
    visit(where, value)
    for name, item in _children(value):
        walk(item, visit, where + name)


def _children(value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, msgspec.Struct):
        yield from ((f".{name}", getattr(value, name)) for name in value.__struct_fields__)
    elif isinstance(value, dict):
        yield from ((f".{name}", item) for name, item in value.items())
    elif isinstance(value, list | tuple):
        yield from ((f"[{index}]", item) for index, item in enumerate(value))
