"""Response latency: from the user's last sound to the agent's first, and every way not to answer."""

from pathlib import Path

import pytest

from metrics.latency import LatencySpec
from simulator.testing.take import RATE, Take, heard, scored


def test_latency_is_from_last_to_first_sound(tmp_path: Path) -> None:
    """Silence planned at the edges of utterances is in the latency, as it is in the user's wait."""
    take = Take(tmp_path / "t")
    take.say("user", 1.0, 3.0, pauses=((2.8, 3.0),))
    take.say("agent", 3.3, 6.0, pauses=((3.3, 3.5),))
    scores = scored(LatencySpec(), take.annotated())
    assert scores["response_p50_s"].value == pytest.approx(0.7)
    item = scores["response_p50_s"].evidence[0]
    assert (item.start, item.end, item.party) == (take.at(2.8), take.at(3.5), "agent")


def test_a_short_overlap_is_a_negative_latency(tmp_path: Path) -> None:
    """Up to 0.5 s before the end is a smooth overlap; nothing is clipped at zero."""
    take = Take(tmp_path / "t")
    take.say("user", 1.0, 4.0)
    take.say("agent", 3.6, 6.0)
    scores = scored(LatencySpec(), take.annotated())
    assert scores["response_p50_s"].value == pytest.approx(-0.4)
    assert scores["early_rate"].value == 0


def test_an_earlier_start_is_early_and_no_fast_answer(tmp_path: Path) -> None:
    """The agent began 1 s before the end and talked on: early, not answered, not unanswered."""
    take = Take(tmp_path / "t")
    take.say("user", 1.0, 4.0)
    take.say("agent", 3.0, 6.0)
    scores = scored(LatencySpec(), take.annotated())
    assert scores["response_p50_s"].value is None
    assert (scores["early_rate"].value, scores["unanswered_rate"].value) == (1, 0)


@pytest.mark.parametrize(("start", "early"), [(3.5, 0), (3.5 - 1 / RATE, 1)])
def test_half_a_second_before_the_end_is_an_answer_and_a_sample_earlier_is_early(
    tmp_path: Path, start: float, early: float
) -> None:
    """The user ends at 4 s; both talk on past it."""
    take = Take(tmp_path / "t")
    take.say("user", 1.0, 4.0)
    take.say("agent", start, 6.0)
    scores = scored(LatencySpec(), take.annotated())
    assert (scores["early_rate"].value, scores["response_p50_s"].value) == (early, None if early else -0.5)


def test_an_early_start_may_still_be_followed_by_an_answer(tmp_path: Path) -> None:
    """It yielded, and answered after the end: early and answered."""
    take = Take(tmp_path / "t")
    take.say("user", 1.0, 5.0)
    take.say("agent", 3.0, 3.5, cut=True, planned=6.0)
    take.say("agent", 5.6, 7.0)
    scores = scored(LatencySpec(), take.annotated())
    assert (scores["early_rate"].value, scores["response_p50_s"].value) == (1, pytest.approx(0.6))


def test_a_collision_of_starts_is_not_early(tmp_path: Path) -> None:
    """What the agent begins within 200 ms of the user is no reaction to this turn."""
    take = Take(tmp_path / "t")
    take.say("user", 1.0, 3.0)
    take.say("agent", 1.1, 1.5, cut=True, planned=3.0)
    take.say("agent", 3.4, 5.0)
    scores = scored(LatencySpec(), take.annotated())
    assert (scores["early_rate"].value, scores["response_p50_s"].value) == (0, pytest.approx(0.4))


def test_a_late_answer_counts_as_answered_and_late(tmp_path: Path) -> None:
    """2.75 s and more are late; the value stays in the latencies."""
    take = Take(tmp_path / "t")
    take.say("user", 1.0, 2.0)
    take.say("agent", 5.0, 6.0)
    scores = scored(LatencySpec(), take.annotated())
    assert (scores["late_rate"].value, scores["response_p50_s"].value, scores["unanswered_rate"].value) == (
        1,
        3.0,
        0,
    )


def test_a_turn_without_an_answer_before_the_next_is_unanswered(tmp_path: Path) -> None:
    """The next turn of the user ends the wait; the answer to that one belongs to it."""
    take = Take(tmp_path / "t")
    take.say("user", 1.0, 2.0)
    take.say("user", 6.0, 7.0)
    take.say("agent", 7.5, 9.0)
    scores = scored(LatencySpec(), take.annotated())
    assert (scores["unanswered_rate"].value, scores["unanswered_rate"].n) == (0.5, 2)
    assert scores["response_p50_s"].parts["values"] == [0.5]


def test_what_the_agent_was_saying_already_is_no_answer(tmp_path: Path) -> None:
    """It talked through the user's turn and began nothing after it."""
    take = Take(tmp_path / "t")
    take.say("agent", 0.5, 6.0)
    take.say("user", 2.0, 3.0)
    assert scored(LatencySpec(), take.annotated())["unanswered_rate"].value == 1


@pytest.mark.parametrize(("duration", "n"), [(5.0, 0), (6.0, 1)])
def test_a_last_turn_close_to_the_end_is_censored(tmp_path: Path, duration: float, n: int) -> None:
    """With less than `late` left to answer in, no answer is no fact; then the rate is undefined, not zero."""
    take = Take(tmp_path / "t", duration=duration)
    take.say("user", 1.0, 3.0)
    score = scored(LatencySpec(), take.annotated())["unanswered_rate"]
    assert score.n == n
    assert score.value == (1 if n else None)


