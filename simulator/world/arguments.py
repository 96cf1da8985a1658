"""Arguments: whether a call's arguments are as the tool's JSON Schema says, told as a real API would tell it.

Of JSON Schema (draft 2020-12) there is what tools are described with: types, enum, const, objects, arrays, ranges,
lengths, patterns, anyOf, oneOf, allOf, not, and references inside the schema. A keyword that is not among them is
refused before anything starts: what is written there is mostly misspelt, and would be passed over without a word.
"""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from simulator.texts import quoted

Schema = Any
"""A schema as plain data: a mapping, or true or false."""

_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "integer": lambda value: (
        isinstance(value, int | float) and not isinstance(value, bool) and float(value).is_integer()
    ),
}
_ANNOTATIONS = {"title", "description", "default", "examples", "format", "deprecated", "$comment", "$schema", "$id"}
_LISTS = ("anyOf", "oneOf", "allOf")
_GROUPS = ("properties", "$defs", "definitions")
_INNER = ("items", "not", "additionalProperties")
_BOUNDS: Mapping[str, tuple[str, Callable[[Any, Any], bool]]] = {
    "minimum": ("less than the minimum of", lambda value, bound: value >= bound),
    "maximum": ("greater than the maximum of", lambda value, bound: value <= bound),
    "exclusiveMinimum": ("less than or equal to the minimum of", lambda value, bound: value > bound),
    "exclusiveMaximum": ("greater than or equal to the maximum of", lambda value, bound: value < bound),
    "multipleOf": ("not a multiple of", lambda value, bound: math.isclose(value / bound, round(value / bound))),
}
_SIZES: Mapping[str, tuple[str, type | tuple[type, ...], Callable[[int, int], bool]]] = {
    "minLength": ("too short", str, lambda size, bound: size >= bound),
    "maxLength": ("too long", str, lambda size, bound: size <= bound),
    "minItems": ("too short", list, lambda size, bound: size >= bound),
    "maxItems": ("too long", list, lambda size, bound: size <= bound),
}
_KEYWORDS = {
    "type", "enum", "const", "required", "pattern", "uniqueItems", "$ref",
    *_ANNOTATIONS, *_LISTS, *_GROUPS, *_INNER, *_BOUNDS, *_SIZES,
}  # fmt: skip


def schema_fault(schema: Schema, root: Schema = None, where: str = "") -> str | None:
    """Say what of a schema is none, and where in it; None where all of it can be checked."""
    root = schema if root is None else root
    if isinstance(schema, bool):
        return None
    if not isinstance(schema, dict):
        return f"{where or 'it'} is {quoted(schema)}; a schema is a mapping"
    return next(_faults(schema, root, where), None)


def _faults(schema: dict[str, Any], root: Schema, where: str) -> Iterator[str]:
    at = f" at {where}" if where else ""
    for word in schema:
        if word not in _KEYWORDS:
            yield f"{quoted(word)}{at} is no keyword of JSON Schema that is known here"
    types = schema.get("type", [])
    for name in types if isinstance(types, list) else [types]:
        if name not in _TYPES:
            yield f"type {quoted(name)}{at} is none; there are {', '.join(_TYPES)}"
    if not _are_texts(schema.get("required", [])):
        yield f"required{at} is {quoted(schema['required'])}; it is a list of names"
    if not isinstance(schema.get("enum", []), list):
        yield f"enum{at} is {quoted(schema['enum'])}; it is a list"
    yield from _bad_numbers(schema, at)
    yield from _bad_pattern(schema.get("pattern", ""), at)
    for group in _GROUPS:
        if not isinstance(schema.get(group, {}), dict):
            yield f"{group}{at} is {quoted(schema[group])}; it is a mapping of schemas"
    reference = schema.get("$ref")
    if reference is not None and _referred(reference, root) is None:
        yield f"$ref {quoted(reference)}{at} names nothing in the schema"
    elif _comes_back(schema, root):
        yield f"$ref {quoted(reference)}{at} leads back to itself, and says nothing of any value"
    for name, inner in _inner(schema):
        fault = schema_fault(inner, root, f"{where}.{name}" if where else name)
        if fault is not None:
            yield fault


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _bad_numbers(schema: dict[str, Any], at: str) -> Iterator[str]:
    for word in (*_BOUNDS, *_SIZES):
        if word in schema and (not _TYPES["number"](schema[word]) or (word == "multipleOf" and schema[word] <= 0)):
            yield f"{word}{at} is {quoted(schema[word])}; it is a number"


def _bad_pattern(pattern: object, at: str) -> Iterator[str]:
    try:
        re.compile(pattern)  # type: ignore[call-overload]
    except (re.error, TypeError) as error:
        yield f"pattern {quoted(pattern)}{at} is no regular expression: {error}"


def _inner(schema: dict[str, Any]) -> Iterator[tuple[str, Schema]]:
    """Every schema inside a schema, by its place."""
    for group in _GROUPS:
        inside = schema.get(group, {})
        yield from ((f"{group}.{name}", inner) for name, inner in _as_mapping(inside).items())
    for word in _INNER:
        if word in schema:
            yield word, schema[word]
    for word in _LISTS:
        choices = schema.get(word, [])
        if isinstance(choices, list):
            yield from ((f"{word}[{index}]", choice) for index, choice in enumerate(choices))
        else:
            yield word, choices


def _referred(reference: object, root: Schema) -> Schema | None:
    """Give what a reference names: `#`, or a path from the root such as `#/$defs/order`."""
    if not isinstance(reference, str) or not reference.startswith("#"):
        return None
    found = root
    for part in filter(None, reference[1:].split("/")):
        found = found.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(found, dict) else None
    return found


