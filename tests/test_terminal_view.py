"""Rules of the terminal's view: what a human at a sound device sees of the conversation, at any width."""

from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from simulator.live.at_device.terminal_view import COLUMNS_PER_S, LINES, TerminalView
from simulator.live.room import Room
from simulator.testing import scenario_of

HUMAN = {
    "name": "a talk", "user": "human", "agent": "silent", "clock": "wall",
    "injectors": [
        {"kind": "interruption", "party": "user", "cue": {"button": "i"}, "say": "Wait, stop."},
        {"kind": "backchannel", "party": "agent", "cue": {"button": "b"}, "choose": ["mm-hm", "right"]},
    ],
}  # fmt: skip


@pytest.fixture
def room(tmp_path: Path) -> Room:
    """A room with a human user, a key for each party."""
    return Room(scenario_of(HUMAN, tmp_path))


def shown(view: TerminalView, width: int = 80) -> list[str]:
    """The view as text, line by line, without its frame."""
    screen = Console(file=StringIO(), width=width, color_system=None, legacy_windows=False)
    screen.print(view)
    lines = screen.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert all(len(line) <= width for line in lines)
    return [lines[0], *(line[1:-1].strip(" ") for line in lines[1:-1]), lines[-1]]


def lane(room: Room, user: int, agent: int, *, speaking: tuple[bool, bool] = (False, False), times: int = 1) -> None:
    """A tenth of a second: both parties' peaks in percent, and who speaks."""
    for _ in range(times):
        by_ear = dict(zip(("user", "agent"), speaking, strict=True))
        room.tell("lanes", keep=False, user=[user, 0], agent=[0, agent], speaking=by_ear)


def words(room: Room, at: float, text: str, party: str = "user", source: str = "asr") -> None:
    """Somebody was understood."""
    room.tell("words", party=party, at=at, text=text, source=source)


def test_the_lobby_says_which_keys_there_are(room: Room) -> None:
    """Before the conversation one starts, tests or leaves; the title says what goes on."""
    lines = shown(TerminalView(room))
    assert "a talk · the line is being tried" in lines[0]
    assert "enter: start · e: test for echo · q: leave" in lines
    assert "no answer yet" in lines


def test_in_the_conversation_every_party_has_its_keys(room: Room) -> None:
    """The keys of the scenario's injectors, by whose mouth they move."""
    view = TerminalView(room)
    room.enter("talking", since=0.0)
    lines = shown(view)
    assert "a talk · SPEAK NOW" in lines[0]
    assert "user: i Wait, stop." in lines and "agent: b mm-hm / right" in lines and "q: hang up" in lines
    room.enter("over")
    assert "a talk · over" in shown(view)[0]


def test_a_party_without_keys_has_no_line(tmp_path: Path) -> None:
    """Nothing is shown that nobody can press."""
    room = Room(scenario_of({"user": "human", "agent": "silent", "clock": "wall"}, tmp_path))
    view = TerminalView(room)
    room.enter("talking", since=0.0)
    assert not [line for line in shown(view) if line.startswith(("user:", "agent:"))]


def test_lanes_move_from_the_right_louder_is_higher(room: Room) -> None:
    """Silence is blank and full scale a whole block; only the latest that fit are shown."""
    view = TerminalView(room)
    lane(room, 100, 0, speaking=(True, False), times=2)
    lane(room, 0, 25)
    user, agent = (next(line for line in shown(view) if line.startswith(party)) for party in ("user", "agent"))
    assert user.endswith("██") and agent.endswith("▄")  # the square root of a quarter is half the height
    lane(room, 100, 100, times=40 * COLUMNS_PER_S)
    narrow = next(line for line in shown(view, 30) if line.startswith("user"))
    assert narrow.count("█") == 30 - 4 - 7


