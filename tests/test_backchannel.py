"""Backchannels: the user's over the agent's speech, and the agent's own."""

from pathlib import Path

import pytest

from metrics.backchannel import BackchannelSpec
from simulator.testing.take import RATE, Take, heard, scored


def acknowledged(folder: Path, stop: float, *, cut: bool = True, duration: float = 20.0) -> Take:
    """The agent speaks from 1 s to `stop`; the user says mm-hm from 3 s to 3.4 s."""
    take = Take(folder, duration)
    take.say("agent", 1.0, stop, cut=cut, planned=9.0)
    take.say("user", 3.0, 3.4, role="backchannel", text="mm-hm")
    return take


def rates(take: Take) -> tuple[float | None, float | None, float | None]:
    scores = scored(BackchannelSpec(), take.annotated())
    return scores["kept_floor_rate"].value, scores["resumed_rate"].value, scores["derailed_rate"].value


def test_an_agent_that_speaks_on_kept_the_floor(tmp_path: Path) -> None:
    """1 s after the onset it is still speaking, however it ends later."""
    assert rates(acknowledged(tmp_path / "t", 4.1)) == (1, 0, 0)


def test_an_agent_that_stops_and_goes_on_resumed(tmp_path: Path) -> None:
    """It speaks again within 2 s, and did not take the backchannel for a turn."""
    take = acknowledged(tmp_path / "t", 3.5)
    take.say("agent", 4.5, 7.0)
    assert rates(take) == (0, 1, 0)


def test_an_agent_that_stops_for_good_was_derailed(tmp_path: Path) -> None:
    """Nothing for 2 s."""
    take = acknowledged(tmp_path / "t", 3.5)
    take.say("agent", 6.0, 7.0)
    assert rates(take) == (0, 0, 1)


def test_an_agent_that_answers_the_backchannel_was_derailed(tmp_path: Path) -> None:
    """It speaks again in time, but says itself that it heard a turn there."""
    take = acknowledged(tmp_path / "t", 3.5)
    take.note(4.1, "turn_heard", "agent", heard_since=take.at(3.05), heard_until=take.at(3.5))
    take.say("agent", 4.5, 7.0)
    assert rates(take) == (0, 0, 1)


def test_a_natural_end_and_the_sessions_end_decide_nothing(tmp_path: Path) -> None:
    """An utterance that ended by itself within the second; a session without room to resume."""
    for take in (
        acknowledged(tmp_path / "a", 3.5, cut=False),
        acknowledged(tmp_path / "b", 3.5, duration=4.5),
    ):
        assert rates(take) == (None, None, None)


def test_backchannels_in_the_agents_silence_are_no_cases(tmp_path: Path) -> None:
    """There is no floor to keep."""
    take = Take(tmp_path / "t")
    take.say("agent", 1.0, 2.0)
    take.say("user", 3.0, 3.4, role="backchannel")
    score = scored(BackchannelSpec(), take.annotated())["kept_floor_rate"]
    assert (score.value, score.reason) == (None, "no backchannel of the user fell on the agent's speech")


def test_an_untold_users_isolated_short_sound_is_a_backchannel(tmp_path: Path) -> None:
    """Under 1 s, alone, over the agent's speech; a short beginning of a longer turn is none."""
    session = heard(Take(tmp_path / "t").annotated(), "agent", (1.0, 8.0))
    alone = heard(session, "user", (3.0, 3.4))
    begins = heard(session, "user", (3.0, 3.4), (3.7, 6.0))
    assert scored(BackchannelSpec(), alone)["kept_floor_rate"].value == 1
    assert scored(BackchannelSpec(), begins)["kept_floor_rate"].n == 0


def test_the_agents_own_backchannels_are_counted_per_minute_of_user_turns(tmp_path: Path) -> None:
    """Two in 30 s of the user's turns are four per minute; those in a pause are well placed."""
    take = Take(tmp_path / "t", duration=60)
    take.say("user", 1.0, 31.0, pauses=((10.0, 10.8),))
    take.say("agent", 10.1, 10.5, role="backchannel")
    take.say("agent", 20.0, 20.4, role="backchannel")
    scores = scored(BackchannelSpec(), take.annotated())
    assert scores["agent_per_min"].value == pytest.approx(4)
    assert scores["agent_at_phrase_end_rate"].value == 0.5


def test_an_untold_agents_backchannels_are_found_by_their_shape(tmp_path: Path) -> None:
    """Inside the user's speech; one that falls wholly into a silence of the user is an answer, however short."""
    session = heard(Take(tmp_path / "t", duration=60).annotated(), "user", (1.0, 10.0), (10.8, 20.0))
    session = heard(session, "agent", (10.1, 10.5), (15.0, 15.5), (21.0, 25.0))
    assert scored(BackchannelSpec(), session)["agent_per_min"].n == 1


@pytest.mark.parametrize("silent", ["user", "agent", "both"])
def test_silence_leaves_rates_undefined(tmp_path: Path, silent: str) -> None:
    """No user turns: no minute to count in. User turns and no backchannel: zero per minute, no placement."""
    take = Take(tmp_path / "t")
    if silent == "agent":
        take.say("user", 1.0, 5.0)
    if silent == "user":
        take.say("agent", 1.0, 5.0)
    scores = scored(BackchannelSpec(), take.annotated())
    assert scores["agent_per_min"].value == (0 if silent == "agent" else None)
    assert scores["agent_at_phrase_end_rate"].value is None
    assert scores["kept_floor_rate"].value is None


@pytest.mark.parametrize(("since", "derailed"), [(2.5, 1), (2.4, 0), (2.2, 0)])
def test_a_turn_of_which_half_lies_elsewhere_is_another_one(tmp_path: Path, since: float, derailed: int) -> None:
    """Of what was taken up to 3.5 s the mm-hm and the half second after it, 3.0 to 3.9 s, has 0.5 s: half of 1.0 s."""
    take = acknowledged(tmp_path / "t", 3.5)
    take.note(4.1, "turn_heard", "agent", heard_since=take.at(since), heard_until=take.at(3.5))
    take.say("agent", 4.5, 7.0)
    assert rates(take) == (0, 1 - derailed, derailed)


@pytest.mark.parametrize(("at", "share"), [(2.6, 1), (2.4, 0), (1.1, 0)])
def test_a_phrase_ends_half_a_second_before_its_silence(tmp_path: Path, at: float, share: float) -> None:
    """Of speech from 1 s to 3 s: its last half second is near the end, and nothing before."""
    take = Take(tmp_path / "t")
    take.say("user", 1.0, 3.0)
    take.say("user", 4.0, 6.0)
    take.say("agent", at, at + 0.2, role="backchannel", text="mm-hm")
    assert scored(BackchannelSpec(), take.annotated())["agent_at_phrase_end_rate"].value == share


SAMPLE = 1 / RATE


@pytest.mark.parametrize(
    ("until", "stop", "kept"),
    [(3.4, 4.0, 1), (3.4, 4.0 - SAMPLE, 0), (3.8, 4.3, 1), (3.8, 4.3 - SAMPLE, 0), (3.8, 4.1, 0)],
)
def test_the_floor_is_kept_for_a_second_or_half_a_second_after_a_longer_one(
    tmp_path: Path, until: float, stop: float, kept: float
) -> None:
    """From an onset at 3 s to 4 s, or to 0.5 s after an end at 3.8 s: at that sample it is, one before it is not."""
    take = Take(tmp_path / "t")
    take.say("agent", 1.0, stop, cut=True, planned=9.0)
    take.say("user", 3.0, until, role="backchannel", text="mm-hm")
    assert rates(take) == (kept, 0, 1 - kept)
