"""Numbers in one form, so that "1, 2, 3" and "one, two, three" are the same words.

Both texts are treated alike, so nothing that was equal is told apart by it. Numbers that stand behind each other are
one, since that is what Whisper's English rules make of spelled ones ("seven thirty" is 730, and so "7:30" is).
"""

import re
from collections.abc import Sequence

_DIGITS = re.compile(r"[0-9]+")
_LARGE = {"十": 10, "百": 100, "千": 1000}
_SMALL = {sign: value for value, sign in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "兩": 2}
_NUMERALS = re.compile(f"[{''.join(_SMALL)}{''.join(_LARGE)}万萬]+")


def joined_numbers(tokens: Sequence[str], *, one: str = "") -> list[str]:
    """Join the numbers that stand behind each other. one: the word that a lone 1 is written as."""
    found: list[str] = []
    for token in tokens:
        number = _number(token, one)
        before = _number(found[-1], one) if found else None
        if number is not None and before is not None:
            found[-1] = before + number
        else:
            found.append(token)
    return found


def _number(token: str, one: str) -> str | None:
    return "1" if one and token == one else token if _DIGITS.fullmatch(token) else None


def numerals_in_digits(text: str) -> str:
    """Write Chinese numerals in digits: 三十五 is 35, 二零二六 is 2026."""
    return _NUMERALS.sub(lambda found: _value(found[0]), text)


def _value(numerals: str) -> str:
    if not any(sign in _LARGE or sign in "万萬" for sign in numerals):
        return "".join(str(_SMALL[sign]) for sign in numerals)
    total = group = digit = 0
    for sign in numerals:
        if sign in _SMALL:
            digit = _SMALL[sign]
        elif sign in _LARGE:
            group, digit = group + (digit or 1) * _LARGE[sign], 0
        else:
            total, group, digit = (total + group + digit or 1) * 10_000, 0, 0
    return str(total + group + digit)
