"""Places: where in a YAML text a path such as `$.user.turns[0].say` stands, and its line with a caret under it.

Errors name the path, because that is what a scenario is made of; a reader wants the line.
"""

import re
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from simulator.errors import ScenarioError
from simulator.reading.secrets import Secrets, mask_line
from simulator.reading.yaml_file import parse_yaml
from simulator.texts import shown

_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")
_PATH = re.compile(r"(\$(?:\.[^.\[\]:\s]+|\[\d+\])*)(?:: |$)")
_UNKNOWN_KEY = re.compile(r"unknown field `([^`]*)`")
_YAML_PLACE = re.compile(r"at line (\d+), column (\d+)")
_WIDEST = 110
"""Characters of a line that are shown; what comes later is cut."""


class FilePlace(NamedTuple):
    """A line and a column of a text, both from 1 on, and whether it is the place itself or what should hold it."""

    line: int
    column: int
    exact: bool


def find_place(text: str, path: str) -> FilePlace | None:
    """Find what a path names, its key rather than its value; the innermost thing on the way where it is not written.

    None where the text cannot be read, or what is sought is the whole of it.
    """
    node = _nodes(text)
    found: FilePlace | None = None
    for name, index in _STEP.findall(path):
        step = _child(node, name, index)
        if step is None:
            return found and found._replace(exact=False)
        marked, node = step
        found = FilePlace(marked.start_mark.line + 1, marked.start_mark.column + 1, exact=True)
    return found


@lru_cache(maxsize=2)
def _nodes(text: str) -> Any:
    """Give what a text holds as YAML's own nodes, None where it cannot be read; one text is asked for many places."""
    try:
        return yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, ValueError, RecursionError):
        return None


def line_at(text: str, path: str) -> int:
    """Give the line that a path stands at, from 1 on; 0 where the text does not hold it (`--set` brought it)."""
    place = find_place(text, path)
    return place.line if place is not None and place.exact else 0


def _child(node: Any, name: str, index: str) -> tuple[Any, Any] | None:
    """The node to point at and the node to go on from: of a mapping its key and value, of a list its item."""
    if name and isinstance(node, yaml.MappingNode):
        return next(((key, value) for key, value in node.value if key.value == name), None)
    if index and isinstance(node, yaml.SequenceNode) and int(index) < len(node.value):
        item = node.value[int(index)]
        return item, item
    return None


def path_of(complaint: str) -> tuple[str, str] | None:
    """Give the path from `$` on that an error's sentence is about, and the key that is unknown there ("": none is)."""
    path = _PATH.search(complaint)
    key = _UNKNOWN_KEY.search(complaint)
    return None if path is None else (path[1], key[1] if key else "")


def place_of(text: str, complaint: str) -> FilePlace | None:
    """Find what an error's sentence is about in the text of the file it names; a value of --set stands in no file."""
    path = path_of(complaint)
    if path is not None:
        return find_place(text, ".".join(part for part in path if part))
    by_yaml = [FilePlace(int(line), int(column), exact=True) for line, column in _YAML_PLACE.findall(complaint)]
    if not by_yaml or complaint.startswith("--set "):
        return None
    # What YAML waited for at the end of the text is best looked for where that began.
    return by_yaml[-1] if by_yaml[-1].line <= len(text.splitlines()) else by_yaml[0]


def excerpt(file: Path, complaint: str, *, only_exact: bool = False) -> str:
    """Give the line that a complaint is about, numbered, and a caret under the column; "" where that cannot be said.

    only_exact: say nothing where the place itself is not written in the file (a value given with --set is not).
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""
    place = place_of(text, complaint)
    lines = text.splitlines()
    if place is None or (only_exact and not place.exact) or not 1 <= place.line <= len(lines):
        return ""
    line, at = _masked(lines[place.line - 1], place.column - 1, text)
    before = shown(line[:at].replace("\t", " "))
    if len(before) >= _WIDEST:
        return ""
    number = f"{place.line}"
    whole = (before + shown(line[at:]))[:_WIDEST]
    return f"  {number} | {whole}\n  {' ' * len(number)} | {' ' * len(before)}^"


def _masked(line: str, at: int, text: str) -> tuple[str, int]:
    """Give a line of a text without secrets that are written out, which a log would keep, and where `at` is in it."""
    masked = mask_line(_secrets_of(text).scrub(line))
    if masked.startswith(line[:at]):
        return masked, at
    if masked.endswith(line[at:]):
        return masked, len(masked) - len(line) + at
    alike = zip(line, masked, strict=False)
    return masked, next((place for place, (own, other) in enumerate(alike) if own != other), 0)


def _secrets_of(text: str) -> Secrets:
    """Know the secrets of a text, of one that is no YAML none: then its lines alone tell."""
    try:
        return Secrets.of(parse_yaml(text, source=""), {})
    except ScenarioError:
        return Secrets({})
