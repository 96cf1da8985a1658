"""Takeovers: whether the agent takes the floor while the user only pauses."""

from pathlib import Path

import pytest

from metrics.takeover import TakeoverSpec
from simulator.testing.take import Take, heard, scored


def paused(folder: Path) -> Take:
    """The user speaks from 1 s to 5 s with a pause from 2 s to 3 s."""
    take = Take(folder)
    take.say("user", 1.0, 5.0, pauses=((2.0, 3.0),))
    return take


def test_an_agent_that_waits_took_nothing(tmp_path: Path) -> None:
    """It answers after the turn: no takeover, and the pause is in the evidence."""
    take = paused(tmp_path / "t")
    take.say("agent", 5.5, 7.0)
    scores = scored(TakeoverSpec(), take.annotated())
    assert (scores["in_pause_rate"].value, scores["in_pause_rate"].n, scores["turn_rate"].value) == (0, 1, 0)
    item = scores["in_pause_rate"].evidence[0]
    assert (item.start, item.end, item.label) == (take.at(2), take.at(3), "waited")


@pytest.mark.parametrize("start", [2.6, 3.1])
def test_an_agent_that_begins_in_the_pause_took_the_floor(tmp_path: Path, start: float) -> None:
    """Up to 200 ms after it as well: that was decided before the user could be heard again."""
    take = paused(tmp_path / "t")
    take.say("agent", start, start + 0.6, cut=True)
    scores = scored(TakeoverSpec(), take.annotated())
    assert (scores["in_pause_rate"].value, scores["turn_rate"].value) == (1, 1)
    assert scores["in_pause_rate"].evidence[0].value == pytest.approx(start - 2.0)


def test_a_backchannel_in_the_pause_takes_nothing(tmp_path: Path) -> None:
    """Told as one, or short and alone where nobody told."""
    take = paused(tmp_path / "t")
    take.say("agent", 2.3, 2.7, role="backchannel")
    session = take.annotated()
    assert scored(TakeoverSpec(), session)["in_pause_rate"].value == 0
    assert scored(TakeoverSpec(), heard(session, "agent", (2.3, 2.7)))["in_pause_rate"].value == 0
    assert scored(TakeoverSpec(), heard(session, "agent", (2.3, 4.7)))["in_pause_rate"].value == 1


def test_a_pause_under_the_agents_speech_is_no_case(tmp_path: Path) -> None:
    """There was nothing to take."""
    take = paused(tmp_path / "t")
    take.say("agent", 1.5, 4.0)
    score = scored(TakeoverSpec(), take.annotated())["in_pause_rate"]
    assert (score.value, score.reason) == (None, "the agent spoke into every pause already")


def test_short_silences_are_no_pauses(tmp_path: Path) -> None:
    """Under 0.4 s nobody would take the floor."""
    take = Take(tmp_path / "t")
    take.say("user", 1.0, 5.0, pauses=((2.0, 2.3),))
    assert scored(TakeoverSpec(), take.annotated())["in_pause_rate"].n == 0


def test_a_silence_between_two_utterances_is_no_pause(tmp_path: Path) -> None:
    """Nobody planned that the turn goes on."""
    take = Take(tmp_path / "t")
    take.say("user", 1.0, 2.0)
    take.say("user", 2.8, 4.0)
    assert scored(TakeoverSpec(), take.annotated())["in_pause_rate"].n == 0


def test_short_silences_of_a_played_recording_are_pauses(tmp_path: Path) -> None:
    """A recording reacts to nobody; silences over 1.5 s may be its end of turn and are left out."""
    take = Take(tmp_path / "t")
    take.note(0.0, "speech_start", "user", id="r", role="recording", text="", planned_samples=take.length, words=[])
    take.note(20.0, "speech_end", "user", id="r", said_samples=1, cut=False)
    session = heard(take.annotated(), "user", (1.0, 2.0), (2.9, 4.0), (7.0, 9.0))
    assert scored(TakeoverSpec(), session)["in_pause_rate"].n == 1
    took = heard(session, "agent", (2.5, 4.5))
    assert scored(TakeoverSpec(), took)["in_pause_rate"].value == 1


def test_an_untold_user_has_no_pauses_that_anybody_knows_of(tmp_path: Path) -> None:
    """In a foreign recording a silence may be the end of a turn."""
    session = heard(Take(tmp_path / "t").annotated(), "user", (1.0, 2.0), (2.9, 4.0))
    assert scored(TakeoverSpec(), session)["in_pause_rate"].value is None
