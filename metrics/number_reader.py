"""Number words of languages other than English, in digits: `zweihundertfünf` is 205, `treinta y uno` 31.

Each language reads by the words of its values under a thousand, made once a process from
simulator/languages/counting.py.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from simulator.languages.counting import COUNTINGS, Counting, row

_SHORT = re.compile(r"[0-9]{1,3}")
"""What may stand in digits before a thousand: `3 mil`."""

_MOST_WORDS = 13
"""Of a number under a million: `neuf cent quatre vingt dix neuf mille neuf cent quatre vingt dix neuf`."""


def words_in_digits(text: str, language: str) -> str:
    """Write the number words of a language in digits, those that make one value together as one number.

    text: folded in case, one space between words. What is not known of the language stays as it is.
    """
    reader = _reader(language)
    return reader.in_digits(text) if reader else text


@cache
def _reader(language: str) -> "_Reader | None":
    counting = COUNTINGS.get(language)
    return _Reader(counting) if counting else None


class _Reader:
    """Reads the numbers of a language, whether they are written in one word or in several.

    It holds the words of all values under a thousand (and of `neunzehnhundert`), some thousands of them.
    """

    def __init__(self, counting: Counting) -> None:
        units = _values(enumerate(row(counting.units) if counting.units else row(counting.small)[1:10], 1))
        lone = _below_hundred(counting, units)
        self._alone = lone | _hundreds(counting, lone | units)
        self._inside = self._alone | units
        self._glue = counting.glue
        self._thousands = tuple(_values((1000, words) for words in row(counting.thousand)))
        self._first = {words.split()[0] for words in self._inside}

    def in_digits(self, text: str) -> str:
        """Give a text with the longest numbers that can be read in it, from left to right."""
        tokens = text.split()
        found: list[str] = []
        while tokens:
            value, length = self._longest(tokens)
            found.append(tokens[0] if value is None else str(value))
            del tokens[:length]
        return " ".join(found)

    def _longest(self, tokens: Sequence[str]) -> tuple[int | None, int]:
        """Give the value of the number that begins here and how many words it takes; no number takes one."""
        first = tokens[0]
        if first in self._first or _SHORT.fullmatch(first) or any(word in first for word in self._thousands):
            for length in range(min(_MOST_WORDS, len(tokens)), 0, -1):
                value = self._value(" ".join(tokens[:length]))
                if value is not None:
                    return value, length
        return None, 1

    def _value(self, phrase: str) -> int | None:
        if phrase in self._alone:
            return self._alone[phrase]
        split = (phrase.partition(word) for word in self._thousands if word in phrase)
        return next((value for parts in split if (value := self._with_thousands(*parts)) is not None), None)

    def _with_thousands(self, head: str, _: str, tail: str) -> int | None:
        head = head.rstrip()
        thousands = int(head) if _SHORT.fullmatch(head) else self._inside.get(head) if head else 1
        rests = [self._inside.get(tail.removeprefix(glue)) for glue in self._glue if tail.startswith(glue)]
        rest = next((value for value in rests if value is not None), None) if tail else 0
        return None if thousands is None or rest is None else 1000 * thousands + rest


def _below_hundred(counting: Counting, units: Mapping[str, int]) -> dict[str, int]:
    """Give the words of 0 to 99, and what no rule makes."""
    tens = _values((10 * place, words) for place, words in enumerate(row(counting.tens), 2))
    joined = {
        pattern.format(ten=_before(ten, unit, counting.elides), unit=unit): value + units[unit]
        for ten, value in tens.items()
        for unit in units
        for pattern in counting.joined
    }
    return joined | tens | _values(enumerate(row(counting.small))) | _values((v, [w]) for w, v in counting.more.items())


def _hundreds(counting: Counting, less: Mapping[str, int]) -> dict[str, int]:
    """Give the words of hundreds, each alone and with all that is less behind it; none where none are known."""
    rows = row(counting.hundreds)
    whole = _values((100 * place, words) for place, words in enumerate(rows, 1))
    if len(rows) == 1:  # years go up to nineteen hundred
        times = [(word, value) for word, value in less.items() if 1 <= value <= 19]
        whole |= {f"{by}{gap}{hundred}": 100 * value for hundred in whole for by, value in times for gap in ("", " ")}
    behind = {
        f"{before}{glue}{rest}": value + less[rest]
        for hundred, value in whole.items()
        for rest in less
        if 0 < less[rest] < 100
        for before in (hundred, _before(hundred, rest, counting.elides))  # centouno, or centuno
        for glue in counting.glue
    }
    return behind | whole


def _before(word: str, other: str, elides: bool) -> str:
    """Give a word as it stands before another: `venti` before `uno` is vent."""
    return word[:-1] if elides and other[0] in "ou" else word


def _values(rows: Iterable[tuple[int, Sequence[str]]]) -> dict[str, int]:
    """Give the value of each word, folded as texts are."""
    return {unicodedata.normalize("NFKC", word.casefold()): value for value, words in rows for word in words}
