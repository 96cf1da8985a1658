"""Marks of the conversation: who takes the floor how fast, who speaks over whom, who yields, who only says mm-hm.

Where a score has measured something, its evidence is drawn, so that picture and number never disagree. A
session without scores is drawn from who spoke when and from what was planned (truth).
"""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from simulator.events import PARTIES, Party, other_party
from simulator.report.marks.mark import Mark
from simulator.score import Evidence, Score
from simulator.session import Session
from simulator.speech import Segment
from simulator.timeline import Stretch, Timeline

BRIDGE_S = 0.2
"""Silences below this are inside speech: stops and breaths (the usual bound of inter-pausal units)."""

INJECTED = ("interruption", "backchannel", "aside")
SAID = ("turn", *INJECTED)
"""Roles of utterances whose edges are those of speech; a recording is played with whatever silence it holds."""

Spoken = Mapping[Party, Sequence[Segment]]
"""Each party's utterances known from truth, with their roles."""


class Talk(msgspec.Struct, frozen=True, kw_only=True):
    """What the marks are found in: who speaks when, what is known to have been said, what was measured."""

    sample_rate: int
    ipus: Mapping[Party, Timeline]
    spoken: Spoken
    scores: Sequence[Score] = ()

    def ms(self, samples: int) -> float:
        """Turn samples into milliseconds, to a tenth."""
        return round(samples * 1000 / self.sample_rate, 1)

    def evidence(self, metric: str) -> Sequence[Evidence]:
        """What a score rests on; nothing where the session was not scored by it."""
        return next((score.evidence for score in self.scores if score.id == metric), ())


def talk_of(session: Session, scores: Sequence[Score], spoken: Spoken) -> Talk:
    """Collect what the marks are found in; known utterances stand in for the activity of an unannotated session."""
    bridge = round(BRIDGE_S * session.sample_rate)
    ipus = {
        party: (session.speech.of(party).timeline() or _timeline(spoken[party], *SAID)).bridge(bridge)
        for party in PARTIES
    }
    return Talk(sample_rate=session.sample_rate, ipus=ipus, spoken=spoken, scores=scores)


def turn_marks(talk: Talk) -> Iterator[Mark]:
    """Give the marks of the conversation, kind by kind."""
    judged = talk.evidence("turns.fto_p50_s")
    yield from (_judged_transfer(talk, item) for item in judged)
    yield from _transfers(talk) if not judged else ()
    yield from (_overlap(talk, both) for both in talk.ipus["user"] & talk.ipus["agent"])
    yield from _barge_ins(talk)
    yield from _backchannels(talk)
    yield from (_injected(party, item) for party in PARTIES for item in talk.spoken[party] if item.role in INJECTED)


def _judged_transfer(talk: Talk, item: Evidence) -> Mark:
    gap = (item.value or 0.0) >= 0
    return _transfer(talk, *((item.start, item.end) if gap else (item.end, item.start)), item.party)


def _transfers(talk: Talk) -> Iterator[Mark]:
    """Floor transfers by shape: speech inside the other's, known backchannels and asides move no floor."""
    turns = sorted(
        (stretch, party)
        for party in PARTIES
        for stretch in talk.ipus[party]
        if not _mostly_inside(stretch, _timeline(talk.spoken[party], "backchannel", "aside"))
    )
    holder: tuple[Party, int] | None = None
    for stretch, party in turns:
        if holder is None or holder[0] == party:
            holder = (party, max(stretch.end, holder[1] if holder else 0))
        elif stretch.end > holder[1]:
            yield _transfer(talk, holder[1], stretch.start, party)
            holder = (party, stretch.end)


def _transfer(talk: Talk, end: int, start: int, party: str) -> Mark:
    ms = talk.ms(start - end)
    told = f"{ms:+.0f} ms".replace("-", "−")
    detail = f"the floor goes to the {party}: fto {told} ({'gap' if ms >= 0 else 'overlap'})"
    return Mark(kind="transfer", start=end, end=start, party=party, ms=ms, label=told, detail=detail)


def _overlap(talk: Talk, both: Stretch) -> Mark:
    ms = talk.ms(both.length)
    detail = f"both speak for {ms:.0f} ms"
    return Mark(kind="overlap", start=both.start, end=both.end, ms=ms, label=f"{ms:.0f} ms", detail=detail)


def _barge_ins(talk: Talk) -> Iterator[Mark]:
    """Barge-ins as the score judged them, else the interruptions that were planned, to where the other stops."""
    judged = talk.evidence("barge_in.yield_rate")
    for case in judged:
        party = "agent" if case.party == "user" else "user"  # the evidence names who had to yield
        yield _barge_in(talk, Stretch(case.start, case.end), party, case.label)
    for party in PARTIES if not judged else ():
        for item in talk.spoken[party]:
            running = talk.ipus[other_party(party)].at(item.start)
            if item.role == "interruption" and running is not None:
                yield _barge_in(talk, Stretch(item.start, running.end), party, "the other stops")


def _barge_in(talk: Talk, over: Stretch, party: str, outcome: str) -> Mark:
    ms = talk.ms(over.length)
    stopped = outcome in ("yielded", "the other stops")
    label = f"{outcome} after {ms:.0f} ms" if stopped else outcome
    detail = f"barge-in of the {party}: {label}" + ("" if stopped else f" ({ms:.0f} ms of overlap)")
    return Mark(kind="barge_in", start=over.start, end=over.end, party=party, ms=ms, label=label, detail=detail)


def _backchannels(talk: Talk) -> Iterator[Mark]:
    """Backchannels that are known, with what the other did then; and those that scores judged by their shape."""
    outcomes = {item.start: item for item in talk.evidence("backchannel.kept_floor_rate")}
    for party in PARTIES:
        for item in talk.spoken[party]:
            if item.role == "backchannel":
                outcome = outcomes.pop(item.start, None)
                after = f"; the {other_party(party)} {outcome.label}" if outcome else ""
                yield _backchannel(item, party, item.text, f"backchannel of the {party}: {item.text}{after}")
    for judged in outcomes.values():
        yield _backchannel(judged, "user", judged.label, f"backchannel of the user, by its shape; {judged.label}")
    known = {item.start for item in talk.spoken["agent"]}
    for judged in talk.evidence("backchannel.agent_per_min"):
        if judged.start not in known:
            yield _backchannel(judged, "agent", "", "backchannel of the agent, by its shape")


def _backchannel(item: Segment | Evidence, party: str, label: str, detail: str) -> Mark:
    return Mark(kind="backchannel", start=item.start, end=item.end, party=party, label=label, detail=detail)


def _injected(party: Party, item: Segment) -> Mark:
    detail = f"injected {item.role} of the {party} (truth): {item.text}"
    return Mark(kind="injected", start=item.start, end=item.end, party=party, label=item.role, detail=detail)


def _timeline(segments: Sequence[Segment], *roles: str) -> Timeline:
    """Where segments lie; only those in one of the roles, if any are named."""
    return Timeline((item.start, item.end) for item in segments if not roles or item.role in roles)


def _mostly_inside(stretch: Stretch, timeline: Timeline) -> bool:
    return 2 * timeline.crop(stretch.start, stretch.end).total() > stretch.length
