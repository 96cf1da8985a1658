"""A run folder, read: its rows, what run.json says, the verdicts, its sessions, and which of them have pages.

A run that was killed reads as far as it goes: half a line is left out and told, a missing results.jsonl is made up for
from the session folders.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from simulator.errors import SessionError
from simulator.reading.expect import Expectation, Verdict
from simulator.results.frames import frame_of
from simulator.results.judged import SCORES, read_judged
from simulator.results.pooling import verdicts, violates
from simulator.results.row import Row, agent_label, keeping_invalid, without_evidence
from simulator.results.row_file import LEFT_OUT, RESULTS, read_rows
from simulator.results.run_info import INFO, RunInfo, read_info
from simulator.results.sweeps import SweepSummary, sweeps_of
from simulator.scoring.scorer import all_definitions
from simulator.scoring.validity import why_invalid
from simulator.session import Session, is_session, read_meta, read_session
from simulator.sound.recordings import sha256_of_session

SESSION_PAGE = "report.html"
"""A session's page in its folder. Written by the report; named here, as a run tells which of its sessions have one."""
RUN_PAGE = "index.html"
"""The page over the sessions of a run, in its folder."""


class Run:
    """The sessions of a run in the order they ended. info: what run.json says. notes: what was damaged.

    expected: the expectations by scenario.
    """

    def __init__(
        self,
        folder: Path,
        rows: Sequence[Row],
        *,
        info: RunInfo | None = None,
        notes: Sequence[str] = (),
        expected: Mapping[str, Sequence[Expectation]] | None = None,
    ) -> None:
        self.folder = folder
        self.rows = tuple(rows)
        self.info = info or RunInfo()
        self.notes = tuple(notes)
        self._expected = expected or {}

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.resolve().name

    @property
    def left_out(self) -> list[str]:
        """Of the notes those on sessions that could not be read; half a line at the end is none of them."""
        return [note for note in self.notes if LEFT_OUT in note]

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
        by_scenario: dict[str, list[Row]] = {}
        for row in self.rows:
            by_scenario.setdefault(row.scenario, []).append(row)
        return {
            name: verdicts(expected, all_definitions(), by_scenario.get(name, []))
            for name, expected in self._expected.items()
        }

    @cached_property
    def sweeps(self) -> list[SweepSummary]:
        """What its sweeps came to."""
        return sweeps_of(self.info.sweeps or {}, self.rows)

    def keeping_invalid(self) -> "Run":
        """The same run, of which every session counts, invalid or not."""
        return self.with_rows(keeping_invalid(self.rows))

    def with_rows(self, rows: Sequence[Row]) -> "Run":
        """The same run, of which these rows are read."""
        return Run(self.folder, rows, info=self.info, notes=self.notes, expected=self._expected)

    def misses(self, row: Row) -> list[str]:
        """The expectations of its scenario that this session's own values break; undefined ones when all are.

        An invalid session breaks none: it says nothing of the agent.
        """
        if row.invalid:
            return []
        return [
            item.text
            for item in self.verdicts.get(row.scenario, ())
            if violates(item, row.value(item.metric)) or (row.value(item.metric) is None and item.found is None)
        ]

    def sessions(self) -> Iterator[Session]:
        """Give the sessions one after the other, in the order of the rows; a row whose folder is gone has none.

        Their sound is read when it is asked for. SessionError at a folder that cannot be read.
        """
        for row in self.rows:
            if is_session(self.folder / row.id):
                yield read_session(self.folder / row.id)

    def frame(self, table: str, engine: str | None = None) -> Any:
        """Give a table (docs/results.md) as a data frame of pandas or polars. ScenarioError: no such table or package.

        engine: which of them; the first that is installed. What cannot be read is left out.
        """
        return frame_of(self, table, engine)

    def duration_s(self, row: Row) -> float:
        """The length of a session's conversation in seconds; 0 where nobody knows."""
        if row.duration_s is not None:
            return row.duration_s
        folder = self.folder / row.id
        return (read_meta(folder).duration_s or 0.0) if is_session(folder) else 0.0

    def has_page(self, session_id: str) -> bool:
        """Whether a session's page lies in its folder."""
        return (self.folder / session_id / SESSION_PAGE).is_file()


def is_run(folder: Path) -> bool:
    """Say whether a folder holds a run."""
    return (folder / INFO).is_file() or (folder / RESULTS).is_file()


def load_run(folder: Path) -> Run:
    """Read a run folder; SessionError when it is none. What is damaged is told in the run's notes."""
    return run_of(folder, *read_rows(folder))


def run_of(folder: Path, rows: list[Row], damaged: Sequence[str] = ()) -> Run:
    """Give a run of which the rows have been read; as `load_run`. damaged: what was told of its results.jsonl."""
    notes = list(damaged)
    if not rows and folder.is_dir():
        rows = _rows_of(folder, notes)
    if not rows and not is_run(folder):
        raise SessionError(f"{folder}: not a run folder: {INFO} and {RESULTS} are missing")
    try:
        info = read_info(folder)
    except SessionError as error:
        info = RunInfo()
        notes.append(str(error))
    expected = _expected(folder, rows, notes)
    return Run(folder, rows, info=info, notes=notes, expected=expected)


def _rows_of(folder: Path, notes: list[str]) -> list[Row]:
    """Make the rows of a run from its sessions' folders, and note which of them cannot be read."""
    rows: list[Row] = []
    for path in sorted(folder.iterdir()):
        if is_session(path):
            try:
                rows.append(_row_of(path))
            except SessionError as error:
                notes.append(f"{path.name} {LEFT_OUT}: {error}")
    notes.append(f"{folder.name}: {RESULTS} holds no session; read {len(rows)} from their folders")
    return rows


def _expected(folder: Path, rows: Sequence[Row], notes: list[str]) -> dict[str, list[Expectation]]:
    """What each scenario expects, as the first scores.json of its sessions that can be read repeats it."""
    expected: dict[str, list[Expectation]] = {}
    for row in rows:
        if row.scenario not in expected and (folder / row.id / SCORES).is_file():
            try:
                expected[row.scenario] = [verdict.expectation for verdict in read_judged(folder / row.id).expectations]
            except SessionError as error:
                notes.append(str(error))
    return {name: found for name, found in expected.items() if found}


def _row_of(folder: Path) -> Row:
    meta, scores = read_meta(folder), read_judged(folder).scores
    return Row(
        id=folder.name,
        scenario=meta.scenario,
        trial=meta.trial,
        seed=meta.seed,
        status=meta.status,
        problem=meta.problem,
        duration_s=meta.duration_s or 0.0,
        sample=str(meta.sample.get("id", "")),
        agent=agent_label(agent.kind, agent.spec) if (agent := meta.parties.get("agent")) else "",
        sound=sha256_of_session(folder),
        invalid=why_invalid(scores),
        scores=without_evidence(scores),
    )
