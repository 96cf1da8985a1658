"""What a caller decided, when and why, as a page shows it: a mark, and a line at the turn that it led to."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from simulator.events import PARTIES
from simulator.report.marks.mark import Mark
from simulator.session import Session


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """A decision at sample `at`, in words. start: of the utterance that it led to; None where it led to none."""

    party: str
    at: int
    start: int | None
    text: str


def decisions(session: Session) -> list[Decision]:
    """Give what callers decided, in time order."""
    starts = {(event.party, event.id): event.at for event in session.by_type.get("speech_start", [])}
    return [
        Decision(
            party=event.party,
            at=event.at,
            start=starts.get((event.party, event.data.get("id"))),
            text=_worded(event.data),
        )
        for event in session.by_type.get("decided", [])
        if event.party in PARTIES
    ]


def decision_marks(session: Session) -> Iterator[Mark]:
    """Give a mark per decision."""
    for item in decisions(session):
        told = f"{item.party} decided: {item.text}"
        yield Mark(kind="decided", start=item.at, end=item.at, party=item.party, label=item.text, detail=told)


def _worded(data: Mapping[str, Any]) -> str:
    choice = str(data.get("choice", "")).replace("_", " ")
    return f"{choice} — {data['reason']}" if data.get("reason") else choice
