"""Matchers: what a value is held against: another value, `{match: PATTERN}`, or `{any_of: [...]}`."""

import re
from collections.abc import Mapping
from typing import Any

from simulator.spec import encode
from simulator.texts import written


def refuse_pattern(pattern: Any, what: str) -> None:
    """Refuse what is no regular expression; `what` names it. ValueError."""
    try:
        re.compile(pattern)
    except (re.error, TypeError) as error:
        raise ValueError(f"{what} {pattern!r} is no regular expression: {error}") from error


def check_matcher(value: Any) -> None:
    """Refuse a matcher that is none. ValueError."""
    if is_matcher(value, "match"):
        refuse_pattern(value["match"], "match")
    if is_matcher(value, "any_of") and not isinstance(value["any_of"], list):
        raise ValueError(f"any_of {value['any_of']!r} is no list")


def is_matcher(value: Any, word: str) -> bool:
    """Whether a value is `{match: ...}` or `{any_of: ...}`, and not a value to be equal to."""
    return isinstance(value, Mapping) and set(value) == {word}


def matches(found: Any, expected: Any) -> bool:
    """Whether a value is as expected: equal, as a pattern says, one of several; of a mapping what is written of it."""
    if is_matcher(expected, "match"):
        return re.search(expected["match"], found if isinstance(found, str) else str(found), re.IGNORECASE) is not None
    if is_matcher(expected, "any_of"):
        return any(matches(found, one) for one in expected["any_of"])
    if isinstance(expected, Mapping):
        inside = isinstance(found, Mapping)
        return inside and all(name in found and matches(found[name], item) for name, item in expected.items())
    if isinstance(found, bool) or isinstance(expected, bool):
        return found is expected
    return bool(found == expected)


def shown_matcher(value: Any) -> str:
    """Give a matcher as a sentence has it."""
    if is_matcher(value, "match"):
        return f"/{value['match']}/"
    if is_matcher(value, "any_of"):
        return " or ".join(map(shown_matcher, value["any_of"]))
    return written(encode(value))
