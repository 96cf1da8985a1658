"""Every scorer of ours on any conversation there could be: no crash, no made-up number, parts that add up."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.events import Event, Party
from simulator.intervals.observations import Origin
from simulator.plugins import load
from simulator.score import Score, from_parts
from simulator.scoring.pooling import pool
from simulator.scoring.scorer import DEFAULT_SCORERS
from simulator.session import FORMAT, Session, SessionMeta
from simulator.sound.recordings import Recording
from simulator.speech import PartySpeech, Segment, Speech, SpokenWord

RATE = 1000
LENGTH = 30_000

SPANS = st.lists(st.tuples(st.integers(0, LENGTH - 1), st.integers(50, 6_000)), max_size=7)
ROLES = st.sampled_from(["turn", "interruption", "backchannel", "aside"])


@st.composite
def parties(draw: Any, party: Party) -> tuple[PartySpeech, list[Event]]:
    """A party that is told, or heard only, or both; any spans, any roles, cut or not."""
    segments: list[Segment] = []
    utterances: list[Segment] = []
    words: list[SpokenWord] = []
    events: list[Event] = []
    for index, (start, length) in enumerate(sorted(draw(SPANS))):
        end = min(LENGTH, start + length)
        if draw(st.booleans()):
            name, role, cut = f"{party}-{index}", draw(ROLES), draw(st.booleans())
            segments.append(Segment(start=start, end=end, source="truth", id=name, role=role))
            utterances.append(Segment(start=start, end=end, source="truth", id=name, role=role, text="a word"))
            words.append(SpokenWord(text="word", start=start, end=end, source="truth", id=name, cut=cut))
            events.append(Event(end, "speech_end", party, {"id": name, "cut": cut, "said_samples": length}))
        else:
            segments.append(Segment(start=start, end=end, source="vad"))
    speech = PartySpeech(
        segments=tuple(segments), utterances=tuple(utterances), words=tuple(words), recognised=tuple(utterances)
    )
    return speech, events


@st.composite
def sessions(draw: Any) -> Session:
    """Two such parties, what the agent says it heard, and voices on the line."""
    user, told_by_user = draw(parties("user"))
    agent, told_by_agent = draw(parties("agent"))
    events = [*told_by_user, *told_by_agent]
    for start, length in draw(SPANS):
        kind = draw(st.sampled_from(["turn_heard", "recognised", "talker"]))
        end = min(LENGTH, start + length)
        data = (
            {"direction": "user_to_agent", "until": end}
            if kind == "talker"
            else {"heard_since": start, "heard_until": end, "text": "a word or two"}
        )
        events.append(Event(start if kind == "talker" else end, kind, "line" if kind == "talker" else "agent", data))
    return session(Speech(user=user, agent=agent), sorted(events, key=lambda event: event.at))


def session(speech: Speech, events: list[Event], length: int = LENGTH) -> Session:
    meta = SessionMeta(format=FORMAT, id="any", scenario="any", sample_rate=RATE, frame_ms=20)
    audio = Recording(Path("none.wav"), channels=(0, 1), sample_rate=RATE, length=length, width=2)
    return Session(Path("none"), meta, audio=audio, events=tuple(events), speech=speech)


def scores_of(which: Session) -> dict[str, Score]:
    found: dict[str, Score] = {}
    for name in DEFAULT_SCORERS:
        scorer = load("scorers", name)().build()
        scores = scorer.score(which)
        assert [score.id for score in scores] == list(scorer.definitions)
        for score in scores:
            again = from_parts(scorer.definitions[score.id], score.parts, reason="none")
            assert again.value == score.value
            assert pool(scorer.definitions[score.id], [score], [Origin("any")]).value == score.value
            found[score.id] = score
    return found


@settings(max_examples=120, deadline=None)
@given(sessions())
def test_any_conversation_is_scored_without_a_made_up_number(which: Session) -> None:
    """Undefined has a reason, shares lie in [0, 1], evidence in the session, and everything is JSON."""
    for score in scores_of(which).values():
        assert (score.value is None) == (score.reason is not None), score.id
        if score.value is not None and score.unit == "ratio" and not score.id.endswith("_wer"):
            assert 0 <= score.value <= 1, score.id
        assert all(0 <= item.start <= item.end <= LENGTH for item in score.evidence), score.id
        msgspec.json.encode(score)


@settings(max_examples=120, deadline=None)
@given(sessions())
def test_cases_are_shared_out_without_rest(which: Session) -> None:
    """Outcomes that exclude each other add up to 1, overlaps within and at a change to all overlaps."""
    scores = scores_of(which)
    for together in (
        ("barge_in.yield_rate", "barge_in.talked_through_rate"),
        ("backchannel.kept_floor_rate", "backchannel.resumed_rate", "backchannel.derailed_rate"),
    ):
        values = [scores[name].value for name in together]
        assert values[0] is None or sum(value or 0 for value in values) == pytest.approx(1)
    inside, change, whole = (scores[f"turns.overlap{kind}_s_per_min"].value or 0 for kind in ("_within", "_change", ""))
    assert inside + change == pytest.approx(whole)
    shares = {name: scores[f"turns.{name}_share"].value or 0 for name in ("silence", "user", "agent", "talk_over")}
    assert shares["silence"] + shares["user"] + shares["agent"] - shares["talk_over"] == pytest.approx(1)


@settings(max_examples=60, deadline=None)
@given(sessions())
def test_scoring_is_a_pure_function(which: Session) -> None:
    """The same session scores the same again, whatever was scored in between."""
    first = scores_of(which)
    scores_of(session(Speech(), []))
    assert scores_of(which) == first


def test_a_session_of_no_length_is_scored() -> None:
    """A recording that ended before it began: everything is undefined, nothing fails."""
    scores = scores_of(session(Speech(), [], length=0))
    assert all(score.value is None for score in scores.values())
