"""Rules for callers: whether the tester, and not the agent, was at fault. Judged from its own words and facts alone.

What was reached never counts: a caller that got nothing is valid, one that told everything unasked is not. The rules
would rather miss a fault than see one that is none; likeness over 0.8 and the numbers of words are ours.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from metrics.caller_lines import CallerKnows, CallerLine
from metrics.spelling import normalised
from simulator.score import Evidence
from simulator.speaking.hearing import likeness, words_of

ALIKE = 0.8
"""Likeness (token Jaccard) from which one text is another said again; no public source was found, it is ours."""

WORDS = 4
"""Shorter texts ("Yes, please.") are alike by chance."""

COPIED_WORDS = 8
"""So many words of a persona in a row are read out, not played."""

SAID_TIMES = 3
"""So often one may not say a thing that nobody asked to hear again."""

Rule = Callable[[Sequence[CallerLine], CallerKnows], Iterator[tuple[CallerLine, str]]]


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


_ASSISTANT = _any(
    r"\b(how|what) (can|may|could) i (help|assist|do for) you\b",
    r"\banything else i can (help|assist|do)\b",
    r"\b(happy|glad|here) to (help|assist)\b",
    r"\bas an? (ai|assistant|language model)\b",
    r"\blet me know if (you|there)\b.*\b(need|help|questions?)\b",
)
_SERVICE = _any(r"\bthank(s| you) for calling\b", r"\bwelcome to\b", r"\b(may|can|could) i have your\b",
                r"\bi (have|'ve) (booked|changed|cancelled|refunded) (it|that|your)\b")  # fmt: skip
_LEAK = _any(
    r"\bmy (instructions?|system prompt|prompt|persona|scenario|role)\b",
    r"\b(system prompt|role-?play\w*|simulated|simulation|language model)\b",
    r"\bas (a|the) (caller|customer|user) (in|of|i am|i'm|should)\b",
    r"\bstage (one|two|three|four|\d)\b",
    r"\b(hang_up|barge_in|stage_reached)\b|\{\s*\"",
)
_REQUEST = _any(
    r"\?", r"\b(please|tell me|give me|i need|may i have|can i have|could i have|what|which|who|spell|confirm|verify)\b"
)
_OFFER = _any(
    r"[^.!?]*\b(how|what) (can|may|could) i (help|assist|do)[^.!?]*[.!?]?", r"[^.!?]*\banything else\b[^.!?]*[.!?]?"
)
_AGAIN = _any(r"\b(again|repeat|pardon|once more)\b", r"\b(did|do|could|can)(n't| not) (catch|get|hear|understand)\b",
              r"\bsorry\?", r"\bwhat was (that|it)\b")  # fmt: skip
_GOODBYE = _any(r"\b(good)?bye\b", r"\bhave a (nice|good|great|lovely) (day|evening|night|one)\b")
_FAREWELL = _any(r"\b(good)?bye\b", r"\bthank", r"\bhave a\b", r"\bsee you\b", r"\byou too\b", r"\btake care\b")
_STOP = frozenset(
    ("a", "an", "and", "at", "be", "for", "from", "in", "is", "it", "my", "of", "on", "or", "our", "the", "to", "your")
)


def spoke_as_assistant(lines: Sequence[CallerLine], knows: CallerKnows) -> Iterator[tuple[CallerLine, str]]:
    """It offered help: the model's own role came through."""
    for line in lines if knows.party == "user" else ():
        if _ASSISTANT.search(line.text):
            yield line, "spoke as an assistant"


def swapped_roles(lines: Sequence[CallerLine], knows: CallerKnows) -> Iterator[tuple[CallerLine, str]]:
    """It spoke for the one that was called, or asked for what it alone can know."""
    for line in lines if knows.party == "user" else ():
        asks = [name for name in knows.facts if f"your {name.lower()}" in line.text.lower() and "?" in line.text]
        if _SERVICE.search(line.text) or asks:
            yield line, "swapped the roles"


def leaked_instructions(lines: Sequence[CallerLine], knows: CallerKnows) -> Iterator[tuple[CallerLine, str]]:
    """It spoke of its instructions, or read its persona out."""
    persona = words_of(knows.persona)
    runs = {tuple(persona[at : at + COPIED_WORDS]) for at in range(len(persona) - COPIED_WORDS + 1)}
    for line in lines:
        words = words_of(line.text)
        copied = any(tuple(words[at : at + COPIED_WORDS]) in runs for at in range(len(words) - COPIED_WORDS + 1))
        if copied or _LEAK.search(line.text):
            yield line, "leaked its instructions"


