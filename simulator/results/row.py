"""A row of results.jsonl: one session of a run, what became of it, its scores without their evidence.

Rows are appended as sessions end, so the file of a run that was killed may end in half a line.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from simulator.score import Score

RESULTS = "results.jsonl"


class RowScore(msgspec.Struct, frozen=True, kw_only=True):
    """A score as results.jsonl keeps it; its id is the key it lies under."""

    value: float | None
    unit: str = ""
    n: int = 0
    reason: str | None = None
    parts: dict[str, Any] = {}


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One session of a run. status: completed, failed, interrupted; sample: the dataset item, if any.

    duration_s: the length of the conversation, None where the run did not say.
    """

    id: str
    scenario: str
    trial: int = 0
    seed: int = 0
    status: str = "completed"
    problem: str | None = None
    sample: str = ""
    duration_s: float | None = None
    scores: dict[str, RowScore] = {}

    def score(self, metric: str) -> Score | None:
        """The score of a metric; None where the session was not scored by it."""
        found = self.scores.get(metric)
        if found is None:
            return None
        return Score(
            id=metric,
            definition=metric,
            value=found.value,
            unit=found.unit,
            n=found.n,
            reason=found.reason,
            parts=found.parts,
        )

    def value(self, metric: str) -> float | None:
        """The value of a metric; None where it is undefined or was not measured."""
        found = self.scores.get(metric)
        return found.value if found else None


def scored(rows: Sequence[Row], metric: str) -> Iterator[tuple[Row, Score]]:
    """Give the sessions that have a metric, with its score."""
    for row in rows:
        score = row.score(metric)
        if score is not None:
            yield row, score


def without_evidence(scores: Sequence[Score]) -> dict[str, RowScore]:
    """Give scores as a row keeps them, by metric id: a run of thousands of sessions is read from its rows alone."""
    return {
        score.id: RowScore(value=score.value, unit=score.unit, n=score.n, reason=score.reason, parts=score.parts)
        for score in scores
    }


def append_row(run_folder: Path, row: Row) -> None:
    """Add a row to a run's results.jsonl. OSError."""
    with (run_folder / RESULTS).open("ab") as file:
        file.write(msgspec.json.encode(row) + b"\n")


def end_last_line(run_folder: Path) -> None:
    """End a line that was cut off: the next row must not be appended to half of another."""
    path = run_folder / RESULTS
    if path.is_file() and not path.read_bytes().endswith(b"\n"):
        with path.open("ab") as file:
            file.write(b"\n")


def read_rows(run_folder: Path) -> tuple[list[Row], list[str]]:
    """Read a run's results.jsonl: a row per session, in the order they ended, and a sentence per line left out.

    A session that a resumed run played again counts by its last row. Without the file there are no rows.
    """
    path = run_folder / RESULTS
    if not path.is_file():
        return [], []
    latest: dict[str, Row] = {}
    notes: list[str] = []
    for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
        if not line:
            continue
        try:
            row = msgspec.json.decode(line, type=Row)
        except msgspec.DecodeError:
            notes.append(f"{path.name}: line {number} is not whole and was left out")
            continue
        latest.pop(row.id, None)  # so that it stands where it ended last
        latest[row.id] = row
    return list(latest.values()), notes
