"""Credible words: no more than a mouth can say, and of sounds like backchannels only what is said so short."""

from pathlib import Path

import pytest

from simulator.annotation.annotate import annotate
from simulator.annotation.credible import believed
from simulator.speaking.voice import spoken
from simulator.speech import Speech
from simulator.testing.take import RATE, Take


@pytest.mark.parametrize(
    ("text", "seconds", "kept"),
    [
        ("I was going to say that", 0.5, False),
        ("Wait a minute", 0.5, True),
        ("No.", 0.1, True),
        ("one two three four five six seven eight", 1.0, True),
        ("one two three four five six seven eight nine", 1.0, False),
        ("", 0.0, True),
    ],
)
def test_words_are_capped_by_the_length_of_the_sound(text: str, seconds: float, kept: bool) -> None:
    """Eight a second, a begun one counted; the reason tells both numbers."""
    found, reason = believed(text, seconds)
    assert (found, bool(reason)) == ((text, False) if kept else ("", True))
    assert kept or f"{len(text.split())} words in {seconds:.2f} s" in reason


@pytest.mark.parametrize(
    ("text", "seconds", "kept"),
    [
        ("字幕由社区志愿者提供", 0.5, False),
        ("好的", 0.3, True),
        ("今天天气很好我们去公园", 1.5, True),
        ("ご視聴ありがとうございました", 0.6, False),
        ("Congratulations, immediately.", 1.0, True),
    ],
)
def test_letters_are_capped_where_no_spaces_part_words(text: str, seconds: float, kept: bool) -> None:
    """What recognisers make of a hum in Chinese and Japanese is one long word: signs are counted, twelve a second."""
    found, reason = believed(text, seconds)
    assert (found, bool(reason)) == ((text, False) if kept else ("", True))


@pytest.mark.parametrize(
    ("heard", "kept"),
    [
        ("Mm-hmm,", "mm-hmm"),
        ("Hmm.", "mm-hmm"),
        ("Uh-huh.", "uh-huh"),
        ("Yea, yeah.", "yeah yeah"),
        ("Right.", "Right."),
        ("I see.", "I see."),
        ("Stop!", "Stop!"),
        ("Them.", ""),
        ("You", ""),
        ("Better.", ""),
    ],
)
def test_a_sound_like_a_backchannel_is_one_or_nothing(heard: str, kept: str) -> None:
    """The field's spelling, or what else is said so short; words that no one says so are not believed."""
    assert believed(heard, 0.4, like_backchannel=True)[0] == kept
    assert believed(heard, 0.4)[0] == heard


def hummed(folder: Path, *, over_speech: bool) -> Speech:
    """A hum of the agent that nobody told, inside the user's speech or alone."""
    take = Take(folder, duration=6)
    if over_speech:
        take.say("user", 1.0, 5.0, text="la", words=[("la", 1.0)])
    take.add("agent", take.at(2.5), spoken("hm", "en-us", RATE).samples)
    return annotate(take.session())


def test_what_is_not_believed_is_kept_with_its_reason(tmp_path: Path) -> None:
    """A hum beside the other's speech gives no word; what the recogniser made of it stays in the annotation."""
    agent = hummed(tmp_path / "over", over_speech=True).agent
    assert agent.words == ()
    (made_up,) = agent.discarded
    assert made_up.text == made_up.words[0].text
    assert "backchannel" in made_up.reason
    start = made_up.start / RATE
    assert 2.4 < start < 2.6


def test_a_short_answer_is_no_backchannel(tmp_path: Path) -> None:
    """The same sound where nobody else speaks may be any word."""
    agent = hummed(tmp_path / "alone", over_speech=False).agent
    assert ([len(word.text.split()) for word in agent.words], agent.discarded) == ([1], ())
