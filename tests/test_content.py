"""Content: word errors of what the agent understood and of what it said, counted on known words."""

from pathlib import Path

import msgspec
import pytest

from metrics.content import ContentSpec
from metrics.spelling import normalised
from metrics.wording import Distance, distances
from simulator.events import Party
from simulator.score import Score
from simulator.session import PartyMeta, Session
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


def heard_by_recogniser(take: Take, *texts: str, party: Party = "agent") -> Session:
    """Annotate, and let a recogniser hear these in a party's utterances."""
    session = take.annotated()
    speech = session.speech.of(party)
    recognised = tuple(
        msgspec.structs.replace(item, source="asr", text=text)
        for item, text in zip(speech.utterances, texts, strict=True)
    )
    speech = msgspec.structs.replace(speech, recognised=recognised)
    return session.with_speech(msgspec.structs.replace(session.speech, recognizer="moonshine", **{party: speech}))


def with_voices(session: Session, **voices: str) -> Session:
    """The same session with these voices in its scenario, the agent a cascade that hears with moonshine."""
    parties = {party: PartyMeta(kind="cascade", spec={"voice": voice}) for party, voice in voices.items()}
    parties["agent"].spec["recognizer"] = "moonshine"
    session.meta = msgspec.structs.replace(session.meta, parties=parties)
    return session


def test_what_the_agent_meant_is_held_against_what_is_heard(tmp_path: Path) -> None:
    """Numbers, case and contractions are normalised before words are compared."""
    take = Take(tmp_path / "t")
    text = "That's twenty-five dollars, please."
    take.say("agent", 1.0, 3.0, text=text, words=words(text, 1.0, 3.0))
    score = scored(ContentSpec(), heard_by_recogniser(take, "That is $25 cheese."))["agent_wer"]
    assert score.value == 0.25


@pytest.mark.parametrize("heard", ["one two three", "one two"])
def test_a_cut_utterance_is_held_against_what_was_said_of_it(tmp_path: Path, heard: str) -> None:
    """The words begun before the cut; the one that was running may be heard or not."""
    take = Take(tmp_path / "t")
    text = "one two three four five six"
    take.say("agent", 1.0, 3.5, text=text, words=words(text, 1.0, 7.0), cut=True, planned=7.0)
    assert scored(ContentSpec(), heard_by_recogniser(take, heard))["agent_wer"].value == 0


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


def test_what_is_heard_in_backchannels_stands_apart(tmp_path: Path) -> None:
    """A clean turn of four words keeps its 0 errors; the two words heard in a hum and a "right" are counted there."""
    take = Take(tmp_path / "t")
    take.say("agent", 1.0, 1.4, "backchannel", text="mm-hm", words=words("mm-hm", 1.0, 1.4))
    take.say("agent", 2.0, 2.4, "backchannel", text="right", words=words("right", 2.0, 2.4))
    take.say("agent", 3.0, 3.4, text="Hm.", words=words("Hm.", 3.0, 3.4))
    take.say("agent", 5.0, 7.0, text="That sounds lovely indeed.", words=words("That sounds lovely indeed.", 5.0, 7.0))
    session = heard_by_recogniser(take, "Them.", "Ride.", "", "That sounds lovely indeed.")
    scores = scored(ContentSpec(), session)
    assert (scores["agent_wer"].value, scores["agent_wer"].n) == (0, 4)
    apart = scores["agent_backchannel_errors"]
    assert (apart.parts["count"], apart.n, apart.unit) == (2, 3, "words each")


def test_what_the_agent_makes_of_a_backchannel_is_no_error_of_a_turn(tmp_path: Path) -> None:
    """A heard turn of nothing but an mm-hm is left out of the word error rate, and no phantom."""
    take = Take(tmp_path / "t")
    user_says(take, "thank you", 1.0, 2.0)
    user_says(take, "mm-hm", 8.0, 8.4, role="backchannel")
    understood(take, "thank you", 1.0, 2.0)
    understood(take, "Over there.", 8.0, 8.5)
    scores = content(take)
    assert (scores["user_wer"].value, scores["user_wer"].n, scores["phantom_words_per_min"].value) == (0, 2, 0)
    assert scores["user_backchannel_errors"].value == 2


@pytest.mark.parametrize("told", ["thank you", "thank you right"])
def test_a_backchannel_beside_a_turn_may_be_understood_or_not(tmp_path: Path, told: str) -> None:
    """Neither is an error."""
    take = Take(tmp_path / "t")
    user_says(take, "thank you", 8.0, 9.0)
    user_says(take, "right", 9.1, 9.4, role="backchannel")
    understood(take, told, 8.0, 9.5)
    assert content(take)["user_wer"].value == 0