def test_a_turn_that_the_session_cuts_off_is_censored(tmp_path: Path) -> None:
    """The user was still speaking."""
    take = Take(tmp_path / "t", duration=5)
    take.say("user", 3.0, 9.0)
    score = scored(LatencySpec(), take.annotated())["unanswered_rate"]
    assert (score.value, score.reason) == (None, "every user turn was cut off by the end of the session")


def test_utterances_close_together_are_one_turn(tmp_path: Path) -> None:
    """Less than 1 s apart and the agent silent: the answer is measured from the end of the last."""
    take = Take(tmp_path / "t")
    take.say("user", 1.0, 2.0)
    take.say("user", 2.9, 4.0)
    take.say("agent", 4.5, 6.0)
    scores = scored(LatencySpec(), take.annotated())
    assert scores["response_p50_s"].parts["values"] == [0.5]
    assert scores["unanswered_rate"].n == 1


def test_backchannels_and_asides_are_not_answered(tmp_path: Path) -> None:
    """They are no turns: nothing is waited for after them."""
    take = Take(tmp_path / "t")
    take.say("agent", 1.0, 4.0)
    take.say("user", 2.0, 2.4, role="backchannel")
    take.say("user", 5.0, 6.0, role="aside")
    score = scored(LatencySpec(), take.annotated())["unanswered_rate"]
    assert (score.value, score.reason) == (None, "the user took no turn")


def test_a_backchannel_of_the_agent_is_no_answer(tmp_path: Path) -> None:
    """Known by its role, it neither answers nor comes early."""
    take = Take(tmp_path / "t")
    take.say("user", 1.0, 5.0)
    take.say("agent", 3.0, 3.4, role="backchannel")
    take.say("agent", 5.8, 7.0)
    scores = scored(LatencySpec(), take.annotated())
    assert (scores["early_rate"].value, scores["response_p50_s"].value) == (0, pytest.approx(0.8))


@pytest.mark.parametrize("silent", ["user", "agent"])
def test_a_silent_party_leaves_latency_undefined(tmp_path: Path, silent: str) -> None:
    """Nobody to wait, or nobody to wait for."""
    take = Take(tmp_path / "t")
    take.say("agent" if silent == "user" else "user", 1.0, 3.0)
    scores = scored(LatencySpec(), take.annotated())
    assert scores["response_p50_s"].value is None
    assert scores["unanswered_rate"].value == (None if silent == "user" else 1)


def test_without_truth_the_same_answer_is_found(tmp_path: Path) -> None:
    """Ipus stand in for utterances: pauses under 1 s join, isolated short speech over the agent is a backchannel."""
    session = Take(tmp_path / "t").annotated()
    session = heard(session, "user", (1.0, 2.0), (2.6, 4.0), (7.0, 7.4), (12.0, 13.0))
    session = heard(session, "agent", (4.5, 9.0), (13.4, 15.0))
    assert scored(LatencySpec(), session)["response_p50_s"].parts["values"] == pytest.approx([0.5, 0.4])


def test_without_truth_going_on_after_a_breath_is_no_new_answer(tmp_path: Path) -> None:
    """An agent talked through the user's turn with a pause of 0.3 s; 0.5 s of silence would make it begin anew."""
    session = heard(Take(tmp_path / "t").annotated(), "user", (3.0, 5.0))
    through = heard(session, "agent", (1.0, 4.0), (4.3, 8.0))
    anew = heard(session, "agent", (1.0, 3.5), (5.6, 8.0))
    assert scored(LatencySpec(), through)["unanswered_rate"].value == 1
    assert scored(LatencySpec(), anew)["response_p50_s"].parts["values"] == pytest.approx([0.6])


def test_an_agent_that_waits_out_a_long_pause_left_nothing_unanswered(tmp_path: Path) -> None:
    """Where nobody told of the turns: 2 s in which nobody spoke are inside one; 3.5 s are not."""
    session = heard(Take(tmp_path / "t", duration=40).annotated(), "user", (1.0, 3.0), (5.0, 7.0), (10.5, 12.0))
    scores = scored(LatencySpec(), heard(session, "agent", (12.5, 15.0)))
    assert scores["unanswered_rate"].parts == {"count": 1, "of": 2}
    assert scores["response_p50_s"].parts["values"] == pytest.approx([0.5])


def test_a_quick_word_after_a_question_is_an_answer(tmp_path: Path) -> None:
    """However short: it lies in the other's silence, and a backchannel lies in the other's speech."""
    session = heard(Take(tmp_path / "t", duration=20).annotated(), "user", (1.0, 3.0), (4.0, 6.0))
    scores = scored(LatencySpec(), heard(session, "agent", (3.2, 3.7), (6.2, 6.8)))
    assert scores["response_p50_s"].parts["values"] == pytest.approx([0.2, 0.2])


def test_who_stops_at_the_very_end_of_a_turn_has_talked_over_all_of_it(tmp_path: Path) -> None:
    """The last sample that is both parties' decides; the turn's end itself is nobody's any more."""
    take = Take(tmp_path / "t")
    take.say("user", 1.0, 4.0)
    take.say("agent", 3.0, 4.0)
    scores = scored(LatencySpec(), take.annotated())
    assert (scores["early_rate"].value, scores["unanswered_rate"].value) == (1, 0)
