"""Writes docs/events.md from the table of event types: `python -m tests.events_page`."""

from collections.abc import Iterable, Iterator, Mapping

from simulator.event_types.event_type import KINDS, TELLERS, EventType, Field
from simulator.event_types.table import GROUPS, LATE, NAMED
from tests.source_tree import ROOT

PAGE = ROOT / "docs" / "events.md"

HEAD = """\
# Events

What the parties, the lines and the session itself know, each at its sample: `events.jsonl` in the session folder, one
JSON object per line, in time order. Every event has `at` (samples of the session; when the thing became known), `type`
and `party` (`user`, `agent` or `line`); the rest are the fields below. `?`: may be left out or null.

This page is written from the table in `simulator/event_types/`, which the tests hold every event to that they see.
"""

OWN = """\
## Types of your own

An actor, an injector or a channel may tell events of any type, with any fields. They are kept as they are and shown on
the session's page with all their fields. A party may have rates and frames of its own, so what its actor tells counts
on its own streams; in these fields it is turned into samples of the session, as `at` is:
"""


def page() -> str:
    """Give the whole page."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield HEAD
    for title, group in GROUPS.items():
        yield f"## {title}\n"
        yield from _table(("type", "told by", "what it says", "fields"), map(_row, group, group.values()))
    yield OWN
    named = ((f"`{name}`", field.kind, field.meaning) for name, field in NAMED.items())
    yield from _table(("field", "kind", "what it says"), named)
    yield f"Any event may have `{LATE}`: one told too late for its place in the file is moved, and says when it was.\n"
    yield "## Kinds of fields\n"
    yield from _table(("kind", "what it is"), KINDS.items())
    yield "## Who tells\n"
    yield from _table(("teller", "what it is"), TELLERS.items())


def _row(name: str, known: EventType) -> tuple[str, ...]:
    meaning = known.meaning + (" Kept after the session's end." if known.account else "")
    return f"`{name}`", ", ".join(known.tellers), meaning, _fields(known.fields)


def _fields(fields: Mapping[str, Field]) -> str:
    told = (f"`{name}`{'' if field.always else '?'} {field.kind}{f' ({field.meaning})' if field.meaning else ''}"
            for name, field in fields.items())  # fmt: skip
    return "; ".join(told)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
