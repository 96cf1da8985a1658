"""Wording: how words come out of a caller's mouth: with an "um", a word said twice, a pause to think."""

import re

from agents.caller.manner import Manner
from agents.caller.timing import HumanTiming
from simulator.languages.lookup import ENGLISH, known
from simulator.languages.tongue import Tongue
from simulator.speaking.saying import Pause, SaidPart, Say, SayPart

LEAST_WORDS = 5
"""Shorter turns come out in one breath."""

_BREAK = re.compile(
    r"(?<=[;.!?])\s+|(?<=[^\d],)\s+|\s+(?=(?:for|to|and|from|at|in|with|on|but|because)\b)", re.IGNORECASE
)


def worded(text: str, manner: Manner, timing: HumanTiming, language: str = ENGLISH) -> Say:
    """Give words as they are said: a text, or its parts with a pause between them, what is not meant marked."""
    stumbles, pauses = timing.happens(manner.disfluent), timing.happens(manner.pauses)
    text = " ".join(text.split())
    if len(text.split()) < LEAST_WORDS:
        return text
    slip = None
    if stumbles:
        slip, text = _stumbling(text, timing, known(language))
    halves = _halves(text) if pauses else None
    parts: list[SayPart] = [text] if halves is None else [halves[0], Pause(pause=timing.pause()), halves[1]]
    if slip is not None:
        parts = [slip, str(parts[0]).removeprefix(slip.say).lstrip(), *parts[1:]]
    return text if len(parts) == 1 else parts


def _stumbling(text: str, timing: HumanTiming, tongue: Tongue) -> tuple[SaidPart, str]:
    """Give what is not meant, and the whole: a filler before the text, or its first word said twice."""
    chosen = timing.one_of(len(tongue.fillers) + 1)
    first, rest = text.split(" ", 1)
    plain = first if first == "I" or first.startswith("I'") else first[:1].lower() + first[1:]
    filler = chosen < len(tongue.fillers)
    said = tongue.fillers[chosen] if filler else f"{first.rstrip(',.')},"
    slip = SaidPart(say=said, disfluency="filler" if filler else "repeat")
    return slip, f"{said} {plain} {rest}"


def _halves(text: str) -> tuple[str, str] | None:
    """Cut a text where one may think: at a comma (none inside a number), before a small word, as near to its middle as
    there is one.
    """
    cuts = [match.span() for match in _BREAK.finditer(text)]
    halves = [(text[:start], text[end:]) for start, end in cuts]
    fine = [(one, other) for one, other in halves if len(one.split()) > 1 and len(other.split()) > 1]
    return min(fine, key=lambda pair: abs(len(pair[0]) - len(pair[1]))) if fine else None
