"""JSON from strangers: decoded, or refused with one kind of error, whatever is wrong with it."""

from collections.abc import Mapping
from typing import Any

import msgspec

from simulator.errors import RemoteError

DEEPEST = 100
"""Deeper nesting is no message of any protocol, and would exhaust the stack of whoever walks through it."""
PIECE = 2**18
MOST_VALUES = 200_000
"""At most, counted by commas and brackets, those in texts included."""
LARGEST = 2.0**53
"""Beyond this a float is no count; NaN and the infinities are none either."""


def decode_foreign(data: bytes | str) -> Any:
    """Decode JSON. ValueError: no JSON, bytes that are no UTF-8, too many values, nesting beyond 100 levels."""
    if _holds_too_much(data):
        raise ValueError(f"it holds more than {MOST_VALUES} values")
    try:
        value = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(str(error)) from error
    level = [value]
    for _ in range(DEEPEST):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return value
    raise ValueError(f"it is nested deeper than {DEEPEST} levels")


def decode_object(data: bytes | str) -> dict[str, Any]:
    """Decode a JSON object. ValueError: as above, or it is no object."""
    value = decode_foreign(data)
    if not isinstance(value, dict):
        raise ValueError(f"an object is expected, found {type(value).__name__}")
    return value


def told_object(data: bytes | str, told: str) -> dict[str, Any]:
    """Decode the JSON object of a far end's. RemoteError, a predicate that begins with `told` (`answered with`)."""
    try:
        value = decode_foreign(data)
    except ValueError as error:
        raise RemoteError(f"{told} no JSON: {error}") from error
    if not isinstance(value, dict):
        raise RemoteError(f"{told} no JSON object")
    return value


def _holds_too_much(data: bytes | str) -> bool:
    """Count before anything is made of it, a piece at a time: a byte of JSON may become 64 of memory."""
    marks: tuple[Any, ...] = (b",", b"[", b"{") if isinstance(data, bytes) else (",", "[", "{")
    values = 0
    for start in range(0, len(data), PIECE):
        piece: Any = data[start : start + PIECE]
        values += sum(map(piece.count, marks))
        if values > MOST_VALUES:
            return True
    return False


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def inner(message: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Give an object inside a message; an empty one where there is none. TypeError for something else."""
    value = message.get(name)
    if not isinstance(value, dict | None):
        raise TypeError(f"{name} is no object")
    return value or {}


def listed(message: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """Give the objects of a list inside a message; none where there is no list. TypeError for something else."""
    value = message.get(name) or []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise TypeError(f"{name} is no list of objects")
    return value


def error_in(message: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give the error that a message tells of, an object; one that is told as a text is an object's message."""
    error = message.get("error")
    return error if isinstance(error, Mapping) else {"message": str(error or "")}


def number(message: Mapping[str, Any], name: str) -> float:
    """Give a number inside a message; 0 where there is none, or one that nobody can count with."""
    value = message.get(name)
    try:
        found = float(value) if isinstance(value, int | float | str) else 0.0
    except (ValueError, OverflowError):
        return 0.0
    return found if abs(found) < LARGEST else 0.0
