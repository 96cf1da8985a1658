"""Rows of prediction files: what other projects' programs write of a system's answers, one JSON object a line."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from simulator.errors import SessionError
from simulator.texts import quoted

_NAMES = ("id", "key", "question_id")


class PredictionRow(NamedTuple):
    """One row: its name, and its fields as they were written. SessionError where a field is not what is needed."""

    id: str
    fields: Mapping[str, Any]

    def text(self, *names: str) -> str:
        """Give the first of these fields that is there, as text."""
        value = self.one_of(*names)
        if not isinstance(value, str):
            raise SessionError(f"{self._name(names)}: expected text, found {quoted(value)}")
        return value

    def texts(self, name: str) -> list[str]:
        """Give a list of texts."""
        values = self.items(name)
        if not all(isinstance(value, str) for value in values):
            raise SessionError(f"{name}: expected a list of texts, found {quoted(values)}")
        return values

    def items(self, name: str) -> list[Any]:
        """Give a list of anything."""
        values = self.one_of(name)
        if not isinstance(values, list):
            raise SessionError(f"{name}: expected a list, found {quoted(values)}")
        return values

    def one_of(self, *names: str) -> Any:
        """Give the first of these fields that is there, whatever it holds."""
        return self.fields[self._name(names)]

    def _name(self, names: tuple[str, ...]) -> str:
        found = next((name for name in names if name in self.fields), None)
        if found is None:
            raise SessionError(f"{' or '.join(names)}: is missing")
        return found


class UnreadableRow(NamedTuple):
    """A line that is no row: the name it stands under, and why."""

    id: str
    problem: str


def read_rows(file: Path) -> list[PredictionRow | UnreadableRow]:
    """Read a file's rows in order, blank lines apart; SessionError when the file cannot be read.

    A row's name is its `id`, else its `key`, else its `question_id`, else its place, counted from 0.
    """
    try:
        lines = file.read_bytes().split(b"\n")
    except OSError as error:
        raise SessionError(f"{file}: cannot be read: {error.strerror}") from error
    return [_row(number, line) for number, line in enumerate(line for line in lines if line.strip())]


def _row(number: int, line: bytes) -> PredictionRow | UnreadableRow:
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError) as error:
        return UnreadableRow(str(number), f"is not JSON: {error}")
    if not isinstance(fields, dict):
        return UnreadableRow(str(number), f"is no JSON object: {quoted(fields)}")
    return PredictionRow(row_name(fields, number), fields)


def row_name(fields: Mapping[str, Any], number: int) -> str:
    """Give the name of a row."""
    names = (fields.get(name) for name in _NAMES)
    return str(next((name for name in names if isinstance(name, str | int) and not isinstance(name, bool)), number))
