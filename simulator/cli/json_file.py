"""`--json FILE`: what a command found, as JSON in a file, or on standard output where FILE is `-`."""

import sys
from pathlib import Path
from typing import Any

import msgspec

from simulator.errors import ScenarioError


def write_json_file(target: str, plain: Any) -> None:
    """Write it, indented. ScenarioError: it cannot be written."""
    content = msgspec.json.format(msgspec.json.encode(plain), indent=2) + b"\n"
    if target == "-":
        sys.stdout.write(content.decode())
        return
    try:
        Path(target).write_bytes(content)
    except OSError as error:
        raise ScenarioError(f"--json {target}: cannot be written: {error.strerror}") from error
