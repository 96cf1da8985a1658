"""Barge-ins: whether the agent yields, how soon, what it does then, and which cases say nothing."""

from pathlib import Path

import pytest

from metrics.barge_in import BargeInSpec
from metrics.latency import LatencySpec
from simulator.score import Score
from simulator.testing.take import Take, heard, scored


def interrupted(folder: Path, stop: float, *, cut: bool = True, duration: float = 20.0) -> Take:
    """The agent speaks from 1 s to `stop`; the user barges in from 3 s to 4 s."""
    take = Take(folder, duration)
    take.say("agent", 1.0, stop, cut=cut, planned=9.0)
    take.say("user", 3.0, 4.0, role="interruption")
    return take


def test_an_agent_that_is_cut_soon_after_the_onset_yields(tmp_path: Path) -> None:
    """Yield latency: from the first sound of the interruption to the last of the agent's."""
    scores = scored(BargeInSpec(), interrupted(tmp_path / "t", 3.6).annotated())
    assert (scores["yield_rate"].value, scores["talked_through_rate"].value) == (1, 0)
    assert scores["yield_latency_p50_s"].value == pytest.approx(0.6)
    item = scores["yield_rate"].evidence[0]
    assert (item.start, item.end, item.party, item.label) == (
        3 * 16000,
        round(3.6 * 16000),
        "agent",
        "yielded",
    )


def test_an_agent_that_speaks_on_for_two_seconds_talks_through(tmp_path: Path) -> None:
    """Also when it is cut later, or ends by itself later."""
    for index, cut in enumerate((True, False)):
        scores = scored(BargeInSpec(), interrupted(tmp_path / str(index), 5.5, cut=cut).annotated())
        assert (scores["yield_rate"].value, scores["talked_through_rate"].value) == (0, 1)
        assert (scores["yield_latency_p50_s"].value, scores["yield_latency_p50_s"].reason) == (
            None,
            "the agent yielded to no barge-in",
        )


@pytest.mark.parametrize(("stop", "decided"), [(3.5, 0), (4.2, 1)])
def test_an_end_that_was_planned_is_no_yield(tmp_path: Path, stop: float, decided: int) -> None:
    """Within 1 s of the onset nobody can tell; after 1 s the agent had heard it and talked through."""
    score = scored(BargeInSpec(), interrupted(tmp_path / "t", stop, cut=False).annotated())["yield_rate"]
    assert (score.n, score.value) == (decided, 0 if decided else None)
    assert decided or score.reason == "no barge-in was decided: the agent's speech ended by itself"


def test_the_end_of_the_session_decides_nothing(tmp_path: Path) -> None:
    """The agent was speaking when the recording ended, less than 2 s after the onset."""
    score = scored(BargeInSpec(), interrupted(tmp_path / "t", 9.0, duration=4.5).annotated())["yield_rate"]
    assert (score.value, score.n) == (None, 0)


def test_an_interruption_of_a_silent_agent_is_no_case(tmp_path: Path) -> None:
    """Only what begins while the agent holds the floor asks the question."""
    take = Take(tmp_path / "t")
    take.say("agent", 1.0, 2.0)
    take.say("user", 3.0, 4.0, role="interruption")
    score = scored(BargeInSpec(), take.annotated())["yield_rate"]
    assert (score.value, score.reason) == (None, "the user did not barge in")


def test_a_turn_begun_over_the_agent_is_a_barge_in_but_a_collision_is_not(tmp_path: Path) -> None:
    """A turn that begins 200 ms or more after the agent did; both at once is nobody's barge-in."""
    take = Take(tmp_path / "t")
    take.say("agent", 1.0, 3.5, cut=True)
    take.say("user", 3.0, 5.0)
    take.say("agent", 8.0, 9.0, cut=True)
    take.say("user", 8.1, 10.0)
    assert scored(BargeInSpec(), take.annotated())["yield_rate"].n == 1


