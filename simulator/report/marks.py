"""Marks: what a reader should notice between the lanes of a session, each at its place on the time line.

Floor transfers and overlaps come from who spoke when; barge-ins, backchannels and injected speech from what was
planned (truth) and, for yield times, from the evidence of the scores, so that picture and number never disagree;
troubles from the event log. An event of an unknown type becomes a mark of kind `other` that shows all its fields.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import msgspec

from simulator.events import PARTIES, Event, Party, other_party
from simulator.score import Evidence, Score
from simulator.session import Session
from simulator.speech import Segment
from simulator.timeline import Stretch, Timeline

Kind = Literal["transfer", "overlap", "barge_in", "backchannel", "injected", "trouble", "line", "other"]

BRIDGE_MS = 200
"""Silences below this are inside speech: stops and breaths, not pauses (the usual bound of inter-pausal units)."""

TOLD_ELSEWHERE = {
    "speech_start", "speech_end",  # the speech bars and words
    "turn_heard", "recognised",  # the line of what was understood
    "barge_in", "yielded",  # folded into the barge-in they belong to, or shown as what the actor noticed
}
TROUBLES = {"underrun", "late", "error"}
INJECTED = {"interruption", "backchannel", "aside"}


class Mark(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something at [start, end) samples: whose, in a few words (`label`), in more (`detail`), measured as `ms`."""

    kind: Kind
    start: int
    end: int
    party: str = ""
    label: str = ""
    detail: str = ""
    ms: float | None = None


def marks_of(session: Session, scores: Sequence[Score], spoken: dict[Party, Sequence[Segment]]) -> list[Mark]:
    """Give all marks of a session in time order.

    spoken: each party's utterances known from truth, with their roles.
    """
    user, agent = (_ipus(session, party, spoken[party]) for party in PARTIES)
    found = [
        *(_judged_transfers(session, scores) or _transfers(session, user, agent, spoken)),
        *_overlaps(session, user & agent),
        *_barge_ins(session, scores, spoken, {"user": user, "agent": agent}),
        *_backchannels(scores, spoken),
        *_injected(spoken),
        *(_event_mark(session, event) for event in session.events if event.type not in TOLD_ELSEWHERE),
    ]
    return sorted(found, key=lambda mark: (mark.start, mark.end, mark.kind))


def _ipus(session: Session, party: Party, spoken: Sequence[Segment]) -> Timeline:
    """When a party speaks; what is known to have been said stands in for a session that was never annotated."""
    known = session.speech.of(party).timeline() or Timeline((segment.start, segment.end) for segment in spoken)
    return known.bridge(round(BRIDGE_MS * session.sample_rate / 1000))


def _judged_transfers(session: Session, scores: Sequence[Score]) -> list[Mark]:
    """Floor transfers as a score measured them, so that picture and number agree; none where no score did."""
    return [
        _transfer(session, *((item.start, item.end) if (item.value or 0) >= 0 else (item.end, item.start)), item.party)
        for item in _evidence_of(scores, "turns.fto_p50_s")
    ]


def _transfers(session: Session, user: Timeline, agent: Timeline, spoken: dict[Party, Sequence[Segment]]) -> Iterator[Mark]:
    """Floor transfers: the next start of the other party minus the end of the speech it follows (its FTO).

    Speech inside the other's speech and known backchannels and asides move no floor.
    """
    aside = {party: _roles(spoken[party], "backchannel", "aside") for party in spoken}
    turns = sorted(
        (stretch, party)
        for party, ipus in (("user", user), ("agent", agent))
        for stretch in ipus
        if not _mostly_inside(stretch, aside[party])  # type: ignore[index]
    )
    floor: tuple[Stretch, str] | None = None
    for stretch, party in turns:
        if floor is None or floor[1] == party:
            end = max(stretch.end, floor[0].end if floor else 0)
            floor = (Stretch(floor[0].start if floor else stretch.start, end), party)
        elif stretch.end > floor[0].end:
            yield _transfer(session, floor[0].end, stretch.start, party)
            floor = (stretch, party)


def _transfer(session: Session, end: int, start: int, party: str) -> Mark:
    ms = (start - end) * 1000 / session.sample_rate
    word = "gap" if ms >= 0 else "overlap"
    return Mark(kind="transfer", start=end, end=start, party=party, ms=round(ms, 1), label=f"{_signed(ms)} ms",
                detail=f"the floor goes to the {party}: fto {_signed(ms)} ms ({word})")


def _signed(ms: float) -> str:
    return f"{ms:+.0f}".replace("-", "−")


