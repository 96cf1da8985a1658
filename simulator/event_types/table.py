"""The table of all event types, and what is asked of it: of what kind a field is, and whether an event is as it says.

An event of a type that is not here (a plugin's) is kept as it is; its fields in NAMED are taken for what their names
say. `python -m tests.events_page` writes docs/events.md from it.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from simulator.event_types import far, here
from simulator.event_types.event_type import (
    KINDS,
    MOVED,
    OF_MOMENTS,
    PARTY_OF_LINES,
    EventType,
    Field,
    Kind,
    Move,
    fits,
    moved,
)
from simulator.texts import quoted

GROUPS: Mapping[str, Mapping[str, EventType]] = {
    "Speech": here.SPEECH,
    "Models in this process": here.MODELS,
    "Lines": here.LINES,
    "The clock": here.CLOCK,
    "Humans": here.LIVE,
    "Far ends": far.FAR_ENDS,
    "Calls of tools": far.CALLS,
    "Answers of chat_audio servers": far.ANSWERS,
    "Clients of a server": far.CLIENTS,
}

TYPES: Mapping[str, EventType] = {name: known for group in GROUPS.values() for name, known in group.items()}

NAMED: Mapping[str, Field] = {
    "since": Field("said", "when it was, where that lies before the event"),
    "until": Field("said", "when it is over"),
    "model_at": Field("said", "where a model itself places it"),
    "heard_since": Field("heard", "where the sound that it is about begins"),
    "heard_until": Field("heard", "where that sound ends"),
    "words": Field("words", "what is said, word by word"),
    "pauses": Field("stretches", "silences inside of what is said"),
}
"""What fields of these names are wherever the table does not say otherwise."""

LATE = "since"
"""Any event may have it: one that was told too late for its place in the file is moved, and says when it was."""

FOREIGN = EventType("Of a type that the table does not know.", ())


def event_type(name: str) -> EventType:
    """Give what is known of a type; FOREIGN where nothing is."""
    return TYPES.get(name, FOREIGN)


@lru_cache(maxsize=4096)  # asked for every field of every event; names that nobody knows may be any number
def field_kind(type_: str, name: str) -> Kind | None:
    """Give the kind of a field of a type; None where nobody knows."""
    field = event_type(type_).fields.get(name) or NAMED.get(name)
    return field.kind if field is not None else None


def with_times(type_: str, fields: Mapping[str, Any], by: Mapping[Kind, Move]) -> dict[str, Any]:
    """Give an event's fields, in their order, with every sample moved by what `by` has for its kind."""
    found = dict(fields)
    # Few fields hold a moment. Asking of each what it is takes half as long again; a model tells tokens in every frame.
    for name, kind in _movable(type_):
        if name in found and (kind in by or kind in OF_MOMENTS):
            found[name] = moved(found[name], kind, by)
    return found


@lru_cache(maxsize=4096)
def _movable(type_: str) -> tuple[tuple[str, Kind], ...]:
    """Give the fields an event of a type may have that hold moments or lengths of the session's time."""
    kinds = {name: field_kind(type_, name) for name in (*event_type(type_).fields, *NAMED)}
    return tuple((name, kind) for name, kind in kinds.items() if kind in MOVED)


def misfits(type_: str, fields: Mapping[str, Any]) -> Iterator[str]:
    """Say which fields of a known type of event are not of their kind."""
    known = event_type(type_)
    for name, value in fields.items():
        field = known.fields.get(name) or (NAMED.get(name) if known is not FOREIGN else None)
        if field is not None and value is not None and not fits(value, field.kind):
            yield f"{type_}.{name} is {quoted(value)}; allowed is {KINDS[field.kind]}"


def complaints(type_: str, party: str, fields: Mapping[str, Any]) -> Iterator[str]:
    """Say what is wrong with an event as it stands in a file: nothing, if it is as the table says."""
    if type_ not in TYPES:
        yield f"{type_} is no known type"
        return
    known = TYPES[type_]
    ours = {"line", "runner"} if party == PARTY_OF_LINES else {"actor", "injector", "runner", "client"}
    if ours.isdisjoint(known.tellers):
        yield f"{type_} is told by {party}; allowed are {', '.join(known.tellers)}"
    for name, field in known.fields.items():
        if field.always and fields.get(name) is None:
            yield f"{type_} has no {name}"
    for name, value in fields.items():
        described = known.fields.get(name) or (NAMED[LATE] if name == LATE else None)
        if described is None:
            yield f"{type_}.{name} is no known field"
        elif value is not None and not fits(value, described.kind):
            yield f"{type_}.{name} is {value!r}; allowed is {described.kind}"
