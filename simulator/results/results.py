"""A run folder, read: the rows of results.jsonl, run.json, the verdicts, and which sessions have pages.

A run that was killed reads as far as it goes: half a line is left out and told, a missing results.jsonl is
made up for from the session folders.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from simulator.errors import SessionError
from simulator.reading.expect import Verdict
from simulator.report.page import PAGE
from simulator.results.judged import read_judged
from simulator.results.pooling import verdicts, violates
from simulator.results.row import Row, RowScore
from simulator.session import is_session, read_meta


class Run:
    """The sessions of a run in the order they ended. info: run.json as it is. notes: what was damaged.

    expected: the texts of the expectations by scenario.
    """

    def __init__(
        self,
        folder: Path,
        rows: Sequence[Row],
        *,
        info: Mapping[str, Any] | None = None,
        notes: Sequence[str] = (),
        expected: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self.folder = folder
        self.rows = tuple(rows)
        self.info = info or {}
        self.notes = tuple(notes)
        self._expected = expected or {}

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
        """The judged expectations by scenario, on values pooled over its trials."""
        return {
            name: verdicts(texts, [row for row in self.rows if row.scenario == name])
            for name, texts in self._expected.items()
        }

    def misses(self, row: Row) -> list[str]:
        """The expectations of its scenario that this session's own values break; undefined ones when all are."""
        return [
            item.text
            for item in self.verdicts.get(row.scenario, ())
            if violates(item, row.value(item.metric)) or (row.value(item.metric) is None and item.found is None)
        ]

    def duration_s(self, row: Row) -> float:
        """The length of a session's conversation in seconds; 0 where nobody knows."""
        if row.duration_s is not None:
            return row.duration_s
        folder = self.folder / row.id
        return _length_s(folder) if is_session(folder) else 0.0

    def has_page(self, session_id: str) -> bool:
        """Whether a session's page lies in its folder."""
        return (self.folder / session_id / PAGE).is_file()


def is_run(folder: Path) -> bool:
    """Say whether a folder holds a run."""
    return (folder / "run.json").is_file() or (folder / "results.jsonl").is_file()


def read_run(folder: Path) -> Run:
    """Read a run folder; SessionError when it is none."""
    rows, notes = _read_rows(folder / "results.jsonl")
    if not rows and folder.is_dir():
        rows = [_row_of(path) for path in sorted(folder.iterdir()) if is_session(path)]
        notes.append(f"{folder.name}: results.jsonl holds no session; read {len(rows)} from their folders")
    if not rows and not is_run(folder):
        raise SessionError(f"{folder}: not a run folder: run.json and results.jsonl are missing")
    return Run(folder, rows, info=_read_info(folder / "run.json"), notes=notes, expected=_expected(folder, rows))


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


def _expected(folder: Path, rows: Sequence[Row]) -> dict[str, list[str]]:
    """What each scenario expects, as the scores.json of any of its sessions repeats it."""
    expected: dict[str, list[str]] = {}
    for row in rows:
        if not expected.get(row.scenario) and (folder / row.id / "scores.json").is_file():
            expected[row.scenario] = [verdict.text for verdict in read_judged(folder / row.id).expectations]
    return {name: texts for name, texts in expected.items() if texts}


def _row_of(folder: Path) -> Row:
    meta = read_meta(folder)
    scores = {
        score.id: RowScore(value=score.value, unit=score.unit, n=score.n, reason=score.reason, parts=score.parts)
        for score in read_judged(folder).scores
    }
    return Row(
        id=folder.name,
        scenario=meta.scenario,
        trial=meta.trial,
        seed=meta.seed,
        status=meta.status,
        problem=meta.problem,
        duration_s=_length_s(folder),
        scores=scores,
    )


def _length_s(folder: Path) -> float:
    meta = read_meta(folder)
    return (meta.duration_samples or 0) / meta.sample_rate
