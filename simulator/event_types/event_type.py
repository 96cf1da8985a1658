"""What an event type is: a sentence, who tells it, and fields of a few kinds.

A kind says what the number in a field counts, so that whoever carries events elsewhere (a seat to the session's
samples, a replay to another rate) moves the times and leaves the rest alone.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec

Kind = Literal[
    "said", "heard", "session", "length", "samples", "number", "seconds", "ms", "text", "id", "flag", "party",
    "words", "stretches", "data",
]  # fmt: skip

Teller = Literal["actor", "injector", "line", "runner", "client"]

KINDS: Mapping[Kind, str] = {
    "said": "a moment on the stream that the party says; in the file a sample of the session",
    "heard": "a moment on the stream that the party hears; in the file a sample of the session",
    "session": "a moment that is told as a sample of the session",
    "length": "a number of samples of the stream that the party says; in the file of the session",
    "samples": "a number of samples at the rate of who tells it, and so it stands in the file",
    "number": "a whole number",
    "seconds": "seconds",
    "ms": "milliseconds",
    "text": "a text",
    "id": "the name of a thing, the same in every event about it",
    "flag": "true or false",
    "party": "`user` or `agent`",
    "words": "a list of [word, onset], each onset as `said`",
    "stretches": "a list of [start, end), both as `said`",
    "data": "whatever a far end or a client sent, as it came",
}

OF_MOMENTS: tuple[Kind, ...] = ("words", "stretches")
"""Kinds that hold moments among other things: they are moved part by part."""

MOVED: tuple[Kind, ...] = ("said", "heard", "session", "length", "samples", *OF_MOMENTS)
"""Kinds that hold samples: those a mapping from one stream to another may move."""

TELLERS: Mapping[Teller, str] = {
    "actor": "what plays the party, by `context.emit`",
    "injector": "what speaks with the party's mouth, by its context's `emit`",
    "line": "a channel, by its context's `emit`",
    "runner": "the session itself",
    "client": "a server, about its client (party `user`)",
}

PARTY_OF_LINES = "line"


class Field(msgspec.Struct, frozen=True):
    """A field of an event. always: it is never left out and never null."""

    kind: Kind
    meaning: str = ""
    always: bool = True


def maybe(kind: Kind, meaning: str = "") -> Field:
    """Make a field that may be left out or null."""
    return Field(kind, meaning, always=False)


class EventType(msgspec.Struct, frozen=True):
    """One type of events.

    utterance: it begins one, or ends one (both have its `id`; what ends has `said_samples` and `cut`): a session's end
    cuts it, a replay tells it again. account: it sums up what is past, and is kept even where its teller's own delay
    places it after the session's end. shown: what a page makes of it, `elsewhere` where it is no mark of its own.
    """

    meaning: str
    tellers: tuple[Teller, ...]
    fields: Mapping[str, Field] = {}
    utterance: Literal["begins", "ends"] | None = None
    account: bool = False
    shown: Literal["mark", "trouble", "elsewhere"] = "mark"


Move = Callable[[int], int]


def moved(value: Any, kind: Kind | None, by: Mapping[Kind, Move]) -> Any:
    """Give a field's value with its samples moved by what `by` has for their kind; must hold `said`. None stays."""
    if value is None:
        return None
    if kind == "words":
        return [[text, by["said"](onset)] for text, onset in value]
    if kind == "stretches":
        return [[by["said"](start), by["said"](end)] for start, end in value]
    move = by.get(kind) if kind is not None else None
    return move(value) if move is not None else value


def fits(value: Any, kind: Kind) -> bool:
    """Whether a value is of a kind, as it stands in the file."""
    match kind:
        case "said" | "heard" | "session" | "length" | "samples":
            return is_sample(value)
        case "number":
            return isinstance(value, int) and not isinstance(value, bool)
        case "seconds" | "ms":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "text":
            return isinstance(value, str)
        case "id":
            return isinstance(value, str) and value != ""
        case "flag":
            return isinstance(value, bool)
        case "party":
            return value in ("user", "agent")
        case "words":
            return isinstance(value, list) and all(_is_word(item) for item in value)
        case "stretches":
            return isinstance(value, list) and all(_is_stretch(item) for item in value)
        case "data":
            return True


LAST_SAMPLE = 2**53
"""No session reaches so far, and arrays of numbers still count up to here exactly."""


def is_sample(value: Any) -> bool:
    """Whether a value is a moment or a number of samples."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < LAST_SAMPLE


def _is_word(item: Any) -> bool:
    return isinstance(item, list) and len(item) == 2 and isinstance(item[0], str) and is_sample(item[1])


def _is_stretch(item: Any) -> bool:
    return isinstance(item, list) and len(item) == 2 and all(map(is_sample, item)) and item[0] <= item[1]
