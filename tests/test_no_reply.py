"""A turn that gets no reply: told with what was understood, so that nobody takes it for an agent that hangs."""

from pathlib import Path
from typing import Any

from simulator.report.marks.marks import marks_of
from simulator.session import Session
from simulator.testing import play_session
from tests.contracts.http_peers import scripted
from tests.speech_servers import hearing


def call(tmp_path: Path, **agent: Any) -> Session:
    """Somebody asks a built-in agent one thing, and says goodbye."""
    turns = [{"at": "300ms", "say": "Good evening."}, {"at": "4s", "say": "Thank you and goodbye."}]
    data = {"user": {"kind": "scripted", "turns": turns}, "agent": {"kind": "cascade", **agent}, "duration": "7s"}
    return play_session(data, tmp_path)


def test_a_turn_that_no_rule_fits_is_told_and_marked(tmp_path: Path) -> None:
    """With its text and its place; the turn that a rule fits is answered, and nothing is told of it."""
    session = call(tmp_path, replies=[{"match": "thank", "say": "Goodbye."}])
    recognised, answered = session.by_type["recognised"]
    (event,) = session.by_type["no_reply"]
    assert (event.party, event.data["reason"]) == ("agent", "no rule fits")
    assert event.data["text"] == recognised.data["text"] != answered.data["text"]
    assert (event.at, event.data["heard_since"]) == (recognised.at, recognised.data["heard_since"])
    assert [said.data["text"] for said in session.by_type["speech_start"] if said.party == "agent"] == ["Goodbye."]
    (mark,) = [mark for mark in marks_of(session, ()) if mark.label == "no_reply"]
    assert (mark.start, mark.party) == (event.at, "agent") and recognised.data["text"] in mark.detail


def test_a_turn_of_which_nothing_is_understood_is_told(tmp_path: Path, own_cache: None) -> None:
    """No rule is asked, whatever it would fit."""
    with scripted(hearing({"text": ""})) as (url, _):
        ears = {"kind": "openai", "base_url": f"{url}/v1", "model": "stand-in"}
        session = call(tmp_path, recognizer=ears, replies=[{"say": "Certainly."}])
    told = [(event.data["text"], event.data["reason"]) for event in session.by_type["no_reply"]]
    assert told == [("", "nothing was understood")] * 2
    assert [event for event in session.by_type["speech_start"] if event.party == "agent"] == []
