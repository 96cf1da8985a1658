"""Content: word errors of what the agent understood and of what it said, counted on known words."""

from pathlib import Path

import msgspec
import pytest

from metrics.content import ContentSpec
from metrics.wording import Distance, distances, normalised
from simulator.score import Score
from simulator.session import Session
from simulator.speech import Segment, SpokenWord
from simulator.testing.take import Take, scored


def words(text: str, start: float, end: float) -> list[tuple[str, float]]:
    """Spread the words of a text evenly over a stretch."""
    tokens = text.split()
    return [(token, start + index * (end - start) / len(tokens)) for index, token in enumerate(tokens)]


def user_says(take: Take, text: str, start: float, end: float, role: str = "turn") -> None:
    take.say("user", start, end, role, text=text, words=words(text, start, end))


def understood(take: Take, text: str, since: float, until: float) -> None:
    take.note(until + 0.6, "recognised", "agent", text=text, heard_since=take.at(since), heard_until=take.at(until))


def content(take: Take) -> dict[str, Score]:
    return scored(ContentSpec(), take.annotated())


def test_what_was_understood_is_held_against_what_was_said(tmp_path: Path) -> None:
    """One substitution in eight words, over two turns; the texts are in the evidence."""
    take = Take(tmp_path / "t")
    user_says(take, "I'd like to book a table", 1.0, 3.0)
    user_says(take, "for two people", 6.0, 7.0)
    understood(take, "I would like to book a cable.", 1.1, 3.1)
    understood(take, "For 2 people", 6.1, 7.1)
    scores = content(take)
    assert (scores["user_wer"].parts["count"], scores["user_wer"].n) == (1, 10)
    assert scores["user_wer"].evidence[0].label == "I'd like to book a table -> I would like to book a cable."
    assert scores["unheard_rate"].value == 0


def test_words_that_no_heard_turn_holds_are_unheard_and_no_errors(tmp_path: Path) -> None:
    """The second turn was never heard: its words count there, not as deletions."""
    take = Take(tmp_path / "t")
    user_says(take, "one two three", 1.0, 2.5)
    user_says(take, "four five six", 8.0, 9.5)
    understood(take, "one two three", 1.1, 2.5)
    scores = content(take)
    assert (scores["user_wer"].value, scores["unheard_rate"].value) == (0, 0.5)


def test_backchannels_may_go_unheard_but_count_where_they_were_heard(tmp_path: Path) -> None:
    """Everything audible in a heard turn was said; nobody must listen to an aside."""
    take = Take(tmp_path / "t")
    user_says(take, "not now dear", 3.0, 4.0, role="aside")
    user_says(take, "thank you", 8.0, 9.0)
    user_says(take, "right", 9.1, 9.4, role="backchannel")
    understood(take, "thank you right", 8.0, 9.5)
    scores = content(take)
    assert (scores["user_wer"].value, scores["user_wer"].n, scores["unheard_rate"].value) == (0, 3, 0)


def test_a_delayed_line_does_not_lose_the_first_words(tmp_path: Path) -> None:
    """The agent hears 0.4 s later; a word belongs to the heard turn nearest to its middle."""
    take = Take(tmp_path / "t")
    user_says(take, "one two three four", 1.0, 3.0)
    user_says(take, "five six", 5.0, 6.0)
    understood(take, "one two three four", 1.4, 3.4)
    understood(take, "five six", 5.4, 6.4)
    assert content(take)["user_wer"].value == 0


def test_the_last_words_before_the_end_are_not_expected(tmp_path: Path) -> None:
    """Within 3 s of the end of the session there was no time to take them in."""
    take = Take(tmp_path / "t", duration=10)
    user_says(take, "one two", 1.0, 2.0)
    user_says(take, "three four", 8.0, 9.0)
    understood(take, "one two", 1.0, 2.0)
    assert content(take)["unheard_rate"].value == 0


def test_words_understood_where_the_user_said_nothing_are_phantoms(tmp_path: Path) -> None:
    """Background talk that the agent took for the user's: no word errors, but three phantom words in 20 s."""
    take = Take(tmp_path / "t")
    user_says(take, "thank you", 1.0, 2.0)
    understood(take, "thank you", 1.0, 2.0)
    understood(take, "dinner is ready", 8.0, 9.0)
    understood(take, "Mm-hm.", 12.0, 12.4)
    scores = content(take)
    assert (scores["user_wer"].value, scores["phantom_words_per_min"].value) == (0, 9)


def test_transcripts_without_times_are_compared_as_one_text(tmp_path: Path) -> None:
    """Fragments are joined as they are; no times, so unheard_rate is undefined."""
    take = Take(tmp_path / "t")
    user_says(take, "hello there my friend", 1.0, 3.0)
    for at, text in ((2.0, "hello th"), (2.5, "ere my")):
        take.note(at, "transcript", "agent", of="user", text=text, fragment=True)
    take.note(4.0, "transcript", "agent", of="user", text="fiend")
    scores = content(take)
    assert scores["user_wer"].value == 0.25
    assert scores["unheard_rate"].value is None


