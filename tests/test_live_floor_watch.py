"""Rules of the live floor: what is marked while two parties speak, and when."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
from rich.console import Console

from simulator.annotation.annotate import annotate_cached
from simulator.events import PARTIES
from simulator.frame import silence
from simulator.live.at_device.terminal_view import TerminalView
from simulator.live.floor_watch import FloorWatch, Notice
from simulator.live.room import Room
from simulator.report.marks.marks import marks_of
from simulator.results.judged import read_judged
from simulator.scenario import load
from simulator.session import read_session
from simulator.speaking.ears import LevelEarsSpec
from simulator.testing import burst
from tests.command_line import simulate
from tests.source_tree import ROOT

RATE, FRAME = 24_000, 480
KINDS = ("transfer", "barge_in", "backchannel")

Stretches = Sequence[tuple[float, float]]


def watched(user: Stretches, agent: Stretches, length_s: float = 12.0) -> tuple[FloorWatch, list[Notice]]:
    """Let both speak in the given stretches of seconds and give what was marked."""
    tracks = [np.zeros(round(length_s * RATE), np.float32) for _ in range(2)]
    for track, stretches in zip(tracks, (user, agent), strict=True):
        for start, end in stretches:
            track[round(start * RATE) : round(end * RATE)] = burst(round((end - start) * RATE))
    watch, marks = FloorWatch(RATE, {"user": LevelEarsSpec(), "agent": LevelEarsSpec()}), []
    for start in range(0, len(tracks[0]), FRAME):
        frames = [track[start : start + FRAME] for track in tracks]
        marks += watch.hear(start, *(frame if frame.any() else silence(FRAME) for frame in frames))
    return watch, marks


def test_a_turn_change_is_marked_with_its_fto_and_the_agents_is_the_latency() -> None:
    """Silence between the two is a positive fto; the agent's are how long it took to answer."""
    watch, marks = watched([(1, 2), (6, 7)], [(2.8, 4), (7.4, 9)])
    assert [(mark.kind, mark.party, mark.ms) for mark in marks] == [
        ("transfer", "agent", 800), ("transfer", "user", 2000), ("transfer", "agent", 400),
    ]  # fmt: skip
    assert watch.responses_ms == [800, 400]


def test_a_short_stretch_inside_the_others_is_a_backchannel() -> None:
    """Under a second while the other goes on: marked with its overlap, and the floor stays where it was."""
    _, marks = watched([(2, 2.4)], [(1, 5)])
    assert [(mark.kind, mark.party) for mark in marks] == [("overlap", ""), ("backchannel", "user")]


def test_a_barge_in_is_marked_with_the_yield_latency() -> None:
    """Who goes on when the other stops has taken the floor; the latency runs from its first sound."""
    watch, marks = watched([(3, 6)], [(1, 3.5), (7, 8)])
    found = [(mark.kind, mark.party, mark.ms) for mark in marks]
    assert found == [
        ("overlap", "", 500), ("transfer", "user", -500), ("barge_in", "user", 500), ("transfer", "agent", 1000),
    ]  # fmt: skip
    assert marks[2].outcome == "undecided"  # nobody told whether the agent was cut or had finished
    assert watch.responses_ms == [1000]


def test_a_barge_in_is_told_once_it_is_too_long_for_a_backchannel() -> None:
    """Nobody waits until who barged in has finished: a second after it began it is known to be no mm-hm."""
    _, marks = watched([(3, 3.98)], [(1, 3.5)], length_s=3.98)
    assert [mark.kind for mark in marks] == ["overlap"]
    _, marks = watched([(3, 4)], [(1, 3.5)], length_s=4)
    assert [mark.kind for mark in marks] == ["overlap", "transfer", "barge_in"]


def test_pauses_of_one_speaker_are_no_turn_changes() -> None:
    """Somebody who goes on after a pause changes no turn."""
    _, marks = watched([(1, 2), (3, 4), (6, 7)], [])
    assert marks == []


def test_the_terminal_corrects_a_mark_and_drops_one_that_is_withdrawn() -> None:
    """What was told again stands once, corrected; what was taken back is not shown any more."""
    room = Room(load(Path(__file__).parents[1] / "scenarios" / "live" / "cascade.yaml"))
    view = TerminalView(room)
    barge_in = Notice(id="b", kind="barge_in", party="user", start=3, end=9, ms=6000, outcome="talked through")
    transfer = Notice(id="t", kind="transfer", party="user", start=1, end=1.3, ms=300)

    def shown(*notices: Notice) -> str:
        for notice in notices:
            room.tell("lanes", keep=False, user=[0] * 200, agent=[0] * 200, speaking={"user": False, "agent": False})
            room.tell("mark", **msgspec.to_builtins(notice))
        for _ in range(40):
            room.tell("lanes", keep=False, user=[0], agent=[0], speaking={"user": False, "agent": False})
        with (console := Console(width=120)).capture() as captured:
            console.print(view)
        return captured.get()

    assert "+300 ms" in shown(transfer) and "barge-in, talked through" in shown(barge_in)
    text = shown(
        msgspec.structs.replace(transfer, withdrawn=True),
        msgspec.structs.replace(barge_in, outcome="yielded", ms=500),
    )
    assert "+300 ms" not in text and "talked through" not in text
    assert text.count("barge-in, yielded in 500 ms") == 1


def test_the_live_view_and_the_page_agree_on_a_take(tmp_path: Path) -> None:
    """The same call, told frame by frame and read afterwards: equal in number and kind, times to 50 ms."""
    short = [word for change in ("report=none", "expect=[]", "scorers=[barge_in]") for word in ("--set", change)]
    assert simulate(ROOT / "scenarios" / "first_call.yaml", "--out", tmp_path / "run", *short) == 0
    folder = tmp_path / "run" / "first-call-0"
    session = annotate_cached(read_session(folder))
    page = [mark for mark in marks_of(session, read_judged(folder).scores) if mark.kind in {*KINDS, "overlap"}]
    watch, told = FloorWatch(RATE, {"user": LevelEarsSpec(), "agent": LevelEarsSpec()}), dict[str, Notice]()
    due = [event for event in session.events if event.type in ("speech_start", "speech_end")]
    tracks = [session.said(party) for party in PARTIES]
    for start in range(0, len(tracks[0]), FRAME):
        while due and due[0].at <= start:
            watch.take(due.pop(0))
        told |= {item.id: item for item in watch.hear(start, *(track[start : start + FRAME] for track in tracks))}
    told |= {item.id: item for item in watch.finish()}
    for kind in (*KINDS, "overlap"):
        live = sorted((item.party, item.start, item.end) for item in told.values() if item.kind == kind)
        read = sorted((mark.party, *sorted((mark.start / RATE, mark.end / RATE))) for mark in page if mark.kind == kind)
        assert len(live) == len(read) > 0, kind
        for (who, *times), (party, *others) in zip(live, read, strict=True):
            assert who == party and np.abs(np.subtract(times, others)).max() < 0.05, (kind, times, others)
