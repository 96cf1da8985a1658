"""A row of results.jsonl: one session of a run, what became of it, its scores without their evidence."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from simulator.score import Score


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
