"""Marks of the conversation: who takes the floor how fast, who speaks over whom, who yields, who only says mm-hm.

Where a score has measured something, its evidence is drawn; everything else is judged by the functions that the
scores are made with (`simulator/floor/`), so that picture and number never disagree.
"""

from collections.abc import Iterator, Sequence

from simulator.annotation.truth import told
from simulator.events import PARTIES, Party, other_party
from simulator.floor.contributions import INJECTED_ROLES, Contribution
from simulator.floor.floor import Floor
from simulator.floor.transfers import overlaps, transfers
from simulator.floor.yields import shown_barge_ins
from simulator.report.marks.mark import Mark
from simulator.score import Evidence, Score
from simulator.session import Session
from simulator.speech import PartySpeech, Segment, Speech
from simulator.timeline import Stretch

TRANSFERS, BARGE_INS, BACKCHANNELS = "turns.fto_p50_s", "barge_in.yield_rate", "backchannel.kept_floor_rate"
"""The scores whose evidence is drawn."""


def utterances(session: Session, party: Party) -> Sequence[Segment]:
    """Give what a party is known to have said, with roles: the annotation's truth, else read from the events."""
    return session.speech.of(party).utterances or tuple(
        Segment(start=item.start, end=item.end, source="truth", id=item.id, role=item.role, text=item.text)
        for item in told(session, party)
    )


def floor_of(session: Session) -> Floor:
    """Give the floor of a session; in one that was never annotated what was told counts as what was heard."""
    if any(session.speech.of(party).segments for party in PARTIES):
        return Floor(session)
    return Floor(session.with_speech(Speech(user=_as_told(session, "user"), agent=_as_told(session, "agent"))))


def _as_told(session: Session, party: Party) -> PartySpeech:
    """A recording is no utterance: nobody knows what silence it holds."""
    said = tuple(item for item in utterances(session, party) if item.role != "recording")
    return PartySpeech(segments=said, utterances=said)


def turn_marks(floor: Floor, scores: Sequence[Score]) -> Iterator[Mark]:
    """Give the marks of the conversation, kind by kind."""
    evidence = {score.id: score.evidence for score in scores}
    yield from _transfers(floor, evidence.get(TRANSFERS))
    yield from (_overlap(floor, both) for both in overlaps(floor))
    yield from _barge_ins(floor, evidence.get(BARGE_INS))
    yield from _backchannels(floor, evidence.get(BACKCHANNELS, ()))
    yield from (_injected(item) for party in PARTIES for item in floor.side(party).of_role(*INJECTED_ROLES))


def _transfers(floor: Floor, judged: Sequence[Evidence] | None) -> Iterator[Mark]:
    if judged is None:
        yield from (_transfer(floor, item.end, item.start, item.party) for item in transfers(floor))
    for item in judged or ():
        gap = (item.value or 0.0) >= 0
        yield _transfer(floor, *((item.start, item.end) if gap else (item.end, item.start)), item.party)


def _transfer(floor: Floor, end: int, start: int, party: str) -> Mark:
    ms = _ms(floor, start - end)
    label = f"{ms:+.0f} ms".replace("-", "−")
    detail = f"the floor goes to the {party}: fto {label} ({'gap' if ms >= 0 else 'overlap'})"
    return Mark(kind="transfer", start=end, end=start, party=party, ms=ms, label=label, detail=detail)


def _overlap(floor: Floor, both: Stretch) -> Mark:
    ms = _ms(floor, both.length)
    detail = f"both speak for {ms:.0f} ms"
    return Mark(kind="overlap", start=both.start, end=both.end, ms=ms, label=f"{ms:.0f} ms", detail=detail)


def _barge_ins(floor: Floor, judged: Sequence[Evidence] | None) -> Iterator[Mark]:
    """The user's as a score judged them with its own thresholds, else by the usual ones."""
    for case in judged or ():
        yield _barge_in(floor, Stretch(case.start, case.end), "user", case.label)
    for item in shown_barge_ins(floor):
        if judged is None or item.by.party == "agent":
            yield _barge_in(floor, Stretch(item.by.start, item.stop), item.by.party, item.outcome)


def _barge_in(floor: Floor, over: Stretch, party: Party, outcome: str) -> Mark:
    ms = _ms(floor, over.length)
    label = f"{outcome} after {ms:.0f} ms" if outcome == "yielded" else outcome
    detail = f"barge-in of the {party}: {label}" + ("" if outcome == "yielded" else f" ({ms:.0f} ms of overlap)")
    return Mark(kind="barge_in", start=over.start, end=over.end, party=party, ms=ms, label=label, detail=detail)


def _backchannels(floor: Floor, judged: Sequence[Evidence]) -> Iterator[Mark]:
    """All backchannels, told ones with their text, the others by their shape; with what the other did where judged."""
    outcomes = {item.start: item.label for item in judged}
    for party in PARTIES:
        for item in floor.side(party).of_role("backchannel"):
            outcome = outcomes.get(item.start) if party == "user" else None
            after = f"; the {other_party(party)} {outcome}" if outcome else ""
            detail = f"backchannel of the {party}" + (f": {item.text}" if item.told else ", by its shape") + after
            yield Mark(kind="backchannel", start=item.start, end=item.end, party=party, label=item.text, detail=detail)


def _injected(item: Contribution) -> Mark:
    detail = f"planned {item.role} of the {item.party} (truth): {item.text}"
    return Mark(kind="injected", start=item.start, end=item.end, party=item.party, label=item.role, detail=detail)


def _ms(floor: Floor, samples: int) -> float:
    """Samples as milliseconds, to a tenth."""
    return round(samples * 1000 / floor.session.sample_rate, 1)
