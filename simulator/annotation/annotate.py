"""Annotation: who spoke when and which words, from truth where a session holds it, else from its sound.

A party whose events account for every audible frame of its track needs no detector: its segments are truth,
its words those of the events. Any other track is listened to: activity with edges refined by energy,
recognition, forced alignment. The same session gives the same annotation, byte for byte, and what has been listened to
once is not listened to again.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import msgspec

from simulator.annotation import transcribe
from simulator.annotation.audible import frame_levels
from simulator.annotation.detect import Track, detect
from simulator.annotation.truth import Told, known_speech, told, within_speech
from simulator.engines.kinds import RecognizerSpec
from simulator.engines.store import Store, cache_folder, key_of
from simulator.errors import ScenarioError
from simulator.events import PARTIES, Party
from simulator.floor.ipus import BREATH_S
from simulator.logs import log
from simulator.session import Session
from simulator.sound.phrase_end import AFTER_S, BEFORE_S, phrase_end
from simulator.spec import encode
from simulator.speech import PartySpeech, Segment, Speech, SpokenWord
from simulator.timeline import Timeline

BLOCK_S = 30.0
DETECTOR = "silero+energy"
VERSION = 6
"""Raised when the same session is annotated differently: what the cache holds is then forgotten."""


class _Draft(msgspec.Struct, kw_only=True):
    """A party's speech in the making. heard: its activity was detected because its events do not tell all."""

    session: Session
    party: Party
    speech: PartySpeech
    heard: bool


def annotate(session: Session, *, words: bool = True, recognizer: RecognizerSpec = transcribe.RECOGNIZER) -> Speech:
    """Give the speech of both parties. words=False leaves recognition out (and so words that only it can give).

    Memory is flat in session length. Where the recogniser does not run, words that nobody told stay empty and
    `recognizer` too.
    """
    return annotate_many([session], words=words, recognizer=recognizer)[0]


def annotate_many(
    sessions: Sequence[Session], *, words: bool = True, recognizer: RecognizerSpec = transcribe.RECOGNIZER
) -> list[Speech]:
    """Annotate sessions together: their tracks are heard side by side, which is faster than one session at a time."""
    drafts = [[_draft(session, party) for party in PARTIES] for session in sessions]
    unknown = [draft for pair in drafts for draft in pair if draft.heard]
    activity = detect([Track(session=draft.session, party=draft.party) for draft in unknown])
    for draft, timeline in zip(unknown, activity, strict=True):
        segments = tuple(_detected(draft.session, draft.party, timeline))
        known = {word.id for word in draft.speech.words}
        utterances = tuple(within_speech(draft.speech.utterances, known, timeline))
        draft.speech = msgspec.structs.replace(draft.speech, segments=segments, utterances=utterances)
    return [_speech(pair, recognizer if words else None) for pair in drafts]


def annotate_cached(session: Session, *, words: bool = True) -> Session:
    """Give the session with its annotation, kept in the user's cache folder by the hash of its sound and events.

    For foreign recordings and sessions without speech.json: nothing is written where they lie.
    """
    return annotate_many_cached([session], words=words)[0]


def annotated(session: Session, *, words: bool = True) -> Session:
    """Give the session with its annotation: its own, else that of `annotate_cached`."""
    return session if session.annotated else annotate_cached(session, words=words)


def annotate_many_cached(
    sessions: Sequence[Session], *, words: bool = True, recognizer: RecognizerSpec = transcribe.RECOGNIZER
) -> list[Session]:
    """Give sessions with their annotations from the user's cache; missing ones are annotated side by side."""
    kept = SpeechCache(cache_folder())
    made_by = f"{VERSION}:{DETECTOR}:{_asked_as(recognizer) if words else ''}"
    keys = [f"{made_by}:{session.fingerprint()}" for session in sessions]
    found = {key: kept.get(key) for key in keys}
    missing = {key: session for key, session in zip(keys, sessions, strict=True) if found[key] is None}
    for key, speech in zip(
        missing, annotate_many(list(missing.values()), words=words, recognizer=recognizer), strict=True
    ):
        found[key] = speech
        # Without a recogniser words are missing; one that is installed tomorrow shall be asked.
        if not words or speech.recognizer or not any(speech.of(party).segments for party in PARTIES):
            kept.put(key, speech)
    return [session.with_speech(found[key] or Speech()) for key, session in zip(keys, sessions, strict=True)]


def _asked_as(recognizer: RecognizerSpec) -> str:
    """Give the recogniser as it was asked for, all its keys and its model's digest included."""
    said = encode(recognizer)
    keys = said if isinstance(said, str) else msgspec.json.encode(said, order="sorted").decode()
    try:
        return f"{keys}:{recognizer.digest()}"
    except ScenarioError:
        return keys  # it does not run here, so nothing that it heard is kept


