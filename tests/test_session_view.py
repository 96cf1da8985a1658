"""A session as assertions in Python see it: turns, calls, overlaps and barge-ins, in seconds."""

from pathlib import Path

import pytest

from simulator.results import told_conversation, view_session
from simulator.results.judged import Judged, write_judged
from simulator.results.session_view import SessionView
from simulator.score import Score
from simulator.speech import PartySpeech, Segment, SpokenWord
from simulator.testing import Take


@pytest.fixture
def view(tmp_path: Path) -> SessionView:
    """A call: two turns each, a barge-in that the agent yields to after 0.5 s, a backchannel, a call of a tool."""
    take = Take(tmp_path / "call-0")
    take.say("user", 1.0, 2.0, text="Where is it?")
    take.say("agent", 2.5, 6.0, text="It is on its way to you", cut=True, planned=8.0,
             words=[("It", 2.5), ("is", 3.0), ("on", 3.5)])  # fmt: skip
    take.say("user", 3.2, 3.6, role="backchannel", text="mm-hm")
    take.say("user", 5.5, 7.0, role="interruption", text="When?")
    take.say("agent", 8.0, 9.0, text="Tomorrow.")
    take.note(2.1, "tool_call", "agent", id="c1", name="lookup_order", arguments={"order": "12"})
    take.note(2.3, "tool_result", "agent", id="c1", name="lookup_order", answer={"status": "sent"})
    take.note(9.5, "tool_call", "agent", id="c2", name="hang", arguments={})
    take.session()
    write_judged(tmp_path / "call-0", Judged(scores=[Score(id="latency.response_p50_s", value=0.5, unit="s", n=2)]))
    return view_session(tmp_path / "call-0")


def test_turns_have_the_words_that_were_said(view: SessionView) -> None:
    """A turn said whole has its text, one that was cut the words before the cut; a backchannel is no turn."""
    assert [turn.text for turn in view.user.turns] == ["Where is it?", "When?"]
    assert [turn.text for turn in view.agent.turns] == ["It is on", "Tomorrow."]
    assert [turn.cut for turn in view.agent.turns] == [True, False]
    assert [item.role for item in view.user.said] == ["turn", "backchannel", "interruption"]


def test_times_are_seconds_of_the_session(view: SessionView) -> None:
    """To the sample of what the take was made of: overlaps, turns, the end."""
    first = view.user.turns[0]
    assert (first.start_s, first.end_s, view.duration_s) == (pytest.approx(1.0), pytest.approx(2.0), 20.0)
    assert [(item.start_s, item.duration_s) for item in view.overlaps] == [
        (pytest.approx(3.2), pytest.approx(0.4)), (pytest.approx(5.5), pytest.approx(0.5))
    ]  # fmt: skip


def test_a_barge_in_tells_how_soon_the_agent_fell_silent(view: SessionView) -> None:
    """From the user's first sound at 5.5 s to the agent's last at 6 s."""
    (barge_in,) = view.barge_ins
    assert (barge_in.outcome, barge_in.text) == ("yielded", "When?")
    assert barge_in.yield_latency_s == pytest.approx(0.5)


def test_calls_are_found_by_name_and_by_caller(view: SessionView) -> None:
    """With arguments, answer and times; a call that was never answered has neither."""
    (call,) = view.calls("lookup_order")
    assert (call.arguments, call.answer) == ({"order": "12"}, {"status": "sent"})
    assert (call.at_s, call.answered_s) == (pytest.approx(2.1), pytest.approx(2.3))
    assert view.calls("lookup_order", by="user") == () and len(view.calls()) == 2
    assert view.calls("hang")[0].answered_s is None


def test_a_metric_that_was_not_measured_is_named(view: SessionView) -> None:
    """A typing error in a metric's name must not pass as an undefined value."""
    assert view.value("latency.response_p50_s") == 0.5
    with pytest.raises(KeyError, match=r"was not scored by latency\.p50"):
        view.value("latency.p50")


def test_the_conversation_as_text_has_every_line_at_its_time(view: SessionView) -> None:
    """In the order of time, with roles, cuts, calls and barge-ins."""
    lines = told_conversation(view).splitlines()
    assert [line.split()[0] for line in lines] == ["1.00", "2.10", "2.50", "3.20", "5.50", "5.50", "8.00", "9.50"]
    assert lines[2].endswith("agent  It is on  [cut]") and "mm-hm  [backchannel]" in lines[3]
    assert 'calls lookup_order({"order":"12"})' in lines[1] and "yielded, 0.50 s later" in "".join(lines[4:6])


def test_words_belong_to_the_speech_they_lie_in() -> None:
    """A recogniser places words some ms before their sound, or over a pause: none is lost, none is in two stretches."""

    def word(text: str, start: int, end: int) -> SpokenWord:
        return SpokenWord(text=text, start=start, end=end, source="asr")

    segments = [Segment(start=start, end=end, source="vad") for start, end in ((100, 200), (250, 300))]
    words = (word("early", 90, 130), word("late", 180, 210), word("over", 195, 280), word("nowhere", 400, 420))
    speech = PartySpeech(segments=tuple(segments), words=words)
    found = [[word.text for word in speech.words_within(*at)] for at in ((100, 200), (250, 300), (100, 300), (0, 500))]
    assert found == [["early", "late"], ["over"], ["early", "late", "over"], ["early", "late", "over", "nowhere"]]
