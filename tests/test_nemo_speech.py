"""NeMo's speech rules against literal restatements, and their stated oddities."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics.compat.nemo.speech import (
    HEARD,
    MEANT,
    SpokenSample,
    agent_speech,
    token_balance,
    tts_hallucinations,
    user_speech,
)
from metrics.compat.nemo.text import TextSegment, normalize, word_errors

PAD = "<SPECIAL_12>"
BUFFER_S = 0.5


def tokens(frames: int, said: dict[int, str]) -> list[str]:
    """A stream of pads with tokens at some frames."""
    return [said.get(frame, PAD) for frame in range(frames)]


def sample(**fields: Any) -> SpokenSample:
    """A sample of 8 s without speech, but for what is given."""
    return SpokenSample([], [], {}, {}, {}, 8.0)._replace(**fields)


def test_words_heard_in_a_segment_reach_half_a_second_beyond_it() -> None:
    """Frames from the segment's start up to its end plus the buffer, the last one excluded."""
    turn = TextSegment(0.8, 1.6)
    heard = tokens(100, {9: " early", 10: " one", 20: " two", 25: " three", 26: " late"})
    found = user_speech(sample(user=[turn], user_texts={turn: "One two three"}, alignment={HEARD: heard}), BUFFER_S)
    assert found["per_segment"][0]["hypothesis"] == "one two three"
    assert found["total_wer"] == 0.0


def test_words_outside_have_the_onset_of_their_run() -> None:
    """A run begins at its first token, pads count; strict gives every word its own token's onset."""
    heard = tokens(100, {40: " far", 41: "away", 60: " word"})
    outside = sample(alignment={HEARD: heard})
    assert user_speech(outside, BUFFER_S)["out_of_bounds_words"] == [
        {"word": "faraway", "onset_time": 0.0},
        {"word": "word", "onset_time": 0.0},
    ]
    assert user_speech(outside, BUFFER_S, strict=True)["out_of_bounds_words"] == [
        {"word": "faraway", "onset_time": 40 * 0.08},
        {"word": "word", "onset_time": 60 * 0.08},
    ]


def test_blank_tokens_neither_begin_nor_end_a_run() -> None:
    """Empty and blank tokens are passed over."""
    found = user_speech(sample(alignment={HEARD: ["", " ", " a", "", " b"]}), BUFFER_S)
    assert found["out_of_bounds_words"] == [
        {"word": "a", "onset_time": 0.16},
        {"word": "b", "onset_time": 0.16},
    ]


def test_without_alignment_nothing_is_measured() -> None:
    """Rates are null, counts and balances 0."""
    empty = sample(agent=[TextSegment(0, 1)], user=[TextSegment(0, 1)])
    assert user_speech(empty, BUFFER_S)["total_wer"] is None
    assert user_speech(empty, BUFFER_S)["out_of_bounds_word_ratio"] is None
    assert agent_speech(empty, BUFFER_S)["total_cer"] is None
    assert tts_hallucinations(empty, BUFFER_S)["hallucination_rate"] is None
    assert token_balance({})["agent_balance"] == 0.0


def spoken(meant: str, heard: str) -> dict[str, Any]:
    """The scored agent segment of a text and what was recognised of it."""
    turn = TextSegment(0.0, 4.0)
    return agent_speech(sample(agent=[turn], agent_texts={turn: heard}, alignment={MEANT: [meant]}), BUFFER_S)


def test_a_reply_that_was_cut_off_is_compared_with_what_was_said() -> None:
    """The unspoken end is left out of words and characters and listed."""
    found = spoken("one two three four five six", "one two three")
    assert found["total_wer"] == 0.0
    assert found["total_cer"] == 0.0
    assert found["truncated_words"] == ["four", "five", "six"]
    assert found["truncation_events"] == 1
    assert found["total_ref_words"] == 3
    assert found["total_ref_chars"] == len("one two three")


def test_a_shorter_reply_that_does_not_fit_is_no_cut_off() -> None:
    """Trimming must leave less than 0.8 of the errors."""
    found = spoken("one two three four five", "three four five six")
    assert found["truncation_events"] == 0
    assert found["total_ref_words"] == 5


def test_an_unspoken_reply_is_all_deletions_and_no_characters() -> None:
    """WER 1 with every word truncated, but a CER without anything to count."""
    found = spoken("one two", "")
    assert found["total_wer"] == 1.0
    assert found["total_cer"] is None
    assert found["per_segment"][0]["cer"] == 0.0
    assert found["truncated_words"] == ["one", "two"]


