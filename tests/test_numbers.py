"""Numbers as they are said, in digits."""

import pytest

from simulator.speaking.numbers import in_digits, text_in_digits


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("one, two, three, four, five", "12345"),
        ("Order one two three four five.", "Order 12345."),
        ("twelve thousand three hundred and forty-five, please", "12345, please"),
        ("four thousand, nine hundred twenty, nine", "4929"),
        ("two million three hundred thousand and five", "2300005"),
        ("my card is 4929 1234", "my card is 49291234"),
        ("seventy-three nineteen", "7319"),
        ("seven oh oh nine", "7009"),
        ("thirty thirteen", "3013"),
        ("from two to three people", "from 2 to 3 people"),
        ("It is two. Three of them", "It is 2. 3 of them"),
        ("two and three", "2 and 3"),
        ("Oh, I see. One hundred and five", "Oh, I see. 105"),
        ("a 3.5 inch disk", "a 3.5 inch disk"),
        ("", ""),
    ],
)
def test_numbers_are_written_in_digits(said: str, written: str) -> None:
    """As a person would write them down; a sentence's end is the end of a number."""
    assert text_in_digits(said) == written


def test_it_is_told_which_words_a_number_comes_from() -> None:
    """So that what is found in the text has a time."""
    assert in_digits(["order", "twenty", "one", "now"]) == [("order", 0, 1), ("21", 1, 3), ("now", 3, 4)]


@pytest.mark.parametrize("number", [0, 7, 13, 20, 45, 100, 101, 345, 999, 1000, 12_345, 100_000, 999_999, 2_000_003])
def test_every_number_reads_back(number: int) -> None:
    """Spelt out by the plain rules of English."""
    assert text_in_digits(spelt(number)) == str(number)


def spelt(number: int) -> str:
    """A number in words."""
    small = [
        "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
        "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
    ]  # fmt: skip
    tens = ["", "", *["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]]
    if number < 20:
        return small[number]
    for size, name in ((1_000_000, "million"), (1000, "thousand"), (100, "hundred")):
        if number >= size:
            rest = number % size
            return f"{spelt(number // size)} {name}" + (
                f" {'and ' if size == 100 else ''}{spelt(rest)}" if rest else ""
            )
    return tens[number // 10] + (f"-{small[number % 10]}" if number % 10 else "")
