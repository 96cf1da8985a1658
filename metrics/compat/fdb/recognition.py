"""Words of a sample whose word file is missing: our own annotation of its sound file."""

from collections.abc import Sequence

from metrics.compat.fdb.samples import FdbSample, Words, as_words
from simulator.annotation.detect import Track, detect
from simulator.annotation.transcribe import heard_words, own_words
from simulator.session import Session
from simulator.speech import Segment, SpokenWord
from simulator.timeline import Timeline


def recognised(
    sample: FdbSample, sound: str, *, spans: Sequence[tuple[float, float]] | None, texts: Sequence[str] | None
) -> Words:
    """Recognise the words of a sound file of a sample (its first channel).

    spans: stretches of speech in seconds instead of detection. texts: their texts, in order, instead of
    recognition.
    """
    track = Session.of_recording(sample.folder / sound, user_channel=0, agent_channel=0)
    speech = _speech(track, spans)
    words = heard_words(track, "agent", speech) if texts is None else _told_words(track, speech, texts)
    second = track.seconds
    return as_words([(word.text, second(word.start), second(word.end)) for word in words])


def _speech(track: Session, spans: Sequence[tuple[float, float]] | None) -> Timeline:
    if spans is None:
        return detect([Track(session=track, party="agent")])[0]
    rate = track.sample_rate
    return Timeline((round(start * rate), round(end * rate)) for start, end in spans)


def _told_words(track: Session, speech: Timeline, texts: Sequence[str]) -> list[SpokenWord]:
    words: list[SpokenWord] = []
    for index, (stretch, text) in enumerate(zip(speech, texts, strict=False)):
        segment = Segment(start=stretch.start, end=stretch.end, source="asr", id=str(index), text=text)
        words += own_words(track, "agent", segment, text)
    return words