def test_an_unknown_text_or_a_mute_agent_is_undefined(tmp_path: Path) -> None:
    """Nothing was told of what was said, or of what was understood."""
    silent = content(Take(tmp_path / "a"))
    assert {score.value for score in silent.values()} == {None}
    take = Take(tmp_path / "b")
    user_says(take, "hello", 1.0, 2.0)
    assert content(take)["user_wer"].reason == "the agent told nothing of what it understood"


def agent_session(take: Take, heard: str) -> Session:
    """Annotate, and let a recogniser hear this in the agent's only utterance."""
    session = take.annotated()
    agent = session.speech.agent
    recognised = tuple(msgspec.structs.replace(item, source="asr", text=heard) for item in agent.utterances)
    return session.with_speech(
        msgspec.structs.replace(session.speech, agent=msgspec.structs.replace(agent, recognised=recognised))
    )


def test_what_the_agent_meant_is_held_against_what_is_heard(tmp_path: Path) -> None:
    """Numbers, case and contractions are normalised before words are compared."""
    take = Take(tmp_path / "t")
    text = "That's twenty-five dollars, please."
    take.say("agent", 1.0, 3.0, text=text, words=words(text, 1.0, 3.0))
    score = scored(ContentSpec(), agent_session(take, "That is $25 cheese."))["agent_wer"]
    assert score.value == 0.25


@pytest.mark.parametrize("heard", ["one two three", "one two"])
def test_a_cut_utterance_is_held_against_what_was_said_of_it(tmp_path: Path, heard: str) -> None:
    """The words begun before the cut; the one that was running may be heard or not."""
    take = Take(tmp_path / "t")
    text = "one two three four five six"
    take.say("agent", 1.0, 3.5, text=text, words=words(text, 1.0, 7.0), cut=True, planned=7.0)
    assert scored(ContentSpec(), agent_session(take, heard))["agent_wer"].value == 0


def test_an_agent_of_transcripts_is_not_blamed_for_what_it_did_not_get_to_say(tmp_path: Path) -> None:
    """Words missing at the end of its text were cut off; a wrong word before counts."""
    session = Take(tmp_path / "t").annotated()
    spoken = tuple(
        SpokenWord(text=text, start=16000 * index, end=16000 * index + 8000, source="asr")
        for index, text in enumerate(["good", "morning", "sir"])
    )
    agent = msgspec.structs.replace(
        session.speech.agent, words=spoken, segments=(Segment(start=0, end=40000, source="vad"),)
    )
    take = Take(tmp_path / "u")
    take.note(1.0, "transcript", "agent", of="agent", text="Good evening sir and welcome to our house")
    told = take.annotated()
    told = told.with_speech(msgspec.structs.replace(session.speech, agent=agent))
    score = scored(ContentSpec(), told)["agent_wer"]
    assert (score.parts["count"], score.n) == (1, 3)


def test_without_a_recogniser_the_agents_speech_is_undefined(tmp_path: Path) -> None:
    """Its text is known, its sound was never recognised."""
    take = Take(tmp_path / "t")
    take.say("agent", 1.0, 3.0)
    score = content(take)["agent_wer"]
    assert (score.value, score.reason) == (None, "the agent's speech was not recognised (no recogniser ran)")


def test_texts_are_normalised_each_for_itself() -> None:
    """Numbers of neighbouring texts do not run together; empty texts stay empty."""
    assert normalised(["twenty", "five dollars", "", "mm-hm"]) == ["20", "$5", "", ""]
    assert normalised([]) == []


def test_word_distance_counts_every_kind_of_error() -> None:
    """Substitution, insertion, deletion; an empty reference has only insertions."""
    assert distances(["a cat sat", "", "red green blue"], ["the cat sat down", "hello", "red"]) == [
        Distance(errors=2, words=3),
        Distance(errors=1, words=0),
        Distance(errors=2, words=3, missing_at_end=2),
    ]


def test_a_person_whose_words_nobody_knows_is_not_held_against_injected_ones(tmp_path: Path) -> None:
    """Beside a microphone only the injected words are known: turns that hold the person's speech tell nothing."""
    take = Take(tmp_path / "t")
    user_says(take, "wait stop", 5.0, 5.4, role="interruption")
    understood(take, "I would like a table", 1.0, 3.0)
    understood(take, "wait shop", 5.0, 5.5)
    session = take.annotated()
    person = Segment(start=take.at(1.0), end=take.at(3.0), source="vad")
    injected = Segment(start=take.at(5.0), end=take.at(5.4), source="vad")
    user = msgspec.structs.replace(session.speech.user, segments=(person, injected))
    session.speech = msgspec.structs.replace(session.speech, user=user)
    scores = scored(ContentSpec(), session)
    assert (scores["user_wer"].value, scores["phantom_words_per_min"].value) == (0.5, 0)
    session.events = [event for event in session.events if event.type != "recognised"]
    told = scored(ContentSpec(), Session(session.folder, session.meta, audio=session._audio, speech=session.speech))
    assert told["unheard_rate"].value is told["phantom_words_per_min"].value is None
