"""A row of results.jsonl: one session of a run, what became of it, its scores without their evidence.

Rows are appended as sessions end, so the file of a run that was killed may end in half a line.
"""

import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from simulator.errors import SessionError
from simulator.files import decode_json
from simulator.intervals.observations import Origin
from simulator.score import KeptParts, Score, fits
from simulator.scoring.scorer import definition_of
from simulator.scoring.validity import counts
from simulator.sweep.sweep import Point
from simulator.texts import quoted

RESULTS = "results.jsonl"
LEFT_OUT = "cannot be used and was left out"
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


def drop_rows(run_folder: Path, session_ids: Collection[str]) -> None:
    """Take out the rows of sessions that are to be played again: others would read both. OSError."""
    path = run_folder / RESULTS
    if not session_ids or not path.is_file():
        return
    decoder = msgspec.json.Decoder(_Named)
    lines = path.read_bytes().splitlines(keepends=True)
    kept = [line for line in lines if _named(line, decoder).id not in session_ids]
    fresh = path.with_suffix(".new")
    fresh.write_bytes(b"".join(kept))
    fresh.replace(path)


class _Named(msgspec.Struct):
    id: str | None = None
    status: str = "completed"


def _named(line: bytes, decoder: "msgspec.json.Decoder[_Named]") -> _Named:
    try:
        return decoder.decode(line)
    except (msgspec.DecodeError, ValueError):
        return _Named()


def completed_ids(run_folder: Path) -> set[str]:
    """Give the ids of the sessions that a run has completed, their scores unread; none without its results.jsonl."""
    path, decoder = run_folder / RESULTS, msgspec.json.Decoder(_Named)
    if not path.is_file():
        return set()
    with path.open("rb") as file:
        last = {named.id: named.status for named in (_named(line, decoder) for line in file)}
    return {name for name, status in last.items() if name is not None and status == "completed"}


def _share_units(row: Row) -> None:
    """Let equal units be one string: of ten thousand sessions with forty metrics they would take 40 MB."""
    for score in row.scores.values():
        msgspec.structs.force_setattr(score, "unit", sys.intern(score.unit))


def read_rows(run_folder: Path) -> tuple[list[Row], list[str]]:
    """Read a run's results.jsonl: a row per session, in the order they ended, and a sentence per line left out.

    A session that a resumed run played again counts by its last row. Without the file there are no rows.
    """
    path = run_folder / RESULTS
    if not path.is_file():
        return [], []
    decoder = msgspec.json.Decoder(Row)
    latest: dict[str, Row] = {}
    notes: list[str] = []
    with path.open("rb") as file:  # line by line: a large run need not be in memory twice
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                row = row_in(line, decoder)
            except SessionError as error:
                whole = line.rstrip().endswith(b"}")
                broken = f"{LEFT_OUT}: {error}" if whole else "is not whole and was left out"
                notes.append(f"{path.name}: line {number} {broken}")
                continue
            latest.pop(row.id, None)  # so that it stands where it ended last
            latest[row.id] = row
    return list(latest.values()), notes


def row_in(line: bytes, decoder: "msgspec.json.Decoder[Row]") -> Row:
    """Read a line of results.jsonl. SessionError: it is no row."""
    row = _checked(decode_json(line, decoder, where="the row"))
    _share_units(row)
    return row


def names_folder(name: str) -> bool:
    """Say whether a session's folder can be called so, inside its run's."""
    return name not in ("", ".", "..") and {"/", "\\", "\0"}.isdisjoint(name)


def _checked(row: Row) -> Row:
    """Give a row as it was read. SessionError: an id that no folder can have, parts that are not those of a metric."""
    if not names_folder(row.id):
        raise SessionError(f"id is {quoted(row.id)}; allowed is the name of a folder")
    for metric, score in row.scores.items():
        definition = definition_of(metric)
        if definition is not None and not fits(definition, score.parts):
            raise SessionError(f"{metric}: a {definition.statistic} has other parts than {', '.join(score.parts)}")
    return row
