"""`keep: "dialogue.collapsed == false and turns.overlap_share < 0.3"`: which sessions of a run become a corpus.

Comparisons of a session's own values, joined by `and` and `or` (`and` binds first). An undefined value meets none.
"""

import re
from collections.abc import Mapping

from simulator.reading.expect import Expectation
from simulator.texts import quoted

ALIASES: Mapping[str, str] = {"turns.overlap_share": "turns.talk_over_share"}
"""What corpora call a metric, and its id."""
_TRUTH = re.compile(r"(?<=[=!]=)\s*(true|false)\s*$")
_FORM = "write it like `dialogue.collapsed == false and turns.overlap_share < 0.3`"


class Keep:
    """A filter of sessions. terms: alternatives, each of comparisons that all must hold. ValueError: it is none."""

    __slots__ = ("terms", "text")

    def __init__(self, text: str) -> None:
        self.text = " ".join(text.split())
        self.terms = [
            [_compared(part, self.text) for part in re.split(r"\band\b", each)] for each in _either(self.text)
        ]

    @property
    def metrics(self) -> list[str]:
        """The metrics that it asks for."""
        return list(dict.fromkeys(item.metric for term in self.terms for item in term))

    def refuses(self, values: Mapping[str, float | None]) -> str | None:
        """Say why a session with these values is left out; None where it is kept. values: by metric, None undefined."""
        reasons: list[str] = []
        for term in self.terms:
            broken = [item for item in term if not item.holds(values.get(item.metric))]
            if not broken:
                return None
            reasons += [_reason(item, values.get(item.metric)) for item in broken]
        return "; ".join(dict.fromkeys(reasons))

    @classmethod
    def __decode__(cls, value: object, _convert: object) -> "Keep":
        if not isinstance(value, str):
            raise ValueError(f"{quoted(value)} is no filter; {_FORM}")
        return cls(value)

    def __encode__(self) -> str:
        return self.text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Keep) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)


def _either(text: str) -> list[str]:
    return re.split(r"\bor\b", text)


def _compared(part: str, whole: str) -> Expectation:
    plain = _TRUTH.sub(lambda found: " 1" if found[1] == "true" else " 0", part.strip())
    try:
        item = Expectation(plain)
    except ValueError:
        raise ValueError(f"{whole!r}: {part.strip()!r} compares nothing; {_FORM}") from None
    if item.confidence is not None:
        raise ValueError(f"{whole!r}: one session has no confidence; {_FORM}")
    item.metric = ALIASES.get(item.metric, item.metric)
    return item


def _reason(item: Expectation, value: float | None) -> str:
    return f"{item.metric} is {'undefined' if value is None else f'{value:.4g}'}, wanted is {item.op} {item.bound:g}"