def test_backchannels_and_asides_are_no_barge_ins(tmp_path: Path) -> None:
    """They want no floor."""
    take = Take(tmp_path / "t")
    take.say("agent", 1.0, 9.0)
    take.say("user", 3.0, 3.4, role="backchannel")
    take.say("user", 6.0, 7.0, role="aside")
    assert scored(BargeInSpec(), take.annotated())["yield_rate"].n == 0


def test_an_interruption_in_the_agents_own_pause_is_one(tmp_path: Path) -> None:
    """The told utterance goes on through its pause: the agent held the floor, and stopped at once."""
    take = Take(tmp_path / "t")
    take.say("agent", 1.0, 3.4, pauses=((2.9, 3.4),), cut=True, planned=6.0)
    take.say("user", 3.0, 4.0, role="interruption")
    assert scored(BargeInSpec(), take.annotated())["yield_latency_p50_s"].value == 0


def test_coming_back_is_told_apart_from_falling_dead(tmp_path: Path) -> None:
    """Within 4 s of the end of the user's turn the agent speaks again, or it does not."""
    back = interrupted(tmp_path / "back", 3.5)
    back.say("agent", 5.0, 7.0)
    dead = interrupted(tmp_path / "dead", 3.5)
    over = interrupted(tmp_path / "over", 3.5, duration=6.0)
    values = [scored(BargeInSpec(), take.annotated())["resume_rate"] for take in (back, dead, over)]
    assert [score.value for score in values] == [1, 0, None]
    assert values[2].reason == "the session ended before the agent could resume"


def test_speaking_again_over_the_user_is_a_false_start(tmp_path: Path) -> None:
    """It stopped, and began anew before the user's turn was over."""
    take = Take(tmp_path / "t")
    take.say("agent", 1.0, 3.4, cut=True)
    take.say("user", 3.0, 6.0, role="interruption")
    take.say("agent", 5.0, 5.4, cut=True)
    take.say("agent", 6.5, 8.0)
    scores = scored(BargeInSpec(), take.annotated())
    assert (scores["false_start_rate"].value, scores["resume_rate"].value) == (1, 1)


def test_lines_queued_one_behind_the_other_are_one_hold(tmp_path: Path) -> None:
    """An agent that goes from sentence to sentence did not stop between them."""
    take = Take(tmp_path / "t")
    take.say("agent", 1.0, 3.2)
    take.say("agent", 3.25, 7.0)
    take.say("user", 3.0, 4.0, role="interruption")
    assert scored(BargeInSpec(), take.annotated())["talked_through_rate"].value == 1


def test_an_untold_agent_is_judged_by_its_sound(tmp_path: Path) -> None:
    """A stop over an injected interruption is a yield; one within 120 ms was under way already."""
    take = Take(tmp_path / "t")
    take.say("user", 3.0, 4.0, role="interruption")
    take.say("user", 10.0, 11.0, role="interruption")
    session = heard(take.annotated(), "agent", (1.0, 3.7), (8.0, 10.1))
    scores = scored(BargeInSpec(), session)
    assert scores["yield_latency_p50_s"].parts["values"] == pytest.approx([0.7])
    assert [item.label for item in scores["yield_rate"].evidence] == ["yielded", "coincident"]


def test_rates_of_decided_cases_add_up(tmp_path: Path) -> None:
    """yield_rate + talked_through_rate = 1, whatever was undecided."""
    take = Take(tmp_path / "t", duration=60)
    for index, (stop, cut) in enumerate([(3.5, True), (5.5, False), (3.4, False), (3.9, True)]):
        at = 12 * index
        take.say("agent", at + 1.0, at + stop, cut=cut)
        take.say("user", at + 3.0, at + 4.0, role="interruption")
    scores = scored(BargeInSpec(), take.annotated())
    assert scores["yield_rate"].n == 3
    assert (scores["yield_rate"].value or 0) + (scores["talked_through_rate"].value or 0) == pytest.approx(1)
    assert len(scores["yield_rate"].evidence) == 4


