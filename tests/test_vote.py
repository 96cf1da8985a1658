"""Recognisers that vote: whose word stands, and how sure it is."""

import pytest

from simulator.engines import Recognition, Word
from simulator.engines.kinds import languages_heard, recognizer_of
from simulator.engines.moonshine import MoonshineSpec
from simulator.engines.vote import VoteSpec, elected
from simulator.engines.whisper import WhisperSpec
from simulator.errors import ScenarioError
from simulator.spec import encode


def sure(*texts: str) -> list[tuple[str, float | None]]:
    """The words that are elected from these texts, with their confidence."""
    found = elected([Recognition(text=text) for text in texts])
    assert found.text == " ".join(word.text for word in found.words)
    return [(word.text, word.confidence) for word in found.words]


def test_two_who_agree_are_sure_and_two_who_do_not_leave_it_to_the_first() -> None:
    """Case and punctuation are no disagreement; a word only one has stays if the first has it."""
    assert sure("Yes, please.", "yes please") == [("Yes,", 1), ("please.", 1)]
    assert sure("the soup please", "the suit please") == [("the", 1), ("soup", 0.5), ("please", 1)]
    assert sure("no on Sunday", "on Sunday") == [("no", 0.5), ("on", 1), ("Sunday", 1)]
    assert sure("on Sunday", "no on Sunday") == [("on", 1), ("Sunday", 1)]


def test_most_of_three_win() -> None:
    """Another word, a word the first lacks, and no word where the first has one."""
    assert sure("the suit", "the soup", "the soup") == [("the", 1), ("soup", 0.667)]
    assert sure("two people", "for two people", "for two people") == [("for", 0.667), ("two", 1), ("people", 1)]
    assert sure("you yes", "yes", "yes") == [("yes", 1)]
    assert sure("a b", "c b", "d b") == [("a", 0.333), ("b", 1)]


def test_silence_of_most_is_silence() -> None:
    """Of two voters it is not most: what the first heard alone stays."""
    assert sure("you", "", "") == []
    assert sure("", "", "you") == []
    assert sure("you", "") == [("you", 0.5)]
    assert sure("", "you") == [] == sure("", "")


def test_times_are_those_of_whoever_tells_them() -> None:
    """The winner's own first, else of another voter who has the word there; the language is whoever's who says."""
    timed = Recognition(
        text="yes please",
        words=(Word(text="yes", start=5, end=9), Word(text="please", start=12, end=20)),
        language="en",
    )
    found = elected([Recognition(text="Yes, please."), timed])
    assert [(word.text, word.start, word.end) for word in found.words] == [("Yes,", 5, 9), ("please.", 12, 20)]
    assert found.language == "en"


def test_a_list_is_short_for_a_vote() -> None:
    """It is written back as a list, and called by all its voters; it hears what all of them hear."""
    spec = recognizer_of(["moonshine", {"kind": "whisper", "model": "base.en"}])
    assert spec == VoteSpec(of=(MoonshineSpec(), WhisperSpec(model="base.en")))
    assert recognizer_of(encode(spec)) == spec
    assert spec.label == "moonshine + whisper base.en"
    assert languages_heard(spec.label) == ("en",)
    assert languages_heard("moonshine + whisper large-v3") == ("en",)


@pytest.mark.parametrize("voters", [[], ["moonshine"], ["moonshine", "moonshine"]])
def test_a_vote_of_one_is_refused(voters: list[str]) -> None:
    """So is one voter twice."""
    with pytest.raises(ScenarioError, match="a vote is held among two or more recognisers, no two alike"):
        recognizer_of(voters)
