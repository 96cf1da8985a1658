"""What a user gives a compatibility scorer instead of detection, recognition and judging, read from files.

segments=FILE  {id: {"user": [[s, e], ...], "agent": [[s, e], ...]}} in seconds; a missing side is detected
texts=FILE     {id: {"user": ["..."], "agent": ["..."]}} in segment order; a missing side is recognised
"""

from pathlib import Path
from typing import Any

import msgspec

from simulator.errors import ScenarioError
from simulator.spec import Convert


class Sides(msgspec.Struct, frozen=True, kw_only=True):
    """What a file says of one sample's two parties; None where it says nothing of a party."""

    user: list[Any] | None = None
    agent: list[Any] | None = None


class SegmentSides(Sides, frozen=True, kw_only=True):
    """Stretches of speech in seconds."""

    user: list[tuple[float, float]] | None = None
    agent: list[tuple[float, float]] | None = None


class TextSides(Sides, frozen=True, kw_only=True):
    """Texts in the order of the segments."""

    user: list[str] | None = None
    agent: list[str] | None = None


class Names(tuple[str, ...]):
    """A list of names, written `a,b` on the command line and as a list (or `a,b`) in YAML."""

    __slots__ = ()

    @classmethod
    def __decode__(cls, value: object, convert: Convert) -> "Names":
        if isinstance(value, str):
            return cls(name.strip() for name in value.split(",") if name.strip())
        if isinstance(value, list) and all(isinstance(name, str) for name in value):
            return cls(value)
        raise ValueError(f"expected names such as a,b; found {value!r}")

    def __encode__(self) -> list[str]:
        return list(self)


def read_segments(path: Path | None) -> dict[str, SegmentSides]:
    """Read segments=FILE; empty without a file. ScenarioError: not JSON, or not of that shape."""
    return {} if path is None else _read(path, dict[str, SegmentSides], "segments")


def read_texts(path: Path | None) -> dict[str, TextSides]:
    """Read texts=FILE; empty without a file. ScenarioError: not JSON, or not of that shape."""
    return {} if path is None else _read(path, dict[str, TextSides], "texts")


def read_json_option(path: Path, option: str) -> Any:
    """Read a JSON file that an option names; ScenarioError names the option, the file and what is wrong."""
    return _read(path, Any, option)


def _read(path: Path, kind: Any, option: str) -> Any:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except OSError as error:
        raise ScenarioError(f"{option}={path}: cannot be read: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise ScenarioError(f"{option}={path}: {str(error)[:1].lower()}{str(error)[1:]}") from error
