"""The table of event types: what it says of events, who is held to it, and the page that is written from it."""

import ast
import re
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pytest

from simulator.actor import ActorSpec
from simulator.call.seat import Seat
from simulator.event_types.table import NAMED, TYPES, complaints
from simulator.events import Event, EventLog
from simulator.testing import Bursts
from simulator.traits import AudioFormat, StepTraits
from tests.events_page import PAGE, page
from tests.source_tree import SourceFile, source_files

TELLING = {"emit": (1,), "_emit": (1,), "add": (1,), "note": (0, 1), "tell": (0,)}
"""What is called to tell an event, and where its type stands among the arguments."""


def test_the_page_is_written_from_the_table() -> None:
    """docs/events.md is stale? `python -m tests.events_page` writes it."""
    assert PAGE.read_text(encoding="utf-8") == page()


@pytest.mark.parametrize(
    ("type_", "party", "fields", "wrong"),
    [
        ("speech_end", "user", {"id": "user-1", "said_samples": 480, "cut": False}, []),
        ("speech_end", "user", {"id": "user-1", "said_samples": 480, "cut": False, "since": 7}, []),
        ("speech_end", "user", {"id": "user-1", "cut": 1}, ["speech_end has no said_samples", "speech_end.cut is 1"]),
        (
            "speech_end",
            "line",
            {"id": "a", "said_samples": 0, "cut": True},
            ["speech_end is told by line"],
        ),
        ("late", "line", {"size": 480, "why": "slow"}, ["late.why is no known field"]),
        ("late", "line", {"size": -1}, ["late.size is -1; allowed is length"]),
        ("transcript", "agent", {"of": "line", "text": "", "id": None}, ["transcript.of is 'line'"]),
        ("hung_up", "agent", {}, []),
        ("hunged_up", "agent", {}, ["hunged_up is no known type"]),
    ],
)
def test_what_is_wrong_with_an_event_is_said(type_: str, party: str, fields: dict[str, Any], wrong: list[str]) -> None:
    """Its type, who tells it, a field that is missing, unknown or of another kind; a moved event has `since`."""
    found = list(complaints(type_, party, fields))
    assert len(found) == len(wrong)
    assert all(complaint.startswith(start) for complaint, start in zip(found, wrong, strict=True))


@pytest.mark.parametrize(
    ("kind", "value"),
    [("words", [["of", 3], ["course", 9]]), ("words", []), ("stretches", [[3, 9]])],
)
def test_lists_of_moments_are_taken_apart(kind: str, value: object) -> None:
    """Words with onsets, stretches that do not end before they begin."""
    name = {"words": "words", "stretches": "pauses"}[kind]
    planned = {"id": "a", "role": "turn", "text": "", "planned_samples": 0, "words": []}
    assert not list(complaints("speech_start", "user", {**planned, name: value}))
    for wrong in ("of course", [["of"]], [[9, 3]], [["of", "course"]], [["of", -1]]):
        assert list(complaints("speech_start", "user", {**planned, name: wrong}))


class Elsewhere(Bursts):
    """Hears at 8 kHz and speaks at 16 kHz, frames of 20 ms."""

    traits = StepTraits(format=AudioFormat(input_rate=8_000, output_rate=16_000, frame_ms=20))


class ElsewhereSpec(ActorSpec, frozen=True, kw_only=True, tag="elsewhere"):
    """The spec of that."""

    def build(self) -> Elsewhere:
        """Make the actor."""
        return Elsewhere([])


def told_by_a_seat(type_: str, **fields: Any) -> Event:
    """What a seat of 48 kHz writes of an event at 16 000 samples of its actor's stream."""
    log = EventLog()
    seat = Seat("agent", ElsewhereSpec(), 48_000, 960, log)
    seat.emit(16_000, type_, **fields)
    (event,) = log.take(1 << 40)
    delays = {"said": seat.shape.output_delay, "heard": seat.shape.input_delay}
    assert event.at == 48_000 + delays["said"]
    return Event(event.at - delays["said"], event.type, event.party, {"delays": delays, **event.data})


def test_a_seat_moves_the_times_that_the_table_names_and_nothing_else() -> None:
    """Said at 16 kHz and heard at 8 kHz in a session of 48 kHz; lengths too, counts of the actor's own stay."""
    data = told_by_a_seat("unheard", since=8_000, size=320).data
    assert data["since"] - data["delays"]["said"] == 24_000
    assert data["size"] == 960
    data = told_by_a_seat("turn_heard", heard_since=4_000, heard_until=8_000).data
    assert data["heard_since"] + data["delays"]["heard"] == 24_000
    assert data["heard_until"] + data["delays"]["heard"] == 48_000
    data = told_by_a_seat("audio_end", id="a", said_samples=320, cut=False).data
    assert data["said_samples"] == 320


