"""A caller's take as a script: the same bytes without its mind, and noticed where it no longer fits."""

from pathlib import Path
from typing import Any

import pytest

from simulator.cli import main
from simulator.errors import ScenarioError, SessionError
from simulator.export.scenario import export
from simulator.reading.yaml_file import read_yaml
from simulator.session import Session
from simulator.speaking.hearing import still_fits
from simulator.testing import bytes_of, play_session, scenario_of
from tests.callers import AGENT, CALL, CALLER

LONG = "There is a large table in the garden behind the house with a view of the river and of the old town"
TALKER = {**AGENT, "replies": [{"match": "change", "say": LONG}, *AGENT["replies"][1:]]}
CALLS: dict[str, dict[str, Any]] = {
    "answers": {},
    "interrupts, in noise": {
        "user": {**CALLER, "manner": {"interrupts": 1.0, "backchannels": "40/min"}, "latency": "120ms"},
        "agent": TALKER,
        "lines": {"agent_to_user": [{"kind": "codec", "name": "mulaw"}]},
    },
    "is talked over": {
        "agent": {"kind": "scripted", "turns": [
            {"at": "300ms", "say": "Hello."}, {"user_speaking": "1200ms", "say": LONG}]},
        "duration": "15s",
    },
    "waits": {
        "agent": {"kind": "scripted", "turns": ["Hello.", {"after": "user_turn", "say": [
            "One moment.", {"pause": "1500ms"}, "So, what is your name, please?"]}]},
        "duration": "15s",
    },
    "calls a caller": {
        "agent": {**CALLER, "goal": "Sell a table.", "facts": {"price": "90 dollars"}},
        "duration": "20s",
    },
}  # fmt: skip


def frozen(session: Session, folder: Path, **changes: Any) -> Session:
    """Play the exported scenario of a session."""
    folder.mkdir()
    file = folder / "frozen.yaml"
    file.write_text(export(session), encoding="utf-8")
    return play_session({**read_yaml(file), **changes}, folder)


def spoken(session: Session) -> list[tuple[int, str]]:
    """When each utterance begins, and as what."""
    return [(event.at, event.role) for event in session.by_type["speech_start"]]


@pytest.mark.parametrize("name", CALLS)
def test_a_frozen_take_is_the_same_to_the_byte(name: str, tmp_path: Path) -> None:
    """What was said and heard, sample for sample, by a script that has no mind; it fits, so nothing diverged."""
    call = {**CALL, **CALLS[name]}
    session = play_session(call, tmp_path / "take")
    assert session.by_type["decided"]
    again = frozen(session, tmp_path / "again")
    assert again.meta.parties["user"].kind == "scripted"
    one, other = bytes_of(session), bytes_of(again)
    assert {name: one[name] == other[name] for name in one if name != "events.jsonl"} == {
        name: True for name in one if name != "events.jsonl"
    }
    assert "diverged" not in again.by_type
    assert spoken(session) == spoken(again)


def test_a_frozen_take_that_no_longer_fits_is_noticed(tmp_path: Path) -> None:
    """The turn that answers a question which nobody asked any more is named, and the session says it."""
    session = play_session(CALL, tmp_path / "take")
    replies = [{"match": "change", "say": "We are closed for the whole of next week."}, *AGENT["replies"][1:]]
    again = frozen(session, tmp_path / "again", agent={**AGENT, "replies": replies})
    first = again.by_type["diverged"][0]
    assert first.turn == 1
    assert "closed" in first.heard and "closed" not in first.expected
    assert again.meta.status == "completed"
    assert (again.meta.problem or "").startswith("the user's script diverged at turn 1: it was to hear ")


def test_what_is_no_callers_take_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A session without a caller, and one that failed: in a sentence, exit code 2."""
    session = play_session({"user": {"kind": "scripted", "turns": ["Hello."]}, "agent": "silent"}, tmp_path)
    with pytest.raises(SessionError, match="has no caller"):
        export(session)
    assert main(["export", str(session.folder), "--to", "scenario", "--out", str(tmp_path / "out")]) == 2
    assert "has no caller" in capsys.readouterr().err


def test_the_command_writes_a_scenario_that_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`simulate export SESSION --to scenario`, and then `simulate check`."""
    session = play_session({**CALL, "duration": "6s"}, tmp_path)
    assert main(["export", str(session.folder), "--to", "scenario", "--out", str(tmp_path / "out")]) == 0
    assert main(["check", str(tmp_path / "out" / "changed-0.yaml")]) == 0
    assert "fine" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("turn", "wrong"),
    [
        ({"wait": True, "say": "Hello."}, "exactly one of say, choose and wait"),
        ({"after": "agent_turn"}, "exactly one of say, choose and wait"),
        ({"wait": True, "hang_up": True}, "a turn that waits says nothing"),
    ],
)
def test_a_turn_that_waits_says_nothing(turn: dict[str, Any], wrong: str, tmp_path: Path) -> None:
    """A script's turn is said or passes in silence."""
    with pytest.raises(ScenarioError, match=wrong):
        scenario_of({"user": {"kind": "scripted", "turns": [turn]}, "agent": "silent"}, tmp_path)


def test_a_script_can_stop_wait_and_hang_up(tmp_path: Path) -> None:
    """So much of a turn is said, the next moment passes in silence, and the last words end the call a second later."""
    turns = [
        {"at": "500ms", "say": "I would like a table for two people.", "cut": "600ms"},
        {"after": "agent_turn", "wait": True},
        {"after": "agent_turn", "say": "Bye.", "hang_up": True},
    ]
    agent = {"kind": "scripted", "turns": [{"at": "2s", "say": "One moment."}, {"at": "5s", "say": "Yes?"}]}
    session = play_session({"user": {"kind": "scripted", "turns": turns}, "agent": agent, "duration": "30s"}, tmp_path)
    first, last = [event for event in session.by_type["speech_end"] if event.party == "user"]
    rate = session.sample_rate
    assert first.said_samples == round(0.605 * rate)
    assert last.at > 5 * rate
    assert [event.party for event in session.by_type["hung_up"]] == ["user"]
    assert session.duration < last.at + rate + rate // 25


@pytest.mark.parametrize(
    ("expected", "heard", "fits"),
    [
        ("What is your booking number?", "What is your working number?", True),
        ("On Sunday we open at six.", "We are closed on Sunday at the moment.", False),
        ("The new price is $19.", "", False),
    ],
)
def test_slips_of_a_recogniser_fit_and_another_answer_does_not(expected: str, heard: str, fits: bool) -> None:
    """By the words that both have over those of either."""
    assert still_fits(expected, heard) is fits


def test_of_a_turn_that_goes_on_only_what_was_expected_counts() -> None:
    """An interruption falls at another word each time."""
    assert still_fits("There is a large table", LONG, so_far=True)
    assert not still_fits("There is a large table", LONG)