def _draft(session: Session, party: Party) -> _Draft:
    rate = session.sample_rate
    levels = frame_levels(session.said_blocks(party, round(BLOCK_S * rate)), rate, session.duration)
    speech, complete = known_speech(session, party, levels)
    return _Draft(session=session, party=party, speech=speech, heard=not complete)


def _detected(session: Session, party: Party, timeline: Timeline) -> Iterator[Segment]:
    """Give a track's segments; those that half a second of silence follows with how they end."""
    rate = session.sample_rate
    before, after = round(BEFORE_S * rate), round(AFTER_S * rate)
    ends = {end for _, end in timeline.bridge(round(BREATH_S * rate))}
    for start, end in timeline:
        first = max(0, end - before)
        how = phrase_end(session.said(party, first, end + after), end - first, rate) if end in ends else None
        yield Segment(start=start, end=end, source="vad", ending=how)


def _speech(pair: Sequence[_Draft], recognizer: RecognizerSpec | None) -> Speech:
    asked = recognizer is not None and _add_words(pair, recognizer)
    user, agent = (draft.speech for draft in pair)
    return Speech(
        user=user,
        agent=agent,
        detector=DETECTOR if any(draft.heard for draft in pair) else "",
        recognizer=recognizer.label if recognizer and asked else "",
    )


def _add_words(pair: Sequence[_Draft], recognizer: RecognizerSpec) -> bool:
    """Add what engines know; False when there is nothing for them to do, or they do not run here."""
    if not any(draft.heard or draft.speech.utterances for draft in pair):
        return False
    try:
        for draft, other in (pair, reversed(pair)):
            draft.speech = _with_words(draft, other.speech.timeline(), recognizer)
    except ScenarioError as error:
        _tell_missing(str(error))
        return False
    return True


@cache
def _tell_missing(why: str) -> None:
    """Say once a process why words are missing: a score that is undefined for want of a recogniser must not puzzle."""
    log.warning("words are not recognised", why=why)


def _with_words(draft: _Draft, other: Timeline, recognizer: RecognizerSpec) -> PartySpeech:
    speech, session, party = draft.speech, draft.session, draft.party
    words = [*speech.words, *_own_words(draft, recognizer)]
    heard, discarded = transcribe.recognised(session, party, speech.utterances, recognizer)
    if draft.heard:
        found, unbelieved = transcribe.credible_words(session, party, _untold(speech), other, recognizer)
        words, discarded = [*words, *found], [*discarded, *unbelieved]
    return msgspec.structs.replace(speech, words=_in_order(words), recognised=tuple(heard), discarded=tuple(discarded))


def _own_words(draft: _Draft, recognizer: RecognizerSpec) -> Iterator[SpokenWord]:
    """Give the words of utterances whose text is known but not when each word of it was said."""
    timed = {word.id for word in draft.speech.words}
    untimed = [item for item in draft.speech.utterances if item.text and item.id not in timed]
    # Backwards, so that of two utterances that were given the same id the earlier one is found.
    plans = {plan.id: plan for plan in reversed(told(draft.session, draft.party))} if untimed else {}
    for utterance in untimed:
        plan = plans[utterance.id]
        words = transcribe.own_words(draft.session, draft.party, utterance, _said_of(plan), recognizer)
        for index, word in enumerate(words):
            kind = plan.disfluency(index)
            yield msgspec.structs.replace(word, disfluency=kind) if kind else word


def _said_of(plan: Told) -> str:
    """Give what was said of a text: all of it unless it was cut, then by the plan's length."""
    tokens = plan.text.split()
    return " ".join(tokens[: round(len(tokens) * plan.share)]) if plan.cut else plan.text


def _untold(speech: PartySpeech) -> Timeline:
    """The segments that no known utterance accounts for."""
    known = Timeline((item.start, item.end) for item in speech.utterances)
    return Timeline(
        (segment.start, segment.end)
        for segment in speech.segments
        if 2 * known.crop(segment.start, segment.end).total() < segment.end - segment.start
    )


def _in_order(words: Sequence[SpokenWord]) -> tuple[SpokenWord, ...]:
    return tuple(sorted(words, key=lambda word: (word.start, word.end, word.id)))


class SpeechCache:
    """Annotations by key, in `speech/` of the user's cache folder; processes may share it."""

    def __init__(self, folder: Path | None) -> None:
        """Keep annotations under `folder`, which is made when needed; None keeps nothing."""
        self._store = Store(folder / "speech" if folder else None, "speech")

    def get(self, key: str) -> Speech | None:
        """Give the annotation kept under a key, if there is a whole one."""
        body = self._store.get(key_of(key))
        try:
            return None if body is None else msgspec.json.decode(body, type=Speech)
        except msgspec.DecodeError:
            return None

    def put(self, key: str, speech: Speech) -> None:
        """Keep an annotation; a reader sees all of it or nothing."""
        self._store.put(key_of(key), msgspec.json.encode(speech))