def _comes_back(schema: dict[str, Any], root: Schema) -> bool:
    """Whether what a schema refers to asks the schema itself about the very same value: there would be no end."""
    asked: list[Schema] = [_referred(schema["$ref"], root)] if "$ref" in schema else []
    seen: list[Schema] = []
    while asked:
        one = asked.pop()
        if one is schema:
            return True
        if isinstance(one, dict) and not any(one is known for known in seen):
            seen.append(one)
            asked += [_referred(one["$ref"], root)] if "$ref" in one else []
            asked += [one["not"]] if "not" in one else []
            for word in _LISTS:
                asked += one[word] if isinstance(one.get(word), list) else []
    return False


def misfit(value: Any, schema: Schema) -> str | None:
    """Say what of a value is not as a schema says, in one sentence; None where it fits."""
    return next(_misfits(value, schema, schema, ""), None)


def with_defaults(arguments: Mapping[str, Any], schema: Schema) -> dict[str, Any]:
    """Give a call's arguments with what the schema says of those that were left out."""
    properties = schema.get("properties", {}) if isinstance(schema, dict) else {}
    defaults = {name: inner["default"] for name, inner in properties.items() if "default" in _as_mapping(inner)}
    return {**defaults, **arguments}


def _as_mapping(schema: Schema) -> Mapping[str, Any]:
    return schema if isinstance(schema, dict) else {}


def _misfits(value: Any, schema: Schema, root: Schema, where: str) -> Iterator[str]:
    if isinstance(schema, bool):
        if not schema:
            yield f"{_named(where)}is not allowed"
        return
    if "$ref" in schema:
        yield from _misfits(value, _referred(schema["$ref"], root), root, where)
    types = schema.get("type", [])
    types = types if isinstance(types, list) else [types]
    if types and not any(_TYPES[name](value) for name in types):
        yield f"{_named(where)}{_shown(value)} is not of type {' or '.join(map(repr, types))}"
        return
    if "enum" in schema and not any(_same(value, allowed) for allowed in schema["enum"]):
        yield f"{_named(where)}{_shown(value)} is not one of {_shown(schema['enum'])}"
    if "const" in schema and not _same(value, schema["const"]):
        yield f"{_named(where)}{_shown(value)} is not {_shown(schema['const'])}"
    yield from _out_of_bounds(value, schema, where)
    if isinstance(value, dict):
        yield from _object_misfits(value, schema, root, where)
    if isinstance(value, list):
        yield from _array_misfits(value, schema, root, where)
    yield from _choice_misfits(value, schema, root, where)


def _out_of_bounds(value: Any, schema: dict[str, Any], where: str) -> Iterator[str]:
    if _TYPES["number"](value):
        for word, (told, fits) in _BOUNDS.items():
            if word in schema and not fits(value, schema[word]):
                yield f"{_named(where)}{_shown(value)} is {told} {_shown(schema[word])}"
    for word, (told, kind, fits) in _SIZES.items():
        if (
            word in schema
            and isinstance(value, str | list)
            and isinstance(value, kind)
            and not fits(len(value), schema[word])
        ):
            yield f"{_named(where)}{_shown(value)} is {told}"
    if isinstance(value, str) and "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{_named(where)}{_shown(value)} does not match {_shown(schema['pattern'])}"


def _object_misfits(value: dict[str, Any], schema: dict[str, Any], root: Schema, where: str) -> Iterator[str]:
    properties = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{_named(where)}{name!r} is a required property"
    for name, item in value.items():
        inside = f"{where}.{name}" if where else name
        if name in properties:
            yield from _misfits(item, properties[name], root, inside)
        elif schema.get("additionalProperties", True) is False:
            yield f"{_named(where)}{name!r} is no property that is known"
        else:
            yield from _misfits(item, schema.get("additionalProperties", True), root, inside)


def _array_misfits(value: list[Any], schema: dict[str, Any], root: Schema, where: str) -> Iterator[str]:
    for index, item in enumerate(value):
        yield from _misfits(item, schema.get("items", True), root, f"{where}[{index}]")
    if schema.get("uniqueItems") and any(_same(item, other) for i, item in enumerate(value) for other in value[:i]):
        yield f"{_named(where)}{_shown(value)} has an element twice"


def _choice_misfits(value: Any, schema: dict[str, Any], root: Schema, where: str) -> Iterator[str]:
    for choice in schema.get("allOf", ()):
        yield from _misfits(value, choice, root, where)
    for word, allowed in (("anyOf", None), ("oneOf", 1)):
        if word in schema:
            fitting = sum(next(_misfits(value, choice, root, where), None) is None for choice in schema[word])
            if not fitting or (allowed is not None and fitting > allowed):
                yield f"{_named(where)}{_shown(value)} is not valid under {'any' if not fitting else 'one'} of {word}"
    if "not" in schema and next(_misfits(value, schema["not"], root, where), None) is None:
        yield f"{_named(where)}{_shown(value)} is what is not allowed"


def _same(one: Any, other: Any) -> bool:
    """Equal as JSON is: true is no 1, and 1.0 is 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(item, other[name]) for name, item in one.items())
    return (type(one) is type(other) and one == other) or (_TYPES["number"](one) and one == other)


def _named(where: str) -> str:
    return f"{where}: " if where else ""


def _shown(value: Any) -> str:
    return quoted(value) if isinstance(value, str) else json.dumps(value)
