"""What may stand at a key, in words: its type (`number 0 to 1`), its unit (`dB`) and its default, from the spec itself.

One wording for `simulate list GROUP KIND` and for the reference pages.
"""

import json
import re
from collections.abc import Iterator
from functools import singledispatch
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect

from simulator.choices import forms
from simulator.plugins import Kind
from simulator.reading.key_texts import key_texts
from simulator.spec import Duration, Written, encode

_UNITS = {
    "db": "dB", "ms": "ms", "s": "s", "sec": "s", "hz": "Hz", "ppm": "ppm", "percent": "%", "semitones": "semitones",
    "bit_rate": "bit/s", "sample_rate": "Hz", "pcm_rate": "Hz", "minutes": "min", "minute": "/min", "distance": "m",
    "size": "m", "max_tokens": "tokens", "trials": "trials", "channel": "from 0", "tempo": "times", "port": "TCP port",
}  # fmt: skip
"""By a key's whole name, or by its last word. A bare time (`1.5s`) has its unit in the value."""

_BASIC: dict[type, str] = {
    inspect.StrType: "text", inspect.IntType: "integer", inspect.FloatType: "number", inspect.BoolType: "true, false",
}  # fmt: skip
_WORDS = {
    "Latency": "free, measured or time", "PerMinute": "rate such as 6/min", "Length": "time or what ends it",
    "Expectation": "text or mapping", "EndTimes": "list of number", "Names": "list of text", "Count": "integer or >= 3",
    "StartMoment": "turn 2, call NAME or time", "JudgeAddress": "MODEL@URL", "Sweep": "dimensions by name",
    "AnyMind": "{kind: rules} or a chat endpoint", "Weights": "path or hub id",
}  # fmt: skip
"""What types that decode themselves are called."""
_FAR = 1e12
NONE = "none"
LONGEST = 60
"""A longer default is cut: the code has it."""


class Key(msgspec.Struct, frozen=True):
    """A key of a kind: its name, type and unit in words, its default as YAML would have it, and what it means."""

    name: str
    type: str
    unit: str
    default: str
    text: str


def keys_of(struct: type[Any]) -> Iterator[Key]:
    """Give the keys of a struct in their order; `needed` is the default of one that must be given."""
    if not issubclass(struct, msgspec.Struct):
        return
    texts = key_texts(struct)
    info = inspect.type_info(struct)
    assert isinstance(info, inspect.StructType)
    for field, told in zip(msgspec.structs.fields(struct), info.fields, strict=True):
        name = field.encode_name
        yield Key(name, _type(told.type), _unit(name, told.type), _default(field), texts.get(name, ""))


def inner_structs(struct: type[Any], seen: set[type[Any]] | None = None) -> Iterator[tuple[str, type[Any]]]:
    """Give the mappings that stand inside a struct's keys, each once, as the types of keys name them; no kinds."""
    seen = {struct} if seen is None else seen
    info = inspect.type_info(struct)
    fields = info.fields if isinstance(info, inspect.StructType) else ()
    for part in (part for field in fields for part in _parts(field.type)):
        if isinstance(part, inspect.StructType) and part.cls not in seen:
            seen.add(part.cls)
            yield _type(part), part.cls
            yield from inner_structs(part.cls, seen)


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "needed"
    value = field.default_factory() if field.default is msgspec.NODEFAULT else field.default
    if value is None or value is msgspec.UNSET:
        return NONE
    plain = encode(value)
    if isinstance(plain, dict) and plain.keys() == {"kind"}:
        return str(plain["kind"])
    return _shortened(plain) if isinstance(plain, str) and plain else _shortened(json.dumps(plain, ensure_ascii=False))


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 4].rstrip()} ..."


def _unit(name: str, kind: inspect.Type) -> str:
    if any(isinstance(part, inspect.CustomType) and part.cls is Duration for part in _parts(kind)):
        return "s, ms ..."
    if not any(isinstance(part, inspect.IntType | inspect.FloatType) for part in _parts(kind)):
        return ""
    return _UNITS.get(name) or _UNITS.get(re.split("_", name)[-1], "")


def _parts(kind: inspect.Type) -> Iterator[inspect.Type]:
    """The types that may stand in a type, however deep inside lists and mappings."""
    for form in forms(kind):
        if isinstance(form, inspect.TupleType):
            yield from _parts(form.item_types[0])
        elif isinstance(form, inspect.ListType | inspect.VarTupleType):
            yield from _parts(form.item_type)
        elif isinstance(form, inspect.DictType):
            yield from _parts(form.value_type)
        elif isinstance(form, inspect.CustomType) and isinstance(form.cls, type) and issubclass(form.cls, Written):
            yield from _parts(inspect.type_info(form.cls.struct))
        else:
            yield form


def _bound(kind: inspect.Type, name: str) -> float | None:
    """A bound that means something: the largest are there to keep numbers exact."""
    bound: float | None = getattr(kind, name, None)
    return bound if bound is not None and abs(bound) < _FAR else None


@singledispatch
def _type(kind: inspect.Type) -> str:
    low, high, above, below = (_bound(kind, name) for name in ("ge", "le", "gt", "lt"))
    word = _BASIC.get(type(kind), "anything")
    if low is not None and high is not None:
        return f"{word} {low:g} to {high:g}"
    bounds = (("from", low), ("above", above), ("to", high), ("below", below))
    return " ".join([word, *(f"{how} {bound:g}" for how, bound in bounds if bound is not None)])


@_type.register
def _(kind: inspect.Metadata) -> str:
    return _type(kind.type)


@_type.register
def _(kind: inspect.LiteralType) -> str:
    return ", ".join(map(str, kind.values))


@_type.register
def _(kind: inspect.UnionType) -> str:
    words = dict.fromkeys(_type(part) for part in kind.types if not isinstance(part, inspect.NoneType))
    if "number" in words:
        words.pop("integer", None)
    return " or ".join(words)


@_type.register(inspect.ListType)
@_type.register(inspect.VarTupleType)
def _(kind: inspect.ListType | inspect.VarTupleType) -> str:
    return f"list of {_type(kind.item_type)}"


@_type.register
def _(kind: inspect.TupleType) -> str:
    return f"{len(kind.item_types)} of {_type(kind.item_types[0])}"


@_type.register
def _(kind: inspect.DictType) -> str:
    return f"mapping to {_type(kind.value_type)}"


@_type.register
def _(kind: inspect.StructType) -> str:
    tag = f"kind: {kind.tag}" if kind.tag_field else ", ".join(field.encode_name for field in kind.fields[:4])
    return f"{{{tag}{' ...' if not kind.tag_field and len(kind.fields) > 4 else ''}}}"


@_type.register
def _(kind: inspect.CustomType) -> str:
    own = kind.cls
    if own is Duration:
        return "time"
    if own is Path:
        return "path"
    if isinstance(own, type) and issubclass(own, Kind):
        return f"one of {own.group}"
    if isinstance(own, type) and issubclass(own, Written):
        return f"text or {_type(inspect.type_info(own.struct))}"
    name = getattr(own, "__name__", str(own))
    return _WORDS.get(name) or re.sub(r"(?<!^)(?=[A-Z])", " ", name).lower()
