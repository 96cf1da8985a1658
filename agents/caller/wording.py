"""Wording: how words come out of a caller's mouth: with an "um", a word said twice, a pause to think."""

import re

from agents.caller.manner import Manner
from agents.caller.timing import HumanTiming
from simulator.speaking.voice import Pause, Say

BACKCHANNELS = ("mm-hm", "right", "okay")
FILLERS = ("Um,", "Well,", "Uh,")
LEAST_WORDS = 5
"""Shorter turns come out in one breath."""

_BREAK = re.compile(
    r"(?<=[;.!?])\s+|(?<=[^\d],)\s+|\s+(?=(?:for|to|and|from|at|in|with|on|but|because)\b)", re.IGNORECASE
)


def worded(text: str, manner: Manner, timing: HumanTiming) -> Say:
    """Give words as they are said: a text, or its parts with a pause between them."""
    stumbles, pauses = timing.happens(manner.disfluent), timing.happens(manner.pauses)
    text = " ".join(text.split())
    if len(text.split()) < LEAST_WORDS:
        return text
    if stumbles:
        text = _stumbling(text, timing)
    parts = _halves(text) if pauses else None
    return text if parts is None else [parts[0], Pause(pause=timing.pause()), parts[1]]


def _stumbling(text: str, timing: HumanTiming) -> str:
    chosen = timing.one_of(len(FILLERS) + 1)
    first, rest = text.split(" ", 1)
    plain = first if first == "I" or first.startswith("I'") else first[:1].lower() + first[1:]
    return f"{FILLERS[chosen]} {plain} {rest}" if chosen < len(FILLERS) else f"{first.rstrip(',.')}, {plain} {rest}"


def _halves(text: str) -> tuple[str, str] | None:
    """Cut a text where one may think: at a comma (none inside a number), before a small word, as near to its middle as
    there is one.
    """
    cuts = [match.span() for match in _BREAK.finditer(text)]
    halves = [(text[:start], text[end:]) for start, end in cuts]
    fine = [(one, other) for one, other in halves if len(one.split()) > 1 and len(other.split()) > 1]
    return min(fine, key=lambda pair: abs(len(pair[0]) - len(pair[1]))) if fine else None
