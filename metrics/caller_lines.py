"""What a caller said, turn by turn, each with what the other had said before it; and what the caller was told.

A caller is a party of the kind `caller`, or a remote model with a `persona`. Its words are those it told, what it
heard is what it understood; where nobody told, both are the words of the annotation.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from metrics.texts import text_of
from simulator.annotation.truth import Told, told
from simulator.events import Party, other_party
from simulator.session import Session
from simulator.speech import SpokenWord

TURN_GAP_S = 1.0
"""Words of a remote model that are further apart than this belong to two turns."""


class CallerLine(msgspec.Struct, frozen=True, kw_only=True):
    """A turn of a caller: said in [start, end) samples. heard: what the other said since the turn before."""

    start: int
    end: int
    text: str
    heard: str


class CallerKnows(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller was told. open: goal, stages, opening: what it may say unasked. asked: patterns by fact."""

    party: Party
    persona: str = ""
    open: str = ""
    facts: Mapping[str, str] = {}
    asked: Mapping[str, str] = {}


def caller_of(session: Session, party: Party) -> CallerKnows | None:
    """Give what a party was told as a caller; None where it is none."""
    meta = session.meta.parties.get(party)
    if meta is None:
        return None
    spec = meta.spec if meta.kind == "caller" else meta.spec.get("persona")
    if not isinstance(spec, dict) or not spec.get("goal"):
        return None
    stages = spec.get("stages") or []
    parts = list(stages.values()) if isinstance(stages, dict) else stages
    spoken = [text for part in parts for text in (part.values() if isinstance(part, dict) else [part])]
    llm = spec.get("llm") if isinstance(spec.get("llm"), dict) else {}
    return CallerKnows(
        party=party,
        persona=str(spec.get("persona") or spec.get("who") or ""),
        open=" ".join(map(str, (spec["goal"], spec.get("opening") or "", *spoken))),
        facts={str(name): str(value) for name, value in (spec.get("facts") or {}).items()},
        asked={str(name): str(pattern) for name, pattern in ((llm or {}).get("asked") or {}).items()},
    )


def lines_of(session: Session, party: Party) -> list[CallerLine]:
    """Give a party's turns in time order, backchannels and injected speech aside."""
    said = [item for item in told(session, party) if item.text and item.role in ("turn", "interruption")]
    own = [(item.start, item.end, _said(item)) for item in said]
    own = own or list(_turns(session.speech.of(party).words, session))
    decided = [event.data for event in session.by_type.get("decided", []) if event.party == party]
    understood = {data["id"]: str(data.get("heard", "")) for data in decided if "id" in data}
    heard = [understood.get(item.id, "") for item in said] if understood else _between(session, own, party)
    return [
        CallerLine(start=start, end=end, text=text, heard=before)
        for (start, end, text), before in zip(own, heard, strict=True)
        if text
    ]


def _said(item: Told) -> str:
    """Give what was said of an utterance: the words whose onset was reached."""
    if not item.cut:
        return item.text
    if item.words:
        return " ".join(text for text, onset in item.words if onset < item.end)
    words = item.text.split()
    return " ".join(words[: round(len(words) * item.share)])


def _turns(words: Sequence[SpokenWord], session: Session) -> Iterator[tuple[int, int, str]]:
    turn: list[SpokenWord] = []
    for word in words:
        if turn and word.start - turn[-1].end > TURN_GAP_S * session.sample_rate:
            yield turn[0].start, turn[-1].end, text_of(turn)
            turn = []
        turn.append(word)
    if turn:
        yield turn[0].start, turn[-1].end, text_of(turn)


def _between(session: Session, own: Sequence[tuple[int, int, str]], party: Party) -> list[str]:
    """Give what the other said before each turn and after the one before it."""
    words = session.speech.of(other_party(party)).words
    texts = [(item.start, item.text) for item in told(session, other_party(party))] if not words else []
    found: list[str] = []
    since = 0
    for start, _, _ in own:
        heard: list[Any] = [word.text for word in words if since <= word.start < start]
        heard += [text for at, text in texts if since <= at < start]
        found.append(" ".join(heard))
        since = start
    return found
