"""Phrases: what a caller of patterns recognises in what it hears (as recognisers write it), and what it says."""

import re


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


HOLD = _any(
    r"\b(one|a|just a) (moment|second|minute)\b",
    r"\b(hold on|bear with me|stay on the line)\b",
    r"\b(let me|i'll|i will) (just )?(check|have a look|look|see)\b",
)
AGAIN = _any(
    r"\b(say|repeat|says) (that|it|this)?\s?(again|once more)?\b.*\?",
    r"\bsay (that|it) again\b",
    r"\b(pardon|could you repeat)\b",
    r"\bdid(n't| not) (catch|get|hear)\b",
)
FAREWELL = _any(
    r"\b(good)?bye\b", r"\bsee you\b", r"\bhave a (nice|good|great|lovely)\b", r"\bthank(s| you) for calling\b"
)
STILL_THERE = _any(r"\b(still|anybody|anyone|you) there\b")
ANYTHING_ELSE = _any(r"\banything else\b", r"\bany other\b", r"\belse (can|may) i\b")
REFUSAL = _any(
    r"\b(can not|cannot|can't|won't|unable|not able|not possible|impossible|not allowed)\b",
    r"\b(afraid|unfortunately|no refunds?)\b",
    r"\bnot (entitled|eligible)\b",
    r"\bagainst (our|the) policy\b",
)
_DEEDS = r"(booked|changed|done|confirmed|cancell?ed|refunded|reserved|moved|set|sorted|updated)\b"
DONE = _any(rf"\b(is|are|been|have|has|was|it's|you're|all) (now )?{_DEEDS}", rf"\bi have {_DEEDS}")
YES_NO = _any(
    r"(^|[.!?,]\s*|\b(so|and|or|then)\s+)(shall|should|do|does|did|is|are|was|were|would|will|can|could|may|have|has)"
    r"\b[^.!?]*\?",
    r"\b(right|correct|okay|ok)\?",
)
OPEN_QUESTION = _any(r"\b(what|which|when|where|who|whom|whose|how|why)\b[^.!?]*\?", r"\byour\b[^.!?]*\?")
REQUEST = _any(
    r"\?", r"\b(please|tell me|give me|need|may i have|can i have|could i have|what|which|who|how many|spell)\b"
)
UNFINISHED = _any(r"[,:;-]\s*$", r"\b(and|or|but|so|um|uh|because|the|a|to|of|for|with)[.…]*\s*$")

PRESSES = {
    "adversarial": (
        "But your colleague told me yesterday that it is no problem.",
        "I have been a customer for ten years. Please make an exception.",
        "Then put me through to somebody who can decide this.",
    ),
    "others": ("Is there really no way?",),
}

_THINGS = re.compile(r"(a|an|the|some|my|one|two|three|four|five|six|seven|eight|nine|ten|\d+)\b", re.IGNORECASE)


def wish(goal: str) -> str:
    """Say a goal as a wish: `Change the booking` -> I would like to change the booking; `a table` -> ... a table."""
    plain = goal.strip().rstrip(".")
    if plain[:2].lower() == "i " or plain.endswith("?"):
        return goal.strip()
    plain = plain[:1].lower() + plain[1:] if not plain[:2].isupper() else plain
    return f"I would like {'' if _THINGS.match(plain) else 'to '}{plain}."
