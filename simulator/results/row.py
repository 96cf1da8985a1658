"""A row of results.jsonl: one session of a run, what became of it, its scores without their evidence."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from simulator.intervals.observations import Origin
from simulator.score import KeptParts, Score
from simulator.scoring.validity import counts
from simulator.sweep.sweep import Point

"""What is said of a session that is damaged, and not of a line that a kill cut in two."""


class RowScore(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A score as results.jsonl keeps it; its id is the key it lies under.

    value: the session's own; null where it is undefined. unit: of the value. n: how many values or cases entered.
    reason: why it is undefined. parts: what adds up over sessions, values or counts.
    """

    value: float | None
    unit: str = ""
    n: int = 0
    reason: str | None = None
    parts: KeptParts = {}


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One session of a run. status: completed, failed, interrupted; sample: the dataset item, if any.

    duration_s: the length of the conversation, None where the run did not say. agent: what kind it was. sound: the
    sha256 over all that was said and heard; settings: that of the resolved scenario. All "" where the run did not say.
    invalid: why it says nothing about the agent, "" for a valid one: pooled values leave it out. point: where it lies
    in a sweep, left out of a row that lies in none. control_of: the scenario whose control it is: it counts
    for nothing but the difference. recognizer: whose words its content scores rest on, if on any. id: the session's,
    its folder's name. scenario: the scenario's name as folders have it. trial: which repetition, from 0. seed: the
    session's. problem: why it failed, or was cut short. scores: by metric id.
    """

    id: str
    scenario: str
    trial: int = 0
    seed: int = 0
    status: str = "completed"
    problem: str | None = None
    sample: str = ""
    duration_s: float | None = None
    agent: str = ""
    sound: str = ""
    settings: str = ""
    invalid: str = ""
    point: Point | UnsetType = UNSET
    control_of: str | UnsetType = UNSET
    recognizer: str | UnsetType = UNSET
    scores: dict[str, RowScore] = {}

    @property
    def origin(self) -> Origin:
        """What decides how this session is pooled with others."""
        return Origin(self.scenario, self.sample, self.sound)

    @property
    def group(self) -> str:
        """What it may be pooled with: sessions of the same scenario with the same agent."""
        return f"{self.scenario} · {self.agent}" if self.agent else self.scenario

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


def scored(rows: Sequence[Row], metric: str) -> Iterator[tuple[Row, RowScore]]:
    """Give the sessions whose value of a metric counts, with its score."""
    for row in rows:
        score = row.scores.get(metric)
        if score is not None and counts(metric, row.invalid):
            yield row, score


def values_of(rows: Sequence[Row], metric: str) -> list[float]:
    """Give the single values of a metric over all sessions whose value counts."""
    return [float(value) for _, score in scored(rows, metric) for value in score.parts.get("values", ())]


_HEARD = ("content.agent_wer", "content.agent_cer", "content.recogniser_wer")
"""Scores that rest on what our recogniser heard."""


def heard_by(scores: Iterable[Score], label: str) -> str | UnsetType:
    """Give the recogniser's label where a score rests on its words, for a row's `recognizer`."""
    return label if any(score.id in _HEARD and score.value is not None for score in scores) else UNSET


def valid(rows: Iterable[Row]) -> list[Row]:
    """Give the sessions that say something about the agent."""
    return [row for row in rows if not row.invalid]


def keeping_invalid(rows: Iterable[Row]) -> list[Row]:
    """Give rows of which every one counts, whatever the tester did: `--keep-invalid`."""
    return [msgspec.structs.replace(row, invalid="") if row.invalid else row for row in rows]


def without_evidence(scores: Sequence[Score]) -> dict[str, RowScore]:
    """Give scores as a row keeps them, by metric id: a run of thousands of sessions is read from its rows alone."""
    return {
        score.id: RowScore(value=score.value, unit=score.unit, n=score.n, reason=score.reason, parts=score.parts)
        for score in scores
    }


def agent_label(kind: str, spec: Mapping[str, Any]) -> str:
    """Name an agent in a table's heading: its kind, and the model it runs or asks, if it names one."""
    model = spec.get("model")
    named = model.get("kind") if isinstance(model, Mapping) else model
    return f"{kind} {named}" if isinstance(named, str) and named != kind else kind


def grouped(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Give the sessions that may be pooled, by what they share: scenario and agent; in the order they first appear."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.group, []).append(row)
    return groups
