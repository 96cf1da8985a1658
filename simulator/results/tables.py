"""Runs as tables: rows of plain values, made session by session, so that a large run is never held whole.

What they mean is said in columns.py. Times are seconds from a session's beginning; who holds the floor, what overlaps
and who yields is judged by simulator/floor, as everywhere.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import msgspec

from simulator.annotation.annotate import annotated
from simulator.errors import SessionError
from simulator.events import PARTIES
from simulator.export.tiers import TierRow, segments, utterances
from simulator.floor.contributions import words_in
from simulator.floor.floor import Floor
from simulator.floor.transfers import overlaps, transfers
from simulator.floor.yields import shown_barge_ins
from simulator.reading.expect import Verdict
from simulator.results.columns import FROM_ROWS, TABLES, Column
from simulator.results.judged import read_judged
from simulator.results.row import Row
from simulator.session import Session, is_session, read_session
from simulator.world.calls import calls_of

Values = tuple[Any, ...]
"""A row: values in the order of the columns, None where there is none."""
Tell = Callable[[str], None]


class TabledRun(Protocol):
    """What of a run tables are made from."""

    @property
    def name(self) -> str:
        """The folder's name."""
        ...

    @property
    def folder(self) -> Path:
        """The folder itself."""
        ...

    @property
    def rows(self) -> Iterable[Row]:
        """Its sessions, gone over once."""
        ...

    @property
    def metrics(self) -> Sequence[str]:
        """What any of them was scored by."""
        ...

    @property
    def verdicts(self) -> Mapping[str, Sequence[Verdict]]:
        """The judged expectations by scenario."""
        ...


class TableRows(NamedTuple):
    """Some rows of one table."""

    table: str
    rows: list[Values]


def columns_of(table: str, runs: Sequence[TabledRun]) -> tuple[Column, ...]:
    """Give a table's columns; those of `wide` depend on what the runs measured."""
    columns = TABLES[table].columns
    if table != "wide":
        return columns
    return (*columns, *(Column(metric, "number", "", "") for metric in _metrics(runs)))


def batches(runs: Sequence[TabledRun], tables: Sequence[str], tell: Tell = lambda _note: None) -> Iterator[TableRows]:
    """Give the rows of tables, some at a time, in the order of the runs and their sessions.

    tell: is told of sessions that cannot be read; their rows of `long` and `wide` are there all the same.
    """
    metrics = _metrics(runs)
    inside = [table for table in tables if table not in FROM_ROWS]
    for run in runs:
        for row in run.rows:
            if "long" in tables:
                yield TableRows("long", list(_long(run, row)))
            if "wide" in tables:
                yield TableRows("wide", [_wide(run, row, metrics)])
            if inside and is_session(run.folder / row.id):
                try:
                    yield from _inside(run, row, inside)
                except SessionError as error:
                    tell(str(error))
        if "expectations" in tables:
            yield TableRows("expectations", list(_over_trials(run)))


def _metrics(runs: Sequence[TabledRun]) -> list[str]:
    return list(dict.fromkeys(metric for run in runs for metric in run.metrics))


def _of_session(run: TabledRun, row: Row) -> Values:
    return (run.name, row.scenario, row.id, row.trial, row.seed, row.sample, row.agent, row.status, row.invalid)


def _long(run: TabledRun, row: Row) -> Iterator[Values]:
    known = _of_session(run, row)
    for metric, score in row.scores.items():
        yield (*known, metric, score.value, score.unit, score.n, _json(score.parts), score.reason or "")


def _wide(run: TabledRun, row: Row, metrics: Sequence[str]) -> Values:
    point = _json(row.point.at) if row.point else None
    return (*_of_session(run, row), row.problem, row.duration_s, point, *(row.value(metric) for metric in metrics))


def _inside(run: TabledRun, row: Row, tables: Sequence[str]) -> Iterator[TableRows]:
    """Give what a session's folder holds. SessionError."""
    session = read_session(run.folder / row.id)
    if any(table not in ("calls", "expectations") for table in tables):
        session = annotated(session)
    floor = Floor(session)
    for table in tables:
        found = _expected(run, row, session) if table == "expectations" else _MAKERS[table](floor, session)
        known = (run.name, row.scenario, row.id) if table == "expectations" else (run.name, row.id)
        yield TableRows(table, [(*known, *values) for values in found])