def _overlaps(session: Session, both: Timeline) -> Iterator[Mark]:
    for start, end in both:
        ms = (end - start) * 1000 / session.sample_rate
        yield Mark(kind="overlap", start=start, end=end, ms=round(ms, 1), label=f"{ms:.0f} ms",
                   detail=f"both speak for {ms:.0f} ms")


def _barge_ins(session: Session, scores: Sequence[Score], spoken: dict[Party, Sequence[Segment]],
               ipus: dict[Party, Timeline]) -> Iterator[Mark]:
    """Barge-ins: as the score judged them, else the interruptions that were planned, to where the other stops."""
    judged = _evidence_of(scores, "barge_in.yield_rate")
    for item in judged:
        word = f"{item.label} after" if item.label == "yielded" else item.label
        yield _barge_in(session, item.start, item.end, _barger(item), word)
    for party, segments in spoken.items() if not judged else ():
        for segment in segments:
            running = ipus[other_party(party)].at(segment.start)
            if segment.role == "interruption" and running is not None:
                yield _barge_in(session, segment.start, running.end, party, "the other stops after")


def _evidence_of(scores: Sequence[Score], metric: str) -> Sequence[Evidence]:
    return next((score.evidence for score in scores if score.id == metric), [])


def _barger(item: Evidence) -> str:
    """Who barged in: the evidence names who had to yield."""
    return "agent" if item.party == "user" else "user"


def _barge_in(session: Session, start: int, end: int, party: str, what: str) -> Mark:
    ms = (end - start) * 1000 / session.sample_rate
    told = f"{what} {ms:.0f} ms" if what.endswith("after") else what
    return Mark(kind="barge_in", start=start, end=end, party=party, ms=round(ms, 1), label=told,
                detail=f"barge-in of the {party}: {told}" + ("" if what.endswith("after") else f" ({ms:.0f} ms of overlap)"))


def _backchannels(scores: Sequence[Score], spoken: dict[Party, Sequence[Segment]]) -> Iterator[Mark]:
    """Backchannels that are known, or were judged by their shape; with what the other did, where a score says so."""
    judged = {item.start: item for item in _evidence_of(scores, "backchannel.kept_floor_rate")}
    known = [(party, segment) for party in PARTIES for segment in spoken[party] if segment.role == "backchannel"]
    for party, segment in known:
        outcome = judged.pop(segment.start, None)
        after = f"; the {other_party(party)} {outcome.label}" if outcome else ""
        yield Mark(kind="backchannel", start=segment.start, end=segment.end, party=party, label=segment.text,
                   detail=f"backchannel of the {party}: {segment.text}{after}")
    starts = {segment.start for _, segment in known}
    own = [(item, "agent") for item in _evidence_of(scores, "backchannel.agent_per_min") if item.start not in starts]
    for item, who in [*((item, "user") for item in judged.values()), *own]:
        yield Mark(kind="backchannel", start=item.start, end=item.end, party=who, label=item.label,
                   detail=f"backchannel of the {who}, by its shape: {item.label}")


def _injected(spoken: dict[Party, Sequence[Segment]]) -> Iterator[Mark]:
    for party, segments in spoken.items():
        for segment in segments:
            if segment.role in INJECTED:
                yield Mark(kind="injected", start=segment.start, end=segment.end, party=party, label=segment.role,
                           detail=f"injected {segment.role} of the {party} (truth): {segment.text}")


def _event_mark(session: Session, event: Event) -> Mark:
    start = min(int(event.data.get("since", event.at)), event.at)
    fields = ", ".join(f"{name} {_shown(session, name, value)}" for name, value in event.data.items() if name != "since")
    kind: Kind = "trouble" if event.type in TROUBLES else "line" if event.party == "line" else "other"
    size = event.data.get("size")
    end = max(event.at, start + int(size) if isinstance(size, int) else start)
    return Mark(kind=kind, start=start, end=end, party=event.party, label=event.type,
                detail=f"{event.party}: {event.type}" + (f" ({fields})" if fields else ""),
                ms=size * 1000 / session.sample_rate if isinstance(size, int) else None)


def _shown(session: Session, name: str, value: Any) -> str:
    if name in ("size", "until", "model_at") and isinstance(value, int):
        return f"{value * 1000 / session.sample_rate:.0f} ms" if name == "size" else f"{session.seconds(value):.2f} s"
    return str(value) if isinstance(value, str | int | float) else msgspec.json.encode(value).decode()


def _roles(segments: Sequence[Segment], *roles: str) -> Timeline:
    return Timeline((segment.start, segment.end) for segment in segments if segment.role in roles)


def _mostly_inside(stretch: Stretch, timeline: Timeline) -> bool:
    return 2 * timeline.crop(stretch.start, stretch.end).total() > stretch.length
