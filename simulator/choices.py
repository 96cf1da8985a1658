"""Choices: what could have been written where a scenario says something unknown.

msgspec names the place of an unknown key or value; the type that stands there names what is allowed.
"""

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Any

from msgspec import inspect

_UNKNOWN_KEY = re.compile(r"Object contains unknown field `([^`]*)`(?: - at `\$([^`]*)`)?(?=$| - at)")
_UNKNOWN_VALUE = re.compile(r"Invalid enum value '([^']*)'(?: - at `\$([^`]*)`)?(?=$| - at)")
_STEP = re.compile(r"\.(\w+)|\[(?:\d+|\.\.\.)\]")


def with_choices(complaint: str, kind: Any) -> str:
    """Add to a complaint about a value of type `kind` what is allowed where it points; others come back unchanged."""
    for pattern, choices in ((_UNKNOWN_KEY, _keys), (_UNKNOWN_VALUE, _values)):
        match = pattern.match(complaint)
        if match is None:
            continue
        allowed = sorted({name for part in _at(inspect.type_info(kind), match[2] or "") for name in choices(part)})
        if allowed:
            head = complaint[: match.end()].split(" - at `", maxsplit=1)[0]
            return f"{head}; {suggestion(match[1], allowed)}{complaint[len(head) :]}"
    return complaint


def suggestion(found: str, allowed: Iterable[str]) -> str:
    """Say what was probably meant, or what there is: `did you mean after`, `choose one of at, after`."""
    names = list(allowed)
    close = alike(found, names)
    return f"did you mean {' or '.join(close)}" if close else f"choose one of {', '.join(names)}"


def alike(found: str, allowed: Iterable[str]) -> list[str]:
    """Give what was probably meant: two of the allowed names at most, the likelier first."""
    return get_close_matches(found, list(allowed), 2, 0.7)


def _at(kind: inspect.Type, path: str) -> list[inspect.Type]:
    """Give the types that can stand at a path (`.turns[0].cue`) inside a type."""
    places = [kind]
    for step in _STEP.finditer(path):
        places = [inner for place in places for inner in _inside(place, step[1])]
    return [part for place in places for part in forms(place)]


def _inside(kind: inspect.Type, name: str | None) -> Iterator[inspect.Type]:
    for part in forms(kind):
        if name is None and isinstance(part, inspect.ListType | inspect.VarTupleType):
            yield part.item_type
        elif isinstance(part, inspect.DictType):
            yield part.value_type
        elif isinstance(part, inspect.StructType):
            yield from (field.type for field in part.fields if field.encode_name == name)


def forms(kind: inspect.Type) -> Iterator[inspect.Type]:
    """Give the types that a type stands for: those of a union, without what annotates them."""
    if isinstance(kind, inspect.UnionType):
        for part in kind.types:
            yield from forms(part)
    elif isinstance(kind, inspect.Metadata):
        yield from forms(kind.type)
    else:
        yield kind


def _keys(kind: inspect.Type) -> list[str]:
    return [field.encode_name for field in kind.fields] if isinstance(kind, inspect.StructType) else []


def _values(kind: inspect.Type) -> list[str]:
    return [str(value) for value in kind.values] if isinstance(kind, inspect.LiteralType) else []
