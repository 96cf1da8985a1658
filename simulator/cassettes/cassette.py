"""A cassette: one paid call, under a hash of all that was asked. Keys, tokens and sound are never part of it.

    {"key": "9f2c...", "kind": "judge", "request": {"model": ..., "messages": [...]}, "reply": {"text": ...},
     "usage": {"input_text": 812, "output_text": 44}}

request: as it went out, without what opens doors: headers are no part of it, URLs are masked, known secrets are
`${NAME}`. A sound in it is told by its hash and size, so that a line stays readable. reply: what came back.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

_SOUND = "input_audio"


class Cassette(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One call and its answer. usage: tokens by kind, as prices name them. replayed: it was paid for before."""

    key: str
    kind: str
    request: dict[str, Any]
    reply: dict[str, Any]
    usage: dict[str, int] = {}
    replayed: bool = False


def key_of(kind: str, request: Mapping[str, Any]) -> str:
    """Give the key of a request: SHA-256 of its JSON with sorted keys, as 64 hexadecimal digits."""
    return hashlib.sha256(msgspec.json.encode([kind, request], order="sorted")).hexdigest()


def written_down(value: Any) -> Any:
    """Give a request as it is kept: of every sound its hash and size, all else as it is."""
    if isinstance(value, Mapping):
        return {str(name): _sound(item) if name == _SOUND else written_down(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [written_down(item) for item in value]
    return value


def _sound(part: Any) -> Any:
    if not isinstance(part, Mapping) or not isinstance(part.get("data"), str):
        return written_down(part)
    data = part["data"].encode()
    rest = {name: item for name, item in part.items() if name != "data"}
    return {**rest, "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
