"""Numbers in one form: spelled, in digits, side by side; the same for both texts."""

import pytest

from metrics.spelling import normalised
from metrics.wording import distances


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1, 2, 3, 4, 5.", "one, two, three, four, five"),
        ("My number is 4 9 2 9.", "My number is four nine two nine"),
        ("7:30", "seven thirty"),
        ("12,345", "twelve thousand three hundred and forty-five"),
    ],
)
def test_spelled_numbers_are_those_in_digits(one: str, other: str) -> None:
    """Whichever of the two a recogniser writes, in either place."""
    assert [distance.errors for distance in distances([one, other], [other, one])] == [0, 0]


@pytest.mark.parametrize("other", ["one, two, three, four, six", "one two three four", "no one", "five"])
def test_other_numbers_are_other_words(other: str) -> None:
    """Nothing is equal that was not said."""
    assert distances(["1, 2, 3, 4, 5."], [other])[0].errors > 0


def test_no_one_is_not_a_number() -> None:
    """A lone one stays a word."""
    assert normalised(["No one is here."]) == ["no one is here"]


@pytest.mark.parametrize(
    ("language", "digits", "words"),
    [("de", "1, 2, 12", "eins zwei zwölf"), ("es", "7 8", "siete, ocho"), ("ru", "3", "Три"), ("hi", "5", "पाँच")],
)
def test_other_languages_know_their_own_words_alone(language: str, digits: str, words: str) -> None:
    """And no language those of another: "um" is one in Portuguese, and a word in German."""
    one, other = normalised([digits, words], "words", language)
    assert one == other and one.isdigit()
    assert normalised(["um zehn"], "words", "de") == ["um 10"]
    assert normalised([words], "words") == [" ".join(words.lower().replace(",", "").split())]


@pytest.mark.parametrize(
    ("numerals", "digits"),
    [
        ("三十五", "35"),
        ("十二", "12"),
        ("二零二六", "2026"),
        ("一百零二", "102"),
        ("两万三千", "23000"),
        ("二十", "20"),
    ],
)
def test_chinese_numerals_are_digits(numerals: str, digits: str) -> None:
    """By place, or sign by sign."""
    assert normalised([f"{numerals}个人"], "characters") == [" ".join(f"{digits}个人")]
