"""Files that are there whole or not at all, and JSON that is what it should be or refused in a sentence."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import msgspec

from simulator.errors import SessionError

T = TypeVar("T")

_FAULTS = (msgspec.MsgspecError, ValueError, ArithmeticError, RecursionError)
"""What decoding raises: msgspec's own, for bytes that are no text, for numbers and nesting beyond its means."""


def allowed_bytes(variable: str, usual_mb: int) -> int:
    """Give how many bytes may be kept: the megabytes that a variable of the environment names, else the usual ones."""
    named = os.environ.get(variable, "")
    return (int(named) if named.isdecimal() else usual_mb) * 1_000_000


def write_whole(path: Path, content: bytes) -> None:
    """Write a file in one move: a reader sees all of it, or what was there before. OSError: nothing has changed."""
    unfinished = path.with_name(f".{path.name}.{uuid4().hex}.part")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def write_json(path: Path, value: object) -> None:
    """Write JSON, indented, fields in the order given. OSError."""
    write_whole(path, msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n")


def append_lines(path: Path, lines: Iterable[bytes]) -> None:
    """Add lines to a file, each in one write so that those of several processes never mix; its folder is made. OSError.

    A half line that a killed process left is ended first.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        size = os.fstat(descriptor).st_size
        torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        for number, line in enumerate(lines):
            os.write(descriptor, b"\n" * (torn and number == 0) + line + b"\n")
    finally:
        os.close(descriptor)


def read_json(path: Path, kind: type[T]) -> T:
    """Read a JSON file as a type. FileNotFoundError where it is missing; SessionError says what is wrong and where."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise SessionError(f"{path}: cannot be read: {error.strerror}") from error
    return decode_json(content, msgspec.json.Decoder(kind), where=str(path))


def decode_json(content: bytes, decoder: "msgspec.json.Decoder[T]", *, where: str) -> T:
    """Decode JSON from elsewhere; SessionError says what was found, and where in it."""
    try:
        return decoder.decode(content)
    except (UnicodeDecodeError, *_FAULTS) as error:
        # msgspec told of such bytes by Python's error up to 0.22, and by one of its own since.
        what = "a text in it is no UTF-8" if "utf-8" in str(error).lower() else str(error)
        raise SessionError(f"{where}: cannot be read: {what}") from error
