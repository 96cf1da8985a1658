"""Selectivity: asides, background talk and bursts of noise that the agent should let pass."""

from pathlib import Path

import pytest

from metrics.selectivity import SelectivitySpec
from simulator.testing.take import Take, heard, scored


def aside(folder: Path, duration: float = 20.0) -> Take:
    """The user says something to somebody else from 5 s to 6 s."""
    take = Take(folder, duration)
    take.say("user", 5.0, 6.0, role="aside")
    return take


def rate(take: Take, name: str = "aside") -> float | None:
    return scored(SelectivitySpec(), take.annotated())[f"{name}_ignored_rate"].value


def test_an_agent_that_stays_silent_ignored_the_aside(tmp_path: Path) -> None:
    """Nothing until 2 s after its end; what comes later is something else."""
    take = aside(tmp_path / "t")
    take.say("agent", 8.1, 9.0)
    assert rate(take) == 1


def test_an_agent_that_speaks_up_answered_it(tmp_path: Path) -> None:
    """During the aside or within 2 s after it."""
    for index, start in enumerate((5.5, 7.9)):
        take = aside(tmp_path / str(index))
        take.say("agent", start, start + 2)
        assert rate(take) == 0


def test_an_agent_that_was_speaking_must_go_on(tmp_path: Path) -> None:
    """For 1 s after the onset; one that ended by itself sooner is from there on an agent that was silent."""
    for index, (end, cut, expected) in enumerate([(6.2, True, 1), (5.6, True, 0), (5.6, False, 1)]):
        take = aside(tmp_path / str(index))
        take.say("agent", 3.0, end, cut=cut, planned=9.0)
        assert rate(take) == expected


def test_an_agent_whose_speech_ended_by_itself_may_still_answer(tmp_path: Path) -> None:
    """It fell silent as planned, and then spoke up to the aside."""
    take = aside(tmp_path / "t")
    take.say("agent", 3.0, 5.4)
    take.say("agent", 7.0, 9.0)
    assert rate(take) == 0


def test_an_agent_that_took_the_sound_for_a_turn_answered_it(tmp_path: Path) -> None:
    """It spoke on through the aside, and says itself that it heard a turn there before it spoke again."""
    take = aside(tmp_path / "t")
    take.say("agent", 3.0, 7.5)
    take.note(7.5, "turn_heard", "agent", heard_since=take.at(5.1), heard_until=take.at(6.1))
    take.say("agent", 7.8, 9.0)
    assert rate(take) == 0


def test_an_answer_that_was_due_is_not_held_against_the_agent(tmp_path: Path) -> None:
    """A user turn ended shortly before and was not answered yet: what the agent says next is its answer."""
    take = aside(tmp_path / "t")
    take.say("user", 2.0, 4.5)
    take.say("agent", 6.2, 8.0)
    score = scored(SelectivitySpec(), take.annotated())["aside_ignored_rate"]
    assert (score.value, score.n) == (None, 0)
    assert score.evidence[0].label == "undecided"


def test_the_watch_ends_where_the_user_takes_a_turn(tmp_path: Path) -> None:
    """The agent answers that turn, not the aside."""
    take = aside(tmp_path / "t")
    take.say("user", 6.5, 7.0)
    take.say("agent", 7.4, 9.0)
    assert rate(take) == 1


@pytest.mark.parametrize(("direction", "n"), [("user_to_agent", 1), ("agent_to_user", 0)])
def test_background_talk_counts_on_the_line_to_the_agent(tmp_path: Path, direction: str, n: int) -> None:
    """What only the user heard is nothing the agent could react to."""
    take = Take(tmp_path / "t")
    take.note(5.0, "talker", "line", until=take.at(7.0), text="Dinner is ready", direction=direction)
    score = scored(SelectivitySpec(), take.annotated())["talker_ignored_rate"]
    assert (score.n, score.value) == (n, 1 if n else None)


def test_a_noise_burst_that_makes_the_agent_stop_was_not_ignored(tmp_path: Path) -> None:
    """The agent was cut within 1 s, and nobody else spoke."""
    take = Take(tmp_path / "t")
    take.say("agent", 3.0, 5.6, cut=True, planned=9.0)
    take.note(5.0, "noise_burst", "line", until=take.at(5.3), direction="user_to_agent")
    assert rate(take, "noise") == 0