def test_words_without_text_are_insertions() -> None:
    """Segment WER and CER 1, errors without a reference to divide by."""
    found = spoken("", "hello there")
    assert found["per_segment"][0]["wer"] == 1.0
    assert found["per_segment"][0]["cer"] == 1.0
    assert found["total_word_insertions"] == 2
    assert found["total_wer"] is None


def test_inserted_words_are_those_nowhere_in_the_segments_text() -> None:
    """A set of words decides, order and number do not; onsets are spread over the segment."""
    turn = TextSegment(1.0, 3.0)
    found = tts_hallucinations(
        sample(
            agent=[turn],
            agent_texts={turn: "b a b x"},
            alignment={MEANT: [" a", " b"], "frame_idx": [12, 13]},
        ),
        BUFFER_S,
    )
    assert found["hallucinations"] == [{"word": "x", "onset_time": 2.5, "segment_start": 1.0, "segment_end": 3.0}]
    assert found["hallucination_rate"] == 1 / 4


def test_symbol_balance() -> None:
    """(opened - closed) / both per side."""
    found = token_balance({MEANT: ["<s>", " a", "</s>", "<s>"], HEARD: ["</s>"]})
    assert found["agent_balance"] == pytest.approx(1 / 3)
    assert found["user_balance"] == -1.0


WORDS = st.sampled_from([" red", " green", " blue", "ish", "<s>", "</s>", "", " ", " It's"])


@st.composite
def rows(draw: st.DrawFn) -> SpokenSample:
    """A sample of 100 frames with words anywhere and up to three segments a side with texts."""
    said = st.dictionaries(st.integers(0, 99), WORDS, max_size=40)
    cells = st.lists(st.tuples(st.integers(0, 70), st.integers(1, 25)), max_size=3)
    texts = st.lists(st.sampled_from(["red", "green", "blue", "Red.", "its", ""]), max_size=5).map(" ".join)
    user = [TextSegment(a / 10, (a + b) / 10) for a, b in draw(cells)]
    agent = [TextSegment(a / 10, (a + b) / 10) for a, b in draw(cells)]
    return SpokenSample(
        user,
        agent,
        {one: draw(texts) for one in user},
        {one: draw(texts) for one in agent},
        {"frame_idx": list(range(100)), HEARD: tokens(100, draw(said)), MEANT: tokens(100, draw(said))},
        8.0,
    )


@given(rows(), st.sampled_from([0.5, 1.0]))
@settings(max_examples=60)
def test_totals_agree_with_the_definitions_restated(one: SpokenSample, buffer_s: float) -> None:
    """Error totals, words outside and inserted words equal those of a recount frame by frame."""

    def stream(name: str, segment: TextSegment) -> str:
        first, last = int(segment.start / 0.08), int((segment.end + buffer_s) / 0.08)
        return normalize("".join(one.alignment[name][frame] for frame in range(100) if first <= frame < last))

    errors = words = 0
    for segment in one.user:
        reference, hypothesis = normalize(one.user_texts[segment]), stream(HEARD, segment)
        errors += word_errors(reference, hypothesis).total
        words += len(reference.split())
    heard = user_speech(one, buffer_s)
    assert heard["total_wer"] == (errors / words if words else None)
    inside = {
        frame
        for segment in one.user
        for frame in range(int(max(0, segment.start - buffer_s) / 0.08), int((segment.end + buffer_s) / 0.08) + 1)
    }
    runs: list[str] = []
    text = ""
    for frame in range(101):
        if frame == 100 or frame in inside:
            runs, text = [*runs, text], ""
        else:
            text += one.alignment[HEARD][frame] if one.alignment[HEARD][frame].strip() else ""
    outside = [word for run in runs for word in normalize(run).split()]
    assert [entry["word"] for entry in heard["out_of_bounds_words"]] == outside
    assert heard["out_of_bounds_word_ratio"] == len(outside) / 8.0

    errors = words = inserted = said = 0
    for segment in one.agent:
        meant, spoken = stream(MEANT, segment).split(), normalize(one.agent_texts[segment]).split()
        inserted += sum(word not in meant for word in spoken)
        said += len(spoken)
        whole = word_errors(" ".join(meant), " ".join(spoken)).total
        if meant and 0 < len(spoken) < len(meant):
            cut = word_errors(" ".join(meant[: len(spoken)]), " ".join(spoken)).total
            if cut < 0.8 * whole:
                whole, meant = cut, meant[: len(spoken)]
        errors += whole
        words += len(meant)
    assert agent_speech(one, buffer_s)["total_wer"] == (errors / words if words else None)
    assert tts_hallucinations(one, buffer_s)["hallucination_rate"] == (inserted / said if said else 0.0)
