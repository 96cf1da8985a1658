"""Words of tracks that nobody knows the text of: recognition, then forced alignment for the times.

Recognition takes stretches of a sentence or two with the pauses inside them; alignment gives each word its place;
where it fails, or the language is not English, which it is made for, the recogniser's own times are taken, and where it
tells none the words share the stretch by their lengths. What a known utterance sounds like to a recogniser is kept
beside its text, so that the two can be compared without the audio.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import msgspec
import numpy as np

from simulator.annotation.credible import BACKCHANNEL_S, believed
from simulator.annotation.party_language import speaks_english
from simulator.engines import Recognition, Word
from simulator.engines.kinds import RecognizerSpec
from simulator.engines.moonshine import MoonshineSpec
from simulator.engines.remembered import aligned
from simulator.events import Party
from simulator.frame import Samples
from simulator.session import Session
from simulator.speech import Discarded, Segment, SpeechSource, SpokenWord
from simulator.timeline import Stretch, Timeline

RECOGNIZER: RecognizerSpec = MoonshineSpec()
"""Who is asked unless another is named."""
ALIGNER, _ALIGNED = "pocketsphinx", "en"

SENTENCE_PAUSE_S = 0.7
LONGEST_S = 12.0
MARGIN_S = 0.2


def pieces(speech: Timeline, sample_rate: int) -> list[Stretch]:
    """Join segments into stretches to be recognised: pauses under 0.7 s inside, 12 s at most where a pause allows."""
    joined: list[Stretch] = []
    longest = round(LONGEST_S * sample_rate)
    for segment in speech:
        if (
            joined
            and segment.start - joined[-1].end < round(SENTENCE_PAUSE_S * sample_rate)
            and segment.end - joined[-1].start <= longest
        ):
            joined[-1] = Stretch(joined[-1].start, segment.end)
        else:
            joined.append(segment)
    return joined


class Sounded(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of speech that was recognised, with its words and their times (source `asr`)."""

    stretch: Stretch
    text: str
    words: tuple[SpokenWord, ...]


def sounded(
    session: Session, party: Party, speech: Timeline, recognizer: RecognizerSpec = RECOGNIZER
) -> Iterator[Sounded]:
    """Recognise the speech of a track, stretch by stretch, in order: all that the recogniser says of it."""
    stretches = pieces(speech, session.sample_rate)
    english = "" if speaks_english(session, party) else "another"
    for stretch, room in zip(stretches, _rooms(stretches, session), strict=True):
        samples = session.said(party, room.start, room.end)
        heard = recognizer.shared().recognize(samples, session.sample_rate)
        fits = heard.text.strip() and (heard.language or english) in ("", _ALIGNED)
        timed = _aligned(heard, samples, session.sample_rate) if fits else None
        if timed is not None:
            words = [_at(word, room.start) for word in timed]
        elif any(word.end for word in heard.words):
            words = [_at(word, room.start, timed_by=recognizer.label) for word in heard.words]
        else:
            words = shared_out(heard.text, stretch, source="asr")
        yield Sounded(stretch=stretch, text=heard.text, words=tuple(words))


def credible_words(
    session: Session, party: Party, speech: Timeline, other: Timeline, recognizer: RecognizerSpec
) -> tuple[list[SpokenWord], list[Discarded]]:
    """Give the recognised words of a track that can be believed, and what else was heard, with the reason.

    other: where the other party speaks; a short sound mostly inside it is shaped like a backchannel, whose words are
    known of English alone.
    """
    rate = session.sample_rate
    words: list[SpokenWord] = []
    discarded: list[Discarded] = []
    english = speaks_english(session, party)
    others = other.bridge(round(SENTENCE_PAUSE_S * rate))
    for item in sounded(session, party, speech, recognizer):
        start, end = item.stretch
        inside = english and 2 * others.covered(start, end) >= end - start
        like_backchannel = inside and end - start < BACKCHANNEL_S * rate
        text, reason = believed(item.text, (end - start) / rate, like_backchannel=like_backchannel)
        if reason:
            discarded.append(Discarded(start=start, end=end, text=item.text, reason=reason, words=item.words))
        else:
            words += map(_spelled, item.words, text.split())
    return words, discarded


def _spelled(word: SpokenWord, text: str) -> SpokenWord:
    return word if word.text == text else msgspec.structs.replace(word, text=text)


