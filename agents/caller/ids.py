"""Ids: numbers of facts that people read digit by digit: `order number: 12345` is said "1, 2, 3, 4, 5".

A voice would make an amount of it (twelve thousand ...). A number is an id where it

    has five digits or more, or begins with 0
    stands in one word with letters (`XK472`)
    has three digits or more, and the name of its fact says so (number, code, id, order, ...)

Never: with a currency before it, with a point or a comma inside (`12,345`, `1.50`), a time (`18:30`).
"""

import re
from collections.abc import Iterator, Mapping

LONG, NAMED = 5, 3
"""Digits from which a number is an id by itself, and by its fact's name."""

NAMES = frozenset(
    """
    account booking card code confirmation contract customer flight id invoice member membership no number order
    passport phone pin plate policy postcode reference reservation serial ticket tracking zip
    """.split()  # noqa: SIM905  # a list of so many would be a page
)
"""Words of a name that say its value is an id."""

_NUMBER = re.compile(r"(?<![\w.,:/$€£])(?:[$€£]\s?)?\w*\d\w*(?![\w:/]|[.,]\d)")


def read_out(text: str, facts: Mapping[str, str]) -> str:
    """Give what is said with the ids of these facts read digit by digit; letters beside them one by one."""
    for number in sorted(set(_ids(facts)), key=len, reverse=True):
        text = re.sub(rf"(?<![\w.,]){re.escape(number)}(?![\w]|[.,]\d)", ", ".join(number), text)
    return text


def _ids(facts: Mapping[str, str]) -> Iterator[str]:
    for name, value in facts.items():
        named = not NAMES.isdisjoint(re.findall(r"[a-z]+", name.lower()))
        for number in _NUMBER.findall(value):
            if _is_id(number, named=named):
                yield number


def _is_id(number: str, *, named: bool) -> bool:
    digits = sum(sign.isdigit() for sign in number)
    if not number.isalnum():
        return False
    if number.isdigit():
        return digits >= LONG or (digits > 1 and number.startswith("0")) or (named and digits >= NAMED)
    ordinal = re.fullmatch(r"\d+(st|nd|rd|th|am|pm|s|h|km|kg|cm|m|x)", number, re.IGNORECASE)
    return ordinal is None and digits >= 2