def test_an_event_of_a_type_that_nobody_knows_keeps_its_fields_but_for_times_by_name() -> None:
    """What a plugin tells: `since`, `words` and the like are moved, what else it tells is its own."""
    data = told_by_a_seat("hunch", since=8_000, heard_until=8_000, words=[["so", 16]], pauses=[[16, 32]], size=5).data
    said, heard = data["delays"]["said"], data["delays"]["heard"]
    assert (data["since"] - said, data["heard_until"] + heard, data["size"]) == (24_000, 48_000, 5)
    assert data["words"] == [["so", 48 + said]]
    assert data["pauses"] == [[48 + said, 96 + said]]
    assert {"since", "heard_until", "words", "pauses"} <= set(NAMED)


def test_only_what_sums_up_outlives_the_session() -> None:
    """Of what an actor's delay places behind the end: accounts are kept, at the end; the rest is left out."""
    log = EventLog()
    for type_ in TYPES:
        if TYPES[type_].utterance is None:
            log.add(500, type_, "agent")
    log.add(500, "hunch", "agent")
    assert [(event.at, event.type) for event in log.finish(480)] == [
        (480, "diverged"), (480, "remote_excess"), (480, "audio_end"), (480, "usage"),
    ]  # fmt: skip


class Told(NamedTuple):
    """The types of a file, as patterns: `audio_\\w+` where a part is computed. calls: those it tells itself.

    handed_on: what may be types that are told by another function, the first of two in a tuple.
    """

    module: str
    calls: frozenset[str]
    handed_on: frozenset[str]


@cache
def _told() -> tuple[Told, ...]:
    """What every file tells; read once, as it takes seconds."""
    return tuple(map(_told_in, _tellers()))


def _told_in(file: SourceFile) -> Told:
    calls, handed_on = set(), set()
    for node in ast.walk(ast.parse(file.text)):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            calls |= {_pattern(node.args[place]) for place in TELLING.get(name, ()) if place < len(node.args)}
        elif isinstance(node, ast.Tuple) and len(node.elts) == 2:
            handed_on.add(_pattern(node.elts[0]))
    return Told(file.module, frozenset(calls - {""}), frozenset(handed_on - {""}))


def _pattern(node: ast.expr) -> str:
    """A name, or the beginning of one whose end is computed; nothing for anything else."""
    pieces = node.values if isinstance(node, ast.JoinedStr) else [node]
    parts = [part.value if isinstance(part, ast.Constant) else "" for part in pieces]
    begin = str(parts[0]) if re.fullmatch("[a-z]+(_[a-z]+)*_?", str(parts[0])) else ""
    return f"{begin}\\w+" if begin and isinstance(node, ast.JoinedStr) else begin


def _tellers() -> list[SourceFile]:
    """The files that may tell events; a room tells its pages messages of its own."""
    told, aside = ("simulator", "agents", "channels"), {"simulator.live.room", "simulator.live.rivals"}
    files = [file for file in source_files().values() if file.path.parts[0] in told and file.module not in aside]
    return [file for file in files if "event_types" not in file.path.parts]


def test_every_event_that_the_code_tells_is_in_the_table() -> None:
    """Also in code that no session of the tests comes to."""
    told = {(pattern, file.module) for file in _told() for pattern in file.calls}
    assert len(told) > 50
    assert {(name, where) for name, where in told if not any(re.fullmatch(name, known) for known in TYPES)} == set()


def test_every_type_of_the_table_is_told_by_somebody() -> None:
    """A type that nobody tells any more goes."""
    told = {pattern for file in _told() for pattern in file.calls | file.handed_on}
    assert {name for name in TYPES if not any(re.fullmatch(pattern, name) for pattern in told)} == set()


def test_every_type_that_a_scorer_asks_for_is_in_the_table() -> None:
    """`session.by_type` gives nothing for a name that is misspelt, and nobody would notice."""
    asked = {(file.module, name) for file in source_files().values()
             for name in re.findall(r'by_type(?:\.get\(|\[)"(\w+)"', file.text)}  # fmt: skip
    assert asked
    assert {(module, name) for module, name in asked if name not in TYPES} == set()


def test_the_names_of_fields_mean_one_thing() -> None:
    """Where the table gives a field a name that has a meaning of its own, it is of that kind, or of the session."""
    for known in TYPES.values():
        for name, field in known.fields.items():
            assert name not in NAMED or field.kind in (NAMED[name].kind, "session")


def test_a_seat_does_not_touch_what_it_is_given() -> None:
    """A responder may hand over the same fields twice."""
    fields = {"words": [["so", 16]], "since": np.int64(16)}
    told_by_a_seat("hunch", **fields)
    assert fields == {"words": [["so", 16]], "since": 16}
