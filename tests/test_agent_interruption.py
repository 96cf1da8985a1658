"""Interruptions by the agent: what it begins over the user's speech."""

from pathlib import Path

import pytest

from metrics.agent_interruption import AgentInterruptionSpec
from simulator.testing.take import Take, heard, scored


def test_a_start_over_the_users_speech_interrupts(tmp_path: Path) -> None:
    """One of two turns; the overlap is measured to its end."""
    take = Take(tmp_path / "t")
    take.say("user", 1.0, 4.0)
    take.say("agent", 2.0, 2.7, cut=True)
    take.say("user", 8.0, 10.0)
    scores = scored(AgentInterruptionSpec(), take.annotated())
    assert (scores["rate"].value, scores["rate"].n) == (0.5, 2)
    assert scores["overlap_p50_s"].value == pytest.approx(0.7)


@pytest.mark.parametrize("start", [1.1, 3.6, 4.2])
def test_a_collision_a_smooth_overlap_and_an_answer_do_not(tmp_path: Path, start: float) -> None:
    """Within 200 ms of the user's start, in the last 0.5 s, after the end."""
    take = Take(tmp_path / "t")
    take.say("user", 1.0, 4.0)
    take.say("agent", start, 6.0)
    scores = scored(AgentInterruptionSpec(), take.annotated())
    assert (scores["rate"].value, scores["overlap_p50_s"].value) == (0, None)


def test_a_takeover_in_a_pause_is_not_counted_twice(tmp_path: Path) -> None:
    """Begun in the user's silence, or within 200 ms after it."""
    take = Take(tmp_path / "t")
    take.say("user", 1.0, 5.0, pauses=((2.0, 3.0),))
    take.say("agent", 2.5, 2.8, cut=True)
    take.say("agent", 3.1, 3.5, cut=True)
    assert scored(AgentInterruptionSpec(), take.annotated())["rate"].value == 0


def test_backchannels_of_the_agent_do_not_interrupt(tmp_path: Path) -> None:
    """Told or by their shape."""
    take = Take(tmp_path / "t")
    take.say("user", 1.0, 6.0)
    take.say("agent", 2.0, 2.4, role="backchannel")
    session = take.annotated()
    assert scored(AgentInterruptionSpec(), session)["rate"].value == 0
    assert scored(AgentInterruptionSpec(), heard(session, "agent", (2.0, 2.4)))["rate"].value == 0


def test_what_the_agent_was_saying_when_the_user_began_does_not(tmp_path: Path) -> None:
    """Going on after a breath is the barge-in scorer's matter."""
    session = heard(Take(tmp_path / "t").annotated(), "user", (2.0, 6.0))
    session = heard(session, "agent", (1.0, 3.0), (3.3, 5.0))
    assert scored(AgentInterruptionSpec(), session)["rate"].value == 0


def test_without_user_turns_the_rate_is_undefined(tmp_path: Path) -> None:
    """Nobody could be interrupted."""
    score = scored(AgentInterruptionSpec(), Take(tmp_path / "t").annotated())["rate"]
    assert (score.value, score.reason) == (None, "the user took no turn")