def _rooms(stretches: Sequence[Stretch], session: Session) -> list[Stretch]:
    """Give each stretch up to 0.2 s of sound on both sides, but nothing of its neighbours."""
    margin = round(MARGIN_S * session.sample_rate)
    borders = [(before.end + after.start) // 2 for before, after in pairwise(stretches)]
    firsts, lasts = [0, *borders], [*borders, session.duration]
    return [
        Stretch(max(first, stretch.start - margin), min(last, stretch.end + margin))
        for stretch, first, last in zip(stretches, firsts, lasts, strict=False)
    ]


def _aligned(heard: Recognition, samples: Samples, sample_rate: int) -> list[Word] | None:
    """Give the words of an English text with aligned times; None where they do not fit the sound."""
    found = aligned(ALIGNER, samples, sample_rate, heard.text)
    said = [word.confidence for word in heard.words]
    if found is None or len(found) != len(said):
        return found
    return [msgspec.structs.replace(word, confidence=sure) for word, sure in zip(found, said, strict=True)]


def _at(word: Word, start: int, *, source: SpeechSource = "asr", id_: str = "", timed_by: str = "") -> SpokenWord:
    """Give a word of a stretch that begins at `start` its place in the session."""
    return SpokenWord(
        text=word.text,
        start=start + word.start,
        end=start + max(word.end or 0, word.start + 1),
        source=source,
        id=id_,
        timed_by=timed_by,
        confidence=word.confidence,
    )


def shared_out(text: str, within: Stretch, *, source: SpeechSource, id_: str = "") -> list[SpokenWord]:
    """Spread words over a stretch by their lengths: the fallback when nothing better is known of their times."""
    tokens = text.split()
    if not tokens:
        return []
    edges = np.cumsum([0, *(len(token) + 1 for token in tokens)])
    places = [within.start + int(edge * within.length // int(edges[-1])) for edge in edges]
    return [
        SpokenWord(text=token, start=start, end=max(end, start + 1), source=source, id=id_)
        for token, (start, end) in zip(tokens, pairwise(places), strict=True)
    ]


def own_words(
    session: Session, party: Party, utterance: Segment, said_text: str, recognizer: RecognizerSpec = RECOGNIZER
) -> list[SpokenWord]:
    """Give times to the words of an utterance whose text is known but not its word onsets (source `model`).

    English is aligned; another language's words have the times of as many that the recogniser hears, else they share
    the sound by their lengths.
    """
    samples = session.said(party, utterance.start, utterance.end)
    timed_by = ""
    if speaks_english(session, party):
        timed: Sequence[Word] | None = aligned(ALIGNER, samples, session.sample_rate, said_text)
    else:
        timed, timed_by = _timed_by_ear(samples, session.sample_rate, said_text, recognizer), recognizer.label
    if timed is None:
        whole = Stretch(utterance.start, utterance.end)
        return shared_out(said_text, whole, source="model", id_=utterance.id)
    return [_at(word, utterance.start, source="model", id_=utterance.id, timed_by=timed_by) for word in timed]


def _timed_by_ear(samples: Samples, rate: int, text: str, recognizer: RecognizerSpec) -> list[Word] | None:
    """Give a text's words with the times of those that are heard; None where it is not as many."""
    heard, tokens = recognizer.shared().recognize(samples, rate).words, text.split()
    if len(heard) != len(tokens) or not any(word.end for word in heard):
        return None
    return [msgspec.structs.replace(word, text=token) for word, token in zip(heard, tokens, strict=True)]


def recognised(
    session: Session, party: Party, utterances: Sequence[Segment], recognizer: RecognizerSpec
) -> tuple[list[Segment], list[Discarded]]:
    """Give what a recogniser hears in each utterance that has a text: the same stretch, `text` as heard.

    A text of more words than the sound can hold is none; it is given apart.
    """
    found: list[Segment] = []
    discarded: list[Discarded] = []
    for item in utterances:
        if item.text:
            samples = session.said(party, item.start, item.end)
            heard = recognizer.shared().recognize(samples, session.sample_rate).text
            text, reason = believed(heard, (item.end - item.start) / session.sample_rate)
            found.append(msgspec.structs.replace(item, source="asr", text=text))
            if reason:
                discarded.append(Discarded(start=item.start, end=item.end, text=heard, reason=reason))
    return found, discarded
