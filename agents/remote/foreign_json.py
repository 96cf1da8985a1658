"""JSON from strangers: decoded, or refused with one kind of error, whatever is wrong with it."""

from typing import Any

import msgspec

DEEPEST = 100
"""Deeper nesting is no message of any protocol, and would exhaust the stack of whoever walks through it."""


def decode_foreign(data: bytes | str) -> Any:
    """Decode JSON. ValueError for text that is none, bytes that are no UTF-8, and nesting beyond 100 levels."""
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


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