def _turns(floor: Floor, session: Session) -> Iterator[Values]:
    offsets = {(item.party, item.start): floor.seconds(item.offset) for item in transfers(floor)}
    turns = [(turn, party) for party in PARTIES for turn in floor.side(party).turns]
    for turn, party in sorted(turns, key=lambda item: (item[0].start, item[0].end, item[1])):
        times = (floor.seconds(turn.start), floor.seconds(turn.end))
        yield (party, *times, offsets.get((party, turn.start)), turn.role, turn.cut, words_in(turn, session.speech))


def _segments(_floor: Floor, session: Session) -> Iterator[Values]:
    for row in _in_order(segments(session, party) for party in PARTIES):
        yield (row.party, row.start_s, row.end_s, row.text, row.source)


def _utterances(_floor: Floor, session: Session) -> Iterator[Values]:
    for row in _in_order(utterances(session, party) for party in PARTIES):
        yield (row.party, row.start_s, row.end_s, row.text, row.role, row.source)


def _in_order(tiers: Iterator[list[TierRow]]) -> list[TierRow]:
    return sorted((row for rows in tiers for row in rows), key=lambda row: (row.start_s, row.end_s, row.party))


def _words(floor: Floor, session: Session) -> Iterator[Values]:
    words = [(word, party) for party in PARTIES for word in session.speech.of(party).words]
    for word, party in sorted(words, key=lambda item: (item[0].start, item[0].end, item[1])):
        times = (floor.seconds(word.start), floor.seconds(word.end))
        yield (party, *times, word.text, word.source, word.cut, word.confidence)


def _overlaps(floor: Floor, _session: Session) -> Iterator[Values]:
    for both in overlaps(floor):
        yield (floor.seconds(both.start), floor.seconds(both.end), floor.seconds(both.end - both.start))


def _barge_ins(floor: Floor, session: Session) -> Iterator[Values]:
    for case in sorted(shown_barge_ins(floor), key=lambda case: case.by.start):
        latency = floor.seconds(case.stop - case.by.start) if case.outcome == "yielded" else None
        back = None if case.back is None else floor.seconds(case.back)
        times = (floor.seconds(case.by.start), floor.seconds(case.by.end), floor.seconds(case.stop))
        yield (case.by.party, *times, latency, case.outcome, back, words_in(case.by, session.speech))


def _calls(floor: Floor, session: Session) -> Iterator[Values]:
    for call in calls_of(session):
        end = None if call.answered is None else floor.seconds(call.answered)
        answer = None if call.answered is None else _json(call.answer)
        called = (call.by, floor.seconds(call.at), end, call.id, call.name, _json(call.arguments))
        yield (*called, answer, call.fault)


_MAKERS: dict[str, Callable[[Floor, Session], Iterator[Values]]] = {
    "turns": _turns,
    "segments": _segments,
    "utterances": _utterances,
    "words": _words,
    "overlaps": _overlaps,
    "barge_ins": _barge_ins,
    "calls": _calls,
}


def _expected(run: TabledRun, row: Row, session: Session) -> Iterator[Values]:
    judged = read_judged(run.folder / row.id)
    moments = {score.id: score.evidence for score in judged.scores}
    for verdict in judged.expectations:
        found = moments.get(verdict.metric) or []
        times = [session.seconds(edge) for item in found for edge in (item.start, item.end)]
        yield (*_judged(verdict), *((min(times), max(times)) if times else (None, None)))


def _over_trials(run: TabledRun) -> Iterator[Values]:
    for scenario, verdicts in run.verdicts.items():
        for verdict in verdicts:
            yield (run.name, scenario, "", *_judged(verdict), None, None)


def _judged(verdict: Verdict) -> Values:
    known = (verdict.text, verdict.metric, verdict.found, verdict.bound, verdict.outcome, verdict.inform)
    return (*known, verdict.reason or "")


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
