"""What a session's annotation holds, as rows in seconds: the common source of the text exporters."""

from typing import Any

import msgspec

from simulator.events import PARTIES, Party
from simulator.session import Session
from simulator.speech import Segment, SpokenWord


class TierRow(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of speech, an utterance or a word; times in seconds."""

    tier: str
    party: Party
    start_s: float
    end_s: float
    text: str = ""
    source: str = ""
    role: str = ""


def segments(session: Session, party: Party) -> list[TierRow]:
    """Give when a party speaks, with the words that start in each stretch."""
    speech = session.speech.of(party)
    return [
        TierRow(
            tier="segment",
            text=item.text or " ".join(word.text for word in speech.words_within(item.start, item.end)),
            role=item.role,
            **_place(session, party, item),
        )
        for item in speech.segments
    ]


def words(session: Session, party: Party) -> list[TierRow]:
    """Give a party's words."""
    return [
        TierRow(tier="word", text=item.text, **_place(session, party, item)) for item in session.speech.of(party).words
    ]


def utterances(session: Session, party: Party) -> list[TierRow]:
    """Give what a party is known to have said: of an utterance that was cut short, the words that were said."""
    speech = session.speech.of(party)
    said: dict[str, list[str]] = {}
    for word in speech.words:
        said.setdefault(word.id, []).append(word.text + "…" * word.cut)
    return [
        TierRow(
            tier="utterance",
            text=" ".join(said[item.id]) if len(said.get(item.id, ())) < len(item.text.split()) and item.id in said
            else item.text,
            role=item.role,
            **_place(session, party, item),
        )
        for item in speech.utterances
    ]  # fmt: skip


def sayings(session: Session) -> list[TierRow]:
    """Give what a reader wants to see as lines: known utterances of both, a party's segments without; in order."""
    found = [row for party in PARTIES for row in utterances(session, party) or segments(session, party)]
    return sorted(found, key=_when)


def rows(session: Session) -> list[TierRow]:
    """Give everything, in time order."""
    kinds = (segments, words, utterances)
    return sorted((row for party in PARTIES for kind in kinds for row in kind(session, party)), key=_when)


def _when(row: TierRow) -> tuple[float, float, str, str]:
    return row.start_s, row.end_s, row.party, row.tier


def _place(session: Session, party: Party, item: Segment | SpokenWord) -> dict[str, Any]:
    start, end = session.seconds(item.start), session.seconds(item.end)
    return {"party": party, "start_s": start, "end_s": end, "source": item.source}