def test_marks_end_under_the_column_they_were_noticed_in(room: Room) -> None:
    """A yield and a turn change tell their ms, anything else its name; 40 columns lie between the two."""
    view = TerminalView(room)
    room.tell("mark", id="1", withdrawn=False, kind="transfer", party="agent", start=1.0, end=1.2, ms=200)
    lane(room, 0, 0, times=40)
    room.tell(
        "mark", id="2", withdrawn=False, kind="barge_in", outcome="yielded", party="user", start=3.0, end=3.4, ms=400
    )
    lane(room, 0, 0, times=5)
    line = next(line for line in shown(view) if "+200 ms" in line)
    first, second = "+200 ms", "barge-in, yielded in 400 ms"
    assert line.index(second) + len(second) - (line.index(first) + len(first)) == 40


def test_a_mark_without_room_stands_behind_the_one_before_it(room: Room) -> None:
    """A barge-in comes half a second after the overlap it began as; neither hides the other."""
    view = TerminalView(room)
    room.tell("mark", id="3", withdrawn=False, kind="overlap", party="agent", start=1.0, end=1.2, ms=None)
    lane(room, 0, 0, times=5)
    room.tell(
        "mark", id="4", withdrawn=False, kind="barge_in", outcome="yielded", party="user", start=1.0, end=1.5, ms=500
    )
    lane(room, 0, 0, times=2)
    lines = shown(view)
    assert "overlap barge-" in lines  # the rest comes in at the right as the lanes move on
    lane(room, 0, 0, times=25)
    assert "overlap barge-in, yielded in 500 ms" in shown(view)


def test_marks_that_have_left_are_gone(room: Room) -> None:
    """A mark goes with its column at the left edge."""
    view = TerminalView(room)
    lane(room, 0, 0)
    room.tell("mark", id="5", withdrawn=False, kind="transfer", party="agent", start=1.0, end=1.2, ms=-150)
    assert any("-150 ms" in line for line in shown(view))
    lane(room, 0, 0, times=100)
    assert not any("-150 ms" in line for line in shown(view))


def test_the_latest_words_stay_and_a_long_line_is_cut(room: Room) -> None:
    """With whose they are and when; nothing understood is no line."""
    view = TerminalView(room)
    for number in range(LINES + 2):
        words(room, float(number), f"sentence {number}", ("user", "agent")[number % 2])
    words(room, 20.0, "")
    lines = [line for line in shown(view) if "sentence" in line]
    assert len(lines) == LINES and lines[0] == "2.0 s  user   sentence 2"
    words(room, 21.5, "word " * 40, "agent", source="truth")
    assert any(line.startswith("21.5 s  agent  word word") and line.endswith("…") for line in shown(view, 60))


def test_the_figures_say_how_fast_and_how_far_away(room: Room) -> None:
    """The delay is measured by a click, or else added up from its parts, and the line says which."""
    view = TerminalView(room)
    room.tell("latency", last_ms=640, p50_ms=500)
    assert "answered after 640 ms (median 500)" in shown(view)
    room.handsets["user"].parts.microphone = 30.0
    room.tell_delay()  # the tick of 20 ms counts, too
    assert any(line.endswith("mouth to ear, both ways: 50 ms (by its parts)") for line in shown(view, 100))
    room.handsets["user"].measured_ms = 87.4
    room.tell_delay()
    assert any(line.endswith("mouth to ear, both ways: 87 ms (measured)") for line in shown(view, 100))


def test_the_microphone_shows_its_level_and_trouble_is_told(room: Room) -> None:
    """A quarter of full scale is half the bar; what went wrong last stands under the view."""
    view = TerminalView(room)
    assert any(line == f"microphone (user) [{'·' * 20}]" for line in shown(view))
    room.handsets["user"].attach(24_000, lambda _frame: None)
    room.handsets["user"].feed(0, np.full(480, 0.25, np.float32))
    assert any(line == f"microphone (user) [{'#' * 10}{'·' * 10}]" for line in shown(view))
    room.tell("trouble", keep=False, what="underrun", party="agent", at=1.0, ms=60)
    assert "underrun of the agent: 60 ms" in shown(view)[-1]


def test_a_message_that_the_view_does_not_know_changes_nothing(room: Room) -> None:
    """The page is told more than a terminal shows."""
    view = TerminalView(room)
    before = shown(view)
    messages: list[dict[str, Any]] = [{"type": "ready", "parties": ["user"]}, {"type": "pressed", "key": "i"}]
    for message in messages:
        view.take(message)
    assert shown(view) == before