def restated_question(lines: Sequence[CallerLine], _knows: CallerKnows) -> Iterator[tuple[CallerLine, str]]:
    """It said the other's question back instead of answering it."""
    for line in lines:
        questions = [part for part in re.split(r"(?<=[.!?])\s+", line.heard) if part.endswith("?")]
        if len(words_of(line.text)) >= WORDS and any(likeness(line.text, part) > ALIKE for part in questions):
            yield line, "restated the other's question"


def told_unasked(lines: Sequence[CallerLine], knows: CallerKnows) -> Iterator[tuple[CallerLine, str]]:
    """It came out with a fact before anybody asked for it, or for anything; what its goal says is no secret."""
    asked: set[str] = set()
    for line in lines:
        request = _REQUEST.search(_OFFER.sub("", line.heard))
        asked |= {name for name in knows.facts if request or _names(line.heard, name, knows)}
        for name, value in knows.facts.items():
            if name not in asked and _holds(line.text, value) and not _holds(knows.open, value):
                yield line, f"told its {name} unasked"


def contradicted_facts(lines: Sequence[CallerLine], knows: CallerKnows) -> Iterator[tuple[CallerLine, str]]:
    """It said that a fact is something else than it was told."""
    for line in lines:
        for name, value in knows.facts.items():
            stated = re.search(rf"\bmy {re.escape(name)}\W+is\W+([^.!?;]+)", line.text, re.IGNORECASE)
            if stated is not None and _differs(stated[1], value):
                yield line, f"contradicted its {name}"


def repeated_itself(lines: Sequence[CallerLine], _knows: CallerKnows) -> Iterator[tuple[CallerLine, str]]:
    """It said the same thing for the third time, and nobody had asked to hear it again."""
    said: list[str] = []
    for line in lines:
        if len(words_of(line.text)) < WORDS or not line.heard or _AGAIN.search(line.heard):
            continue
        if sum(likeness(line.text, earlier) > ALIKE for earlier in said) >= SAID_TIMES - 1:
            yield line, "repeated itself"
        said.append(line.text)


def went_on_after_goodbye(lines: Sequence[CallerLine], _knows: CallerKnows) -> Iterator[tuple[CallerLine, str]]:
    """It said goodbye and then something else, unasked."""
    gone = False
    for line in lines:
        if gone and not _FAREWELL.search(line.text) and not _REQUEST.search(line.heard):
            yield line, "went on after its goodbye"
        gone = gone or bool(_GOODBYE.search(line.text))


RULES: Mapping[str, Rule] = {
    "assistant": spoke_as_assistant,
    "swapped": swapped_roles,
    "leaked": leaked_instructions,
    "restated": restated_question,
    "unasked": told_unasked,
    "contradicted": contradicted_facts,
    "repeated": repeated_itself,
    "after_goodbye": went_on_after_goodbye,
}


def faults_by(rule: str, lines: Sequence[CallerLine], knows: CallerKnows) -> list[Evidence]:
    """Give the turns that break a rule, each once for what it did."""
    return [
        Evidence(start=line.start, end=line.end, party=knows.party, label=f"the {knows.party} {what}: {line.text!r}")
        for line, what in RULES[rule](lines, knows)
    ]


def _names(heard: str, name: str, knows: CallerKnows) -> bool:
    """Whether what was heard names a fact: any word of its name, or the scenario's own pattern for it."""
    pattern = knows.asked.get(name)
    own = set(words_of(name)) - _STOP
    return bool(own & set(words_of(heard))) or (pattern is not None and bool(re.search(pattern, heard, re.IGNORECASE)))


def _holds(text: str, value: str) -> bool:
    """Whether a text says a value: its words in a row, or its letters and digits however they are set apart."""
    words, wanted = words_of(text), words_of(value)
    if not wanted:
        return False
    if any(words[at : at + len(wanted)] == wanted for at in range(len(words) - len(wanted) + 1)):
        return True
    joined = "".join(wanted)
    return len(joined) > WORDS and any(sign.isdigit() for sign in joined) and joined in "".join(words)


def _differs(stated: str, value: str) -> bool:
    """Whether what was stated is another value: other digits where there are any, else no word in common."""
    said, known = normalised([stated, value])
    digits, wanted = ("".join(sign for sign in text if sign.isdigit()) for text in (said, known))
    if wanted:
        return bool(digits) and digits not in wanted
    alphabetic = [word for word in words_of(said) if word not in _STOP]
    return bool(alphabetic) and alphabetic[0] != "not" and not set(alphabetic) & set(words_of(known))
