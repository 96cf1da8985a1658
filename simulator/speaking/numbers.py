"""Numbers as they are said, in digits: a recogniser writes `one, two, three`, a pattern asks for `123`.

English alone. Words that stand together are one number, read as people say them: `twelve thousand three hundred and
forty-five` and `one two three four five` are both 12345, `seventy-three nineteen` is 7319. What is in digits already
takes part: `4929 1234` is 49291234.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

_UNITS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_SMALL = {name: value for value, name in enumerate(_UNITS)} | {"oh": 0, "o": 0}
_SMALL |= {name: 10 * place for place, name in enumerate(_TENS, 2)}
_LARGE = {"hundred": 100, "thousand": 1000, "million": 1_000_000}
_EDGES = ".,;:!?\"'()-"


class Spelled(NamedTuple):
    """A text that words [first, last) of a sequence come to."""

    text: str
    first: int
    last: int


def in_digits(words: Sequence[str]) -> list[Spelled]:
    """Give words with every number in digits; what belongs to none stands alone, as it is."""
    found: list[Spelled] = []
    first = 0
    while first < len(words):
        last = _end_of_number(words, first)
        if last > first:
            tail = words[last - 1][len(words[last - 1].rstrip(_EDGES)) :]
            parts = [part for word in words[first:last] for part in _parts(word) if part != "and"]
            found.append(Spelled(_digits(parts) + tail, first, last))
        else:
            last = first + 1
            found.append(Spelled(words[first], first, last))
        first = last
    return found


def text_in_digits(text: str) -> str:
    """Give a text with every number in digits."""
    return " ".join(spelled.text for spelled in in_digits(text.split()))


def _parts(word: str) -> list[str]:
    """`forty-five,` is forty and five; `1-2-3` is 1, 2 and 3."""
    return [part for part in word.lower().strip(_EDGES).split("-") if part]


def _is_number(word: str) -> bool:
    parts = _parts(word)
    return bool(parts) and all(part in _SMALL or part in _LARGE or re.fullmatch(r"[0-9]+", part) for part in parts)


def _end_of_number(words: Sequence[str], first: int) -> int:
    """Where the number ends that begins with a word; `first` where none does. A sentence's end is an end of it."""
    last = first
    while last < len(words):
        if _is_number(words[last]) and not (last == first and _parts(words[last])[0] in ("oh", "o")):
            last += 1
        elif last > first and _joins(words, last):
            last += 2
        else:
            break
        if words[last - 1][-1:] in (".", "?", "!"):
            break
    return last


def _joins(words: Sequence[str], place: int) -> bool:
    """Whether an `and` stands inside a number: after a hundred or a thousand, before what is less."""
    before = _parts(words[place - 1])
    return (
        words[place].lower() == "and"
        and before[-1:] != []
        and before[-1] in _LARGE
        and place + 1 < len(words)
        and _is_number(words[place + 1])
    )


def _digits(parts: Sequence[str]) -> str:
    """Read number words: those that make one value together are one, and the values stand behind each other."""
    values: list[str] = []
    total = group = 0
    last: int | None = None
    """The word before, if it may be followed by a smaller one of the same value."""
    for part in parts:
        if part in _LARGE and (group or total):
            group, total = (group * 100, total) if part == "hundred" else (0, total + (group or 1) * _LARGE[part])
            last = _LARGE[part]
        elif part in _SMALL and last is not None and _goes_on(last, _SMALL[part]):
            group, last = group + _SMALL[part], _SMALL[part]
        elif part in _SMALL or part in _LARGE:
            values += [str(total + group)] if last is not None else []
            value = _SMALL.get(part, _LARGE.get(part, 0))
            total, group, last = 0, value, value
        else:
            values += [str(total + group)] if last is not None else []
            values.append(part)
            total, group, last = 0, 0, None
    return "".join([*values, *([str(total + group)] if last is not None else [])])


def _goes_on(last: int, value: int) -> bool:
    """Whether a word adds to the one before it: nine to thirty, not thirteen to thirty, thirteen to a hundred."""
    return 0 < value < (100 if last >= 100 else 10) and last >= 20
