"""What a run folder holds, as its pages read it: rows of results.jsonl, run.json, and which sessions have pages.

A run that was killed reads as far as it goes: half a line is ignored and told, a missing results.jsonl is made up for
from the session folders.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from simulator.errors import SessionError
from simulator.expect import Verdict
from simulator.report.judged import read_judged, violates
from simulator.report.page import PAGE
from simulator.score import Score
from simulator.session import is_session, read_meta


class RowScore(msgspec.Struct, frozen=True, kw_only=True):
    """A score as results.jsonl keeps it: without evidence; its id is the key it lies under."""

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
        """The score of a metric, None where the session was not scored by it."""
        found = self.scores.get(metric)
        if found is None:
            return None
        return Score(id=metric, definition=metric, value=found.value, unit=found.unit, n=found.n, reason=found.reason,
                     parts=found.parts)

    def value(self, metric: str) -> float | None:
        """The value of a metric; None where it is undefined or was not measured."""
        found = self.scores.get(metric)
        return found.value if found else None


class Run:
    """A run folder, read: rows in the order they ended, run.json as it is, verdicts by scenario."""

    def __init__(self, folder: Path, rows: Sequence[Row], info: Mapping[str, Any], notes: Sequence[str]) -> None:
        self.folder = folder
        self.rows = tuple(rows)
        self.info = info
        self.notes = tuple(notes)

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.resolve().name

    @cached_property
    def metrics(self) -> tuple[str, ...]:
        """The ids of all metrics that any session has, in the order they first appear."""
        return tuple(dict.fromkeys(metric for row in self.rows for metric in row.scores))

    @cached_property
    def scenarios(self) -> tuple[str, ...]:
        """The names of all scenarios, in the order they first appear."""
        return tuple(dict.fromkeys(row.scenario for row in self.rows))

    @cached_property
    def verdicts(self) -> dict[str, list[Verdict]]:
        """The judged expectations by scenario: as the run wrote them, else as the sessions' own scores.json say."""
        told = self.info.get("expectations")
        if isinstance(told, dict):
            return {name: msgspec.convert(verdicts, list[Verdict]) for name, verdicts in told.items()}
        return {}

    def misses(self, row: Row) -> list[str]:
        """The expectations of its scenario that this session's own values break."""
        return [item.text for item in self.verdicts.get(row.scenario, ()) if violates(item, row.value(item.metric))]

    def duration_s(self, row: Row) -> float:
        """The length of a session's conversation in seconds; 0 where nobody knows."""
        if row.duration_s is not None:
            return row.duration_s
        folder = self.folder / row.id
        return length_s(folder) if is_session(folder) else 0.0

    def has_page(self, session_id: str) -> bool:
        """Whether a session's page lies in its folder."""
        return (self.folder / session_id / PAGE).is_file()


def is_run(folder: Path) -> bool:
    """Say whether a folder holds a run."""
    return (folder / "run.json").is_file() or (folder / "results.jsonl").is_file()


def read_run(folder: Path) -> Run:
    """Read a run folder; SessionError when it is none."""
    rows, notes = _read_rows(folder / "results.jsonl")
    if not rows:
        rows = [_row_of(path) for path in sorted(folder.iterdir()) if is_session(path)] if folder.is_dir() else []
        notes += [f"{folder.name}: results.jsonl holds no session; read {len(rows)} from their folders"]
    if not rows and not is_run(folder):
        raise SessionError(f"{folder}: not a run folder: run.json and results.jsonl are missing")
    return Run(folder, rows, _read_info(folder / "run.json"), notes)


def _read_rows(path: Path) -> tuple[list[Row], list[str]]:
    if not path.is_file():
        return [], []
    latest: dict[str, Row] = {}
    notes: list[str] = []
    for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
        if line:
            try:
                row = msgspec.json.decode(line, type=Row)
            except msgspec.DecodeError:
                notes.append(f"{path.name}: line {number} is not whole and was left out")
                continue
            latest.pop(row.id, None)  # a resumed run appends a session again: its last row counts
            latest[row.id] = row
    return list(latest.values()), notes


def _read_info(path: Path) -> dict[str, Any]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except (OSError, msgspec.DecodeError):
        return {}


def _row_of(folder: Path) -> Row:
    meta = read_meta(folder)
    scores = {
        score.id: RowScore(value=score.value, unit=score.unit, n=score.n, reason=score.reason, parts=score.parts)
        for score in read_judged(folder).scores
    }
    return Row(id=folder.name, scenario=meta.scenario, trial=meta.trial, seed=meta.seed, status=meta.status,
               problem=meta.problem, duration_s=length_s(folder), scores=scores)


def length_s(folder: Path) -> float:
    """Give the length of a session in seconds as its session.json says; 0 where it was never finished."""
    meta = read_meta(folder)
    return (meta.duration_samples or 0) / meta.sample_rate


def columns(rows: Sequence[Row], metric: str) -> Iterator[tuple[Row, Score]]:
    """Give the sessions that have a metric, with its score."""
    for row in rows:
        score = row.score(metric)
        if score is not None:
            yield row, score