def test_a_typographic_apostrophe_in_a_transcript_is_no_error(tmp_path: Path) -> None:
    """The same words with another code point."""
    take = Take(tmp_path / "t")
    user_says(take, "I don't know, it's late", 1.0, 3.0)
    take.note(4.0, "transcript", "agent", of="user", text="I don\u2019t know, it\u2019s late")
    assert content(take)["user_wer"].value == 0


def test_scripts_without_spaces_are_counted_by_character(tmp_path: Path) -> None:
    """One wrong character of four in a told transcript; the word error rate points there."""
    take = Take(tmp_path / "t")
    take.say("user", 1.0, 3.0, text="你好世界", words=[("你好世界", 1.0)])
    take.note(4.0, "transcript", "agent", of="user", text="你好，世间。")
    scores = content(take)
    assert (scores["user_cer"].value, scores["user_cer"].n, scores["user_cer"].unit) == (0.25, 4, "per character")
    assert "content.user_cer counts it" in (scores["user_wer"].reason or "")


def test_german_is_not_normalised_as_english(tmp_path: Path) -> None:
    """Told by the voice: a transcript without its "um" has an error."""
    take = Take(tmp_path / "t")
    user_says(take, "um zehn Uhr", 1.0, 3.0)
    take.note(4.0, "transcript", "agent", of="user", text="Zehn Uhr.")
    session = with_voices(take.annotated(), user="de+f2", agent="alloy")
    assert scored(ContentSpec(), session)["user_wer"].parts == {"count": 1, "of": 3}


@pytest.mark.parametrize(("voice", "text"), [("de", "um zehn Uhr"), ("cmn+f2", "你好世界")])
def test_an_english_recogniser_tells_nothing_of_another_language(tmp_path: Path, voice: str, text: str) -> None:
    """Every rate of recognised text is undefined, and says whose voice is what; times still count."""
    take = Take(tmp_path / "t")
    user_says(take, text, 1.0, 3.0)
    take.say("agent", 5.0, 7.0, text=text, words=words(text, 5.0, 7.0))
    understood(take, "Who is on the door", 1.0, 3.0)
    scores = scored(ContentSpec(), with_voices(heard_by_recogniser(take, "Hello"), user=voice, agent=voice))
    reason = f"the recogniser hears English only; the voice is {voice.partition('+')[0]}"
    rates = ("user_wer", "user_cer", "agent_wer", "agent_cer", "agent_backchannel_errors", "recogniser_wer")
    assert {scores[rate].reason for rate in rates} == {reason}
    assert scores["unheard_rate"].value == 0


def test_the_recognisers_own_error_is_told_beside_the_agents(tmp_path: Path) -> None:
    """One of the user's four words is heard wrong on the clean track; backchannels do not enter."""
    take = Take(tmp_path / "t")
    user_says(take, "do you have fish", 1.0, 3.0)
    user_says(take, "mm-hm", 5.0, 5.4, role="backchannel")
    scores = scored(ContentSpec(), heard_by_recogniser(take, "Do you have this?", "Then.", party="user"))
    assert (scores["recogniser_wer"].value, scores["recogniser_wer"].n) == (0.25, 4)


def test_the_answer_as_told_is_held_against_the_answer_as_heard(tmp_path: Path) -> None:
    """Two utterances as one text of five words, one of them heard wrong; a cut one is told whole."""
    take = Take(tmp_path / "t")
    take.say("agent", 1.0, 2.0, text="we have fish", words=words("we have fish", 1.0, 2.0))
    take.say("agent", 3.0, 4.0, text="today only", words=words("today only", 3.0, 4.0))
    score = scored(ContentSpec(), heard_by_recogniser(take, "we have dish", "today only"))["said_heard_wer"]
    assert (score.value, score.n) == (0.2, 5)


def test_without_text_or_without_recognition_the_two_cannot_be_compared(tmp_path: Path) -> None:
    """Each says what is missing."""
    take = Take(tmp_path / "t")
    take.say("agent", 1.0, 2.0, text="we have fish", words=words("we have fish", 1.0, 2.0))
    assert content(take)["said_heard_wer"].reason == "the agent's speech was not recognised (no recogniser ran)"
    silent = Take(tmp_path / "u")
    user_says(silent, "do you have fish", 1.0, 3.0)
    assert content(silent)["said_heard_wer"].reason == "the agent told no text of what it said"