def test_an_ordinary_overlap_at_an_untold_end_is_no_yield(tmp_path: Path) -> None:
    """People begin before the other's end all the time: who nobody told of may have finished. A told agent had."""
    spoken = [(9 * index + 1.0, 9 * index + 4.0) for index in range(4)]
    told, untold = Take(tmp_path / "told", duration=40), Take(tmp_path / "untold", duration=40)
    for (start, end), overlap_s in zip(spoken, (0.2, 0.4, 0.8, 1.5), strict=True):
        told.say("agent", start, end)
        for take in (told, untold):
            take.say("user", end - overlap_s, end + 2)
    scores = scored(BargeInSpec(), heard(untold.annotated(), "agent", *spoken))
    assert scores["yield_rate"].value is None and scores["undecided_rate"].value == 1
    assert {item.label for item in scores["undecided_rate"].evidence} == {"undecided"}
    scores = scored(BargeInSpec(), told.annotated())
    assert scores["yield_rate"].value == 0  # the one that was spoken over for 1.5 s was talked through
    assert scores["undecided_rate"].value == 0  # the others ended by themselves, which is known


@pytest.mark.parametrize(("cut", "label"), [(True, "yielded"), (False, "ended by itself")])
def test_a_far_ends_account_of_its_audio_tells(tmp_path: Path, cut: bool, label: str) -> None:
    """A remote agent that was cancelled or truncated is as good as one whose plan is known."""
    take = Take(tmp_path / "t")
    take.say("user", 3.0, 4.0)
    take.note(3.6, "audio_end", "agent", id="item", said_samples=take.at(2.6), cut=cut)
    scores = scored(BargeInSpec(), heard(take.annotated(), "agent", (1.0, 3.6)))
    assert [item.label for item in scores["yield_rate"].evidence] == [label]


@pytest.mark.parametrize(("heard_since", "label"), [(None, "coincident"), (3.0, "coincident"), (3.5, "yielded")])
def test_a_stop_is_credited_to_what_caused_it(tmp_path: Path, heard_since: float | None, label: str) -> None:
    """An agent that had been hearing a mm-hm when the interruption came did not yield to it; what it tells decides."""
    take = Take(tmp_path / "t")
    take.say("agent", 1.0, 3.685, cut=True, planned=9.0)
    take.say("user", 3.0, 3.4, role="backchannel")
    take.say("user", 3.5, 4.5, role="interruption")
    if heard_since is not None:
        take.note(3.685, "yielded", "agent", heard_since=take.at(heard_since), said_text="")
    assert [item.label for item in scored(BargeInSpec(), take.annotated())["yield_rate"].evidence] == [label]


def deciding(folder: Path, *decisions: tuple[float, str, str]) -> dict[str, Score]:
    """A barge-in at 3 s that silences the agent at 4.2 s, and what was told of decisions meanwhile."""
    take = interrupted(folder, 4.2)
    for at, by, choice in decisions:
        take.note(at, "decision", "agent", by=by, choice=choice)
    return scored(BargeInSpec(), take.annotated())