def test_a_stop_while_the_user_speaks_too_is_undecided(tmp_path: Path) -> None:
    """It may have yielded to the user."""
    take = Take(tmp_path / "t")
    take.say("agent", 3.0, 5.6, cut=True, planned=9.0)
    take.say("user", 5.2, 6.5, role="interruption")
    take.note(5.0, "talker", "line", until=take.at(7.0), text="Dinner", direction="user_to_agent")
    assert rate(take, "talker") is None


def test_an_aside_at_the_end_of_the_session_is_undecided(tmp_path: Path) -> None:
    """There was no time to answer it."""
    assert rate(aside(tmp_path / "t", duration=7.0)) is None


def noisy(folder: Path, stop: float, *, cut: bool = True, direction: str = "user_to_agent") -> Take:
    """30 s with steady noise on a line; the agent speaks from 3 s to `stop`, planned until 20 s."""
    take = Take(folder, duration=30.0)
    take.lines = {direction: [{"kind": "noise", "color": "babble", "snr_db": 0}]}
    take.say("agent", 3.0, stop, cut=cut, planned=20.0)
    return take


def stops(take: Take) -> float | None:
    return scored(SelectivitySpec(), take.annotated())["steady_noise_stops_per_min"].value


def test_an_agent_that_cuts_itself_off_in_steady_noise_is_counted(tmp_path: Path) -> None:
    """One stop in half a minute with nobody speaking: two a minute; one that ended as planned is none."""
    assert stops(noisy(tmp_path / "cut", 6.0)) == 2
    assert stops(noisy(tmp_path / "whole", 6.0, cut=False)) == 0


@pytest.mark.parametrize(("spoke", "expected"), [((4.5, 5.0), 0), ((1.0, 2.0), 2)])
def test_a_stop_soon_after_the_user_spoke_is_not_the_noises(
    tmp_path: Path, spoke: tuple[float, float], expected: float
) -> None:
    """Any speech of the user in the 2 s before may have caused it; what lies further back has not."""
    take = noisy(tmp_path / "t", 6.0)
    take.say("user", *spoke, role="backchannel")
    assert stops(take) == expected


def test_a_stop_after_a_burst_is_the_bursts(tmp_path: Path) -> None:
    """It is a case of its own score, and counts once."""
    take = noisy(tmp_path / "t", 6.0)
    take.note(5.5, "noise_burst", "line", until=take.at(5.8), direction="user_to_agent")
    assert stops(take) == 0


def test_the_end_of_the_session_stops_nobody(tmp_path: Path) -> None:
    """An agent that spoke until the recording ended did not cut itself off."""
    assert stops(noisy(tmp_path / "t", 30.0)) == 0


def test_stops_are_told_by_the_far_end_too(tmp_path: Path) -> None:
    """An untold agent's `audio_end` says that its item was cut; without one nobody knows."""
    take = noisy(tmp_path / "t", 6.0)
    take.events.clear()
    untold = scored(SelectivitySpec(), heard(take.annotated(), "agent", (3.0, 6.0)))["steady_noise_stops_per_min"]
    assert untold.reason == "nobody told whether the agent's speech was cut or over"
    take = noisy(tmp_path / "far", 6.0)
    take.events.clear()
    take.note(6.0, "audio_end", "agent", id="item", said_samples=take.at(3.0), cut=True)
    told = scored(SelectivitySpec(), heard(take.annotated(), "agent", (3.0, 6.0)))["steady_noise_stops_per_min"]
    assert told.value == 2


def test_noise_that_only_the_user_hears_stops_nobody(tmp_path: Path) -> None:
    """It is not on the line to the agent."""
    assert stops(noisy(tmp_path / "t", 6.0, direction="agent_to_user")) is None


def test_nothing_to_ignore_is_undefined(tmp_path: Path) -> None:
    """Each of the four says what was missing."""
    scores = scored(SelectivitySpec(), Take(tmp_path / "t").annotated())
    assert {score.value for score in scores.values()} == {None}
    assert scores["aside_ignored_rate"].reason == "no aside was said"


def test_a_user_who_speaks_from_the_very_beginning_may_be_what_stopped_the_agent(tmp_path: Path) -> None:
    """The talker comes at 5 s into a turn that began at sample 0: whom the agent stopped for nobody can tell."""
    take = Take(tmp_path / "t")
    take.say("user", 0.0, 5.5)
    take.say("agent", 3.0, 5.6, cut=True, planned=9.0)
    take.note(5.0, "talker", "line", until=take.at(7.0), text="Dinner", direction="user_to_agent")
    assert rate(take, "talker") is None
