"""Spelling and distance: one form on both sides, each text for itself, in the script it is written in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.language import main_script
from metrics.spelling import Orthography, normalised, orthography_of, side_by_side
from metrics.texts import TextPair, closest, with_words
from metrics.wording import Distance, distances


def errors(reference: str, heard: str, orthography: Orthography | None = None) -> tuple[int, int]:
    """Errors and length of one pair."""
    found = distances([reference], [heard], orthography)[0]
    return found.errors, found.words


@given(st.lists(st.text(), max_size=4))
def test_identical_texts_have_no_errors(texts: list[str]) -> None:
    """Whatever Unicode holds, in every script."""
    assert all(found.errors == 0 for found in distances(texts, texts))


@given(st.lists(st.text(alphabet="ab 1()[]<>:;'\"-=3,.") | st.text(), max_size=4))
def test_a_text_is_normalised_as_if_it_were_alone(texts: list[str]) -> None:
    """No text reaches into another: brackets, quotes and numbers end with it."""
    assert normalised(texts) == [normalised([text])[0] for text in texts]


def test_open_brackets_touch_no_other_text() -> None:
    """An open bracket in one text and its partner in a later one enclose nothing."""
    references = ["We have fish (from the", "Yes of course.", "Choose 1) soup or 2) fish.", "Thank you."]
    assert distances(references, references) == [Distance(errors=0, words=words) for words in (5, 3, 6, 2)]
    found = distances(["say [now", "good bye sir]", "third"], ["say now", "good bye sir", "third"])
    assert [item.errors for item in found] == [0, 0, 0]


@pytest.mark.parametrize(
    "text",
    [
        "We are open :) from six :(",
        "We are open :D from six ;-P",
        "We are <3 open -> from six",
        "We are open =) from six",
    ],
)
def test_faces_and_arrows_enclose_nothing(text: str) -> None:
    """Their brackets are no brackets, within one text neither."""
    assert errors(text, "we are open from six") == (0, 5)


@given(st.lists(st.text(alphabet="ab ()[]<>:;=-'"), max_size=4))
def test_texts_side_by_side_touch_each_other_as_little(texts: list[str]) -> None:
    """What is compared as a whole has the words of its texts: no bracket reaches from one into another."""
    each = [word for text in normalised(texts, "english") for word in text.split()]
    assert normalised([side_by_side(texts)], "english")[0].split() == each


def test_what_stands_in_brackets_may_be_said_or_not() -> None:
    """A voice reads out "(or later)" and passes over "(laughs)"; a cut word's bracket hides no words."""
    pairs = [
        TextPair(start=0, end=1, reference=reference, found=found, alternatives=tuple(alternatives))
        for reference, found, *alternatives in (
            ("At ten (or later) on Sundays.", "at ten or later on sundays"),
            ("Of course (laughs).", "of course"),
            ("(wait", "wait what", "(wait what)"),
        )
    ]
    assert with_words(pairs, "english") == (pairs, [])
    assert [distance.errors for distance in closest(pairs, "english")] == [0, 0, 0]


@pytest.mark.parametrize("text", ["...", "\u2026", "....", "$", "%", " . . ", "?!", "\u2014", "Hm...", "\U0001f600"])
def test_signs_without_a_letter_are_no_words(text: str) -> None:
    """Such a reference enters no error rate, wherever the signs stand."""
    assert normalised([text, f"Yes {text}", f"{text} yes"]) == ["", "yes", "yes"]


def test_loan_words_have_one_spelling_in_every_language_written_in_words() -> None:
    """A German recogniser writes "okay" where a script writes "OK"."""
    assert errors("OK, die E-Mail kam übers Wi-Fi.", "Okay, die Email kam übers Wifi", "words") == (0, 6)


@pytest.mark.parametrize("mark", ["\u2018", "\u2019", "\u02bc", "\uff07", "`", "\u00b4"])
def test_every_apostrophe_is_one(mark: str) -> None:
    """In contractions and possessives, on either side."""
    plain = "I don't know, it's late and we're at John's"
    assert errors(plain, plain.replace("'", mark)) == errors(plain.replace("'", mark), plain) == (0, 13)


