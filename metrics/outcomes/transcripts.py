"""What is known of a party's words: by what was told of its speech, and by what was recognised in it."""

from collections.abc import Sequence

import msgspec

from simulator.annotation.transcribe import shared_out
from simulator.events import Party
from simulator.reading.outcomes import Source
from simulator.session import Session
from simulator.speech import SpokenWord
from simulator.timeline import Stretch

WORDLESS_S = 0.5
"""Speech of so much and no word in it is speech of which nobody knows what was said."""


class Transcript(msgspec.Struct, frozen=True, kw_only=True):
    """A party's words by one source, in time order, and its speech of which that source has none."""

    source: Source
    words: tuple[SpokenWord, ...]
    wordless: tuple[Stretch, ...]


def transcripts_of(session: Session, party: Party) -> list[Transcript]:
    """Give what is known of a party's words: what was told, and what was recognised, each where there is any."""
    speech = session.speech.of(party)
    told = [word for word in speech.words if word.source in ("truth", "model")]
    told += _from_far_end(session, party, told)
    heard = [word for word in speech.words if word.source == "asr"]
    for item in speech.recognised:
        heard += shared_out(item.text, Stretch(item.start, item.end), source="asr", id_=item.id)
    heard += [word for item in speech.discarded for word in item.words]
    segments = [Stretch(segment.start, segment.end) for segment in speech.segments]
    known: list[Transcript] = []
    sources: tuple[tuple[Source, list[SpokenWord]], ...] = (("told", told), ("heard", heard))
    for source, found in sources:
        if found or not segments:
            words = sorted(found, key=lambda word: (word.start, word.end))
            wordless = _wordless(words, segments, session.sample_rate)
            known.append(Transcript(source=source, words=tuple(words), wordless=wordless))
    return known


def _from_far_end(session: Session, party: Party, told: Sequence[SpokenWord]) -> list[SpokenWord]:
    """Words that a far end wrote down of its own speech, where its utterances were not told: when, it does not say.

    They lie where its speech does that no told word accounts for, in the order in which they came.
    """
    texts = [str(event.data.get("text", "")) for event in session.by_type.get("transcript", ())
             if event.data.get("of") == party and event.party == party]  # fmt: skip
    if told or not any(text.strip() for text in texts):
        return []
    segments = session.speech.of(party).segments
    whole = Stretch(segments[0].start, segments[-1].end) if segments else Stretch(0, session.duration)
    return shared_out(" ".join(texts), whole, source="model")


def _wordless(words: Sequence[SpokenWord], segments: Sequence[Stretch], rate: int) -> tuple[Stretch, ...]:
    return tuple(
        segment
        for segment in segments
        if segment.end - segment.start >= WORDLESS_S * rate
        and not any(word.start < segment.end and segment.start < word.end for word in words)
    )