@pytest.mark.parametrize(("by", "choice"), [("model", "listen"), ("overlap", "barge_in")])
def test_the_decision_to_give_way_is_told_apart_from_the_stop(tmp_path: Path, by: str, choice: str) -> None:
    """From the onset to the first decision that lets the user in: 0.4 s, and 1.2 s until it can be heard."""
    told = [(2.5, "model", "listen"), (2.6, "model", "speak"), (3.2, "overlap", "listen"), (3.4, by, choice)]
    scores = deciding(tmp_path / "t", *told, (3.9, "model", "listen"))
    assert scores["decision_latency_p50_s"].value == pytest.approx(0.4)
    assert scores["yield_latency_p50_s"].value == pytest.approx(1.2)
    (item,) = scores["decision_latency_p50_s"].evidence
    assert (item.start, item.end, item.party, item.label) == (3 * 16000, round(3.4 * 16000), "agent", "decided")


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ((), "nobody tells what the agent decides"),
        (((3.4, "overlap", "drop"),), "no decision to give way was told between a barge-in and the stop"),
        (((4.6, "model", "listen"),), "no decision to give way was told between a barge-in and the stop"),
    ],
)
def test_without_a_decision_there_is_no_latency_of_one(
    tmp_path: Path, told: tuple[tuple[float, str, str], ...], reason: str
) -> None:
    """Nobody tells any, or none that gives way in time; what is heard is measured all the same."""
    scores = deciding(tmp_path / "t", *told)
    assert (scores["decision_latency_p50_s"].value, scores["decision_latency_p50_s"].reason) == (None, reason)
    assert scores["yield_latency_p50_s"].value == pytest.approx(1.2)


def test_an_agent_that_did_not_yield_has_no_decision_latency(tmp_path: Path) -> None:
    """Whatever it decided: it talked through."""
    take = interrupted(tmp_path / "t", 6.0, cut=False)
    take.note(3.4, "decision", "agent", by="model", choice="listen")
    score = scored(BargeInSpec(), take.annotated())["decision_latency_p50_s"]
    assert (score.value, score.reason) == (None, "the agent yielded to no barge-in")


def test_an_account_that_does_not_tell_how_it_ended_decides_nothing(tmp_path: Path) -> None:
    """No more sound came and nobody said that the turn was over: over an ordinary turn that is undecided."""
    take = Take(tmp_path / "t")
    take.say("user", 3.0, 4.0)
    take.note(3.6, "audio_end", "agent", id="item", said_samples=take.at(2.6))
    scores = scored(BargeInSpec(), heard(take.annotated(), "agent", (1.0, 3.6)))
    assert [item.label for item in scores["yield_rate"].evidence] == ["undecided"]
    assert scores["undecided_rate"].value == 1
    assert scores["told_rate"].value == 0


@pytest.mark.parametrize(("told", "label"), [(3.92, "yielded"), (3.95, "coincident")])
def test_a_stop_may_be_told_a_quarter_of_a_second_late(tmp_path: Path, told: float, label: str) -> None:
    """The agent's last sound is at 3.685 s: what is told until 3.935 s is told of that stop, and nothing later."""
    take = Take(tmp_path / "t")
    take.say("agent", 1.0, 3.685, cut=True, planned=9.0)
    take.say("user", 3.0, 3.4, role="backchannel")
    take.say("user", 3.5, 4.5, role="interruption")
    take.note(told, "yielded", "agent", heard_since=take.at(3.5), said_text="")
    assert [item.label for item in scored(BargeInSpec(), take.annotated())["yield_rate"].evidence] == [label]


def test_a_barge_in_with_a_pause_is_one_over_an_agent_that_breathes(tmp_path: Path) -> None:
    """Who goes on with what it was saying after a breath takes no floor, so the user's turn stays one."""
    session = heard(Take(tmp_path / "t").session(), "user", (1.5, 2.2), (2.8, 3.6))
    score = scored(BargeInSpec(), heard(session, "agent", (0.0, 2.0), (2.3, 4.2), (4.4, 8.0)))["yield_rate"]
    assert [item.label for item in score.evidence] == ["talked through"]


def test_a_quick_answer_between_two_questions_is_no_barge_in(tmp_path: Path) -> None:
    """It lies in the agent's silence, however short that is, and the agent's next words are a turn of their own."""
    session = heard(Take(tmp_path / "t").session(), "user", (5.15, 5.38), (5.95, 7.0))
    session = heard(session, "agent", (3.0, 5.0), (5.45, 5.85), (7.2, 8.0))
    assert scored(BargeInSpec(), session)["yield_rate"].reason == "the user did not barge in"
    assert scored(LatencySpec(), session)["response_mean_s"].value == pytest.approx((0.07 + 0.2) / 2)