@pytest.mark.parametrize(
    ("reference", "heard"),
    [
        ("OK", "okay"),
        ("O.K. then", "ok then"),
        ("the Wi-Fi", "the wifi"),
        ("wi fi", "Wi\u2011Fi"),
        ("an e-mail", "an email"),
        ("two e mails", "two emails"),
        ("Uh-huh.", "uh huh"),
        ("uhuh", "Uh-huh"),
        ("she e-mailed", "she emailed"),
        ("I see...", "I see"),
        ("Well\u2026 I see\u2026", "well I see."),
        ("10 % off", "10 percent off"),
        ("we cannot", "we can't"),
        ("at 3 p.m. or 11 a.m.", "at 3pm or 11 AM"),
        ("all right", "alright"),
        ("Good-bye", "goodbye"),
        ("soft\u00adware", "software"),
    ],
)
def test_spellings_of_one_word_are_equal(reference: str, heard: str) -> None:
    """What is written in several ways counts as one."""
    assert errors(reference, heard)[0] == 0


@pytest.mark.parametrize(
    ("one", "another"), [("joke", "jokay"), ("a wife", "a wifi"), ("uh", "uh-huh"), ("book", "ok")]
)
def test_spellings_of_other_words_are_not(one: str, another: str) -> None:
    """Only whole words are respelled."""
    assert normalised([one]) != normalised([another])


@pytest.mark.parametrize(
    ("reference", "heard", "found"),
    [
        ("你好世界", "你好世间", (1, 4)),
        ("我要 iPhone。", "我要iPhone", (0, 8)),
        ("がぎぐ", "かきく", (3, 3)),
        ("コーヒーを、ください", "コーヒーをください", (0, 9)),
        ("สวัสดี ครับ", "สวัสดีครับ", (0, 10)),
        ("ﾊﾝｶｸ", "ハンカク", (0, 4)),
        ("เวลา ๑๒ นาฬิกา", "เวลา 12 นาฬิกา", (0, 12)),
        ("الساعة ١٢", "الساعة 12", (0, 2)),
        ("नमस्ते", "नमस्त", (1, 1)),
        ("नमस्ते दुनिया", "नमस्ते, दुनिया!", (0, 2)),
        ("Привет, мир", "привет мор", (1, 2)),
        ("안녕하세요 여러분", "안녕하세요 여러분.", (0, 2)),
    ],
)
def test_other_scripts_keep_their_marks(reference: str, heard: str, found: tuple[int, int]) -> None:
    """Vowel signs and dakuten are part of the word; scripts without spaces are counted by character."""
    assert errors(reference, heard) == found


def test_german_fillers_are_words() -> None:
    """English rules are for English: "um" is a preposition, an umlaut another vowel, sharp s its capital form."""
    assert errors("Um zehn Uhr schon", "zehn Uhr schön", "words") == (2, 4)
    assert errors("Große Straße", "GROSSE STRASSE", "words") == (0, 2)


@pytest.mark.parametrize(
    ("text", "script", "orthography"),
    [
        ("Hello there", "LATIN", "english"),
        ("我要一部新的 iPhone", "CJK", "characters"),
        ("今日は東京駅", "HIRAGANA", "characters"),
        ("สวัสดี", "THAI", "characters"),
        ("Where is the 北京 hotel", "LATIN", "english"),
        ("नमस्ते", "DEVANAGARI", "words"),
        ("12 + 3", "", "english"),
    ],
)
def test_the_script_tells_how_a_text_is_counted(text: str, script: str, orthography: str) -> None:
    """By the script of most of it, where a letter of an unspaced script weighs as much as a word."""
    assert (main_script(text), orthography_of(text)) == (script, orthography)


def test_a_language_with_latin_script_is_no_english() -> None:
    """Only its code can tell; an unspaced script overrules a wrong one."""
    assert orthography_of("Um zehn Uhr", "de") == "words"
    assert orthography_of("你好", "en") == "characters"
