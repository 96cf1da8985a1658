"""Files that are there whole or not at all."""

from pathlib import Path
from uuid import uuid4

import msgspec


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
