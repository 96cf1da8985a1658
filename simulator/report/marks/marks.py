"""All marks of a session, from its conversation and from its event log.

An event of a type that nobody foresaw becomes a mark of kind `other` (`line` when a line told it) with all
its fields.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from simulator.event_types.table import event_type, field_kind
from simulator.events import Event
from simulator.report.marks.decisions import decision_marks
from simulator.report.marks.mark import Kind, Mark
from simulator.report.marks.turn_marks import floor_of, turn_marks
from simulator.score import Score
from simulator.session import Session

PLACES = {"since", "until", "direction"}
"""Fields that say where an event lies; the mark's own place tells them."""


def marks_of(session: Session, scores: Sequence[Score]) -> list[Mark]:
    """Give all marks of a session in time order."""
    events = (event for event in session.events if event_type(event.type).shown != "elsewhere")
    told = (_event_mark(session, event) for event in events)
    found = [*turn_marks(floor_of(session), scores), *decision_marks(session), *told]
    return sorted(found, key=lambda mark: (min(mark.start, mark.end), mark.end, mark.kind))


def _event_mark(session: Session, event: Event) -> Mark:
    start, end = _stretch(event)
    fields = ", ".join(
        f"{name} {_shown(session, event.type, name, value)}" for name, value in event.data.items() if name not in PLACES
    )
    size = event.data.get("size", end - start)
    told = f"{event.data.get('direction', event.party)}: {event.type}".replace("_", " ")
    return Mark(
        kind=_kind(event),
        start=start,
        end=end,
        party=str(event.data.get("direction", event.party)),
        label=event.type,
        detail=f"{told} ({fields})" if fields else told,
        ms=round(size * 1000 / session.sample_rate, 1) if isinstance(size, int) and size else None,
    )


def _kind(event: Event) -> Kind:
    if event_type(event.type).shown == "trouble":
        return "trouble"
    return "line" if event.party == "line" else "other"


def _stretch(event: Event) -> tuple[int, int]:
    """Where an event lies: from `since` (else its own moment), to `until`, or as long as its `size`."""
    start = min(int(event.data.get("since", event.at)), event.at)
    size, until = event.data.get("size"), event.data.get("until")
    ends = [event.at, start + size if isinstance(size, int) else start, until if isinstance(until, int) else start]
    return start, max(ends)


def _shown(session: Session, type_: str, name: str, value: Any) -> str:
    if name == "size" and isinstance(value, int):
        return f"{value * 1000 / session.sample_rate:.0f} ms"
    if field_kind(type_, name) in ("said", "heard", "session") and isinstance(value, int):
        return f"{session.seconds(value):.2f} s"
    return str(value) if isinstance(value, str | int | float) else msgspec.json.encode(value).decode()
