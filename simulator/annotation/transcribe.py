"""Words of tracks that nobody knows the text of: recognition, then forced alignment for the times.

Recognition takes stretches of a sentence or two with the pauses inside them; alignment gives each word its
place, and where it fails the words share the stretch by their lengths. What a known utterance sounds like to
a recogniser is kept beside its text, so that the two can be compared without the audio.
"""

from collections.abc import Sequence
from itertools import pairwise

import msgspec
import numpy as np

from simulator.engines import Word, engine
from simulator.events import Party
from simulator.frame import Samples
from simulator.session import Session
from simulator.speech import Segment, SpeechSource, SpokenWord
from simulator.timeline import Stretch, Timeline

RECOGNIZER, ALIGNER = "moonshine", "pocketsphinx"

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


def heard_words(session: Session, party: Party, speech: Timeline) -> list[SpokenWord]:
    """Recognise the speech of a track and give its words with times, in order (source `asr`)."""
    words: list[SpokenWord] = []
    stretches = pieces(speech, session.sample_rate)
    for stretch, room in zip(stretches, _rooms(stretches, session), strict=True):
        samples = session.said(party, room.start, room.end)
        text = engine(RECOGNIZER).recognize(samples, session.sample_rate)
        words += _placed(text, samples, room.start, stretch, session.sample_rate)
    return words


def _rooms(stretches: Sequence[Stretch], session: Session) -> list[Stretch]:
    """Give each stretch up to 0.2 s of sound on both sides, but nothing of its neighbours."""
    margin = round(MARGIN_S * session.sample_rate)
    borders = [(before.end + after.start) // 2 for before, after in pairwise(stretches)]
    firsts, lasts = [0, *borders], [*borders, session.duration]
    return [
        Stretch(max(first, stretch.start - margin), min(last, stretch.end + margin))
        for stretch, first, last in zip(stretches, firsts, lasts, strict=False)
    ]


def _placed(text: str, samples: Samples, start: int, within: Stretch, sample_rate: int) -> list[SpokenWord]:
    if not text.strip():
        return []
    aligned: list[Word] | None = engine(ALIGNER).align(samples, sample_rate, text)
    if aligned is None:
        return shared_out(text, within, source="asr")
    return [
        SpokenWord(
            text=word.text,
            start=start + word.start,
            end=start + max(word.end or 0, word.start + 1),
            source="asr",
        )
        for word in aligned
    ]


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


def own_words(session: Session, party: Party, utterance: Segment, said_text: str) -> list[SpokenWord]:
    """Give times to the words of an utterance whose text is known but not its word onsets (source `model`)."""
    samples = session.said(party, utterance.start, utterance.end)
    aligned: list[Word] | None = engine(ALIGNER).align(samples, session.sample_rate, said_text)
    whole = Stretch(utterance.start, utterance.end)
    if aligned is None:
        return shared_out(said_text, whole, source="model", id_=utterance.id)
    return [
        SpokenWord(
            text=word.text,
            start=utterance.start + word.start,
            end=utterance.start + max(word.end or 0, word.start + 1),
            source="model",
            id=utterance.id,
        )
        for word in aligned
    ]


def recognised(session: Session, party: Party, utterances: Sequence[Segment]) -> list[Segment]:
    """Give what a recogniser hears in each utterance that has a text: the same stretch, `text` as heard."""
    found: list[Segment] = []
    for utterance in utterances:
        if utterance.text:
            samples = session.said(party, utterance.start, utterance.end)
            text = engine(RECOGNIZER).recognize(samples, session.sample_rate)
            found.append(msgspec.structs.replace(utterance, source="asr", text=text))
    return found
