"""Truth: what the events of a session tell about a party's speech, held against its sound.

What a synthesiser or a script knows is never estimated again: an utterance's text and word onsets come from
`speech_start`, its end from `speech_end`; its edges are the first and last audible 10 ms frame inside it.
"""

from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise
from typing import Any

import msgspec

from simulator.annotation.audible import FRAME_S, FrameLevels
from simulator.events import Event, Party
from simulator.session import Session
from simulator.speech import AnnotatedSession, PartySpeech, Segment, SpokenWord
from simulator.timeline import Stretch, Timeline

BRIDGE_S = 0.1
"""Silences shorter than this are stops and closures inside speech; the detector's own grain."""

_CUT_S = 0.02
_UNBROKEN_S = 3.0


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """An utterance as its events tell it: said in [start, end) samples, with planned word onsets on the session.

    cut: it was stopped before its end. share: how much of its plan was said, 0 to 1. disfluent: words that are no part
    of what is meant, as [first, last) of the text and what they are.
    """

    id: str
    role: str
    text: str
    start: int
    end: int
    cut: bool
    share: float = 1.0
    words: tuple[tuple[str, int], ...] = ()
    disfluent: tuple[tuple[int, int, str], ...] = ()

    def disfluency(self, index: int) -> str:
        """What a word of the text is, where it is no part of what is meant; else empty."""
        return next((kind for first, last, kind in self.disfluent if first <= index < last), "")


def told(session: AnnotatedSession, party: Party) -> list[Told]:
    """Give the utterances of a party in time order; one whose end was never told lasts to the end of the session."""
    ends = {event.data.get("id"): event for event in session.by_type.get("speech_end", []) if event.party == party}
    starts = [event for event in session.by_type.get("speech_start", []) if event.party == party]
    found = [_told(event, ends.get(event.data.get("id")), session.duration) for event in starts]
    return sorted((item for item in found if item.start < item.end), key=lambda item: (item.start, item.end, item.id))


def _told(begun: Event, ended: Event | None, duration: int) -> Told:
    data = begun.data
    end = duration if ended is None else min(duration, int(ended.data.get("since", ended.at)))
    return Told(
        id=str(data.get("id", "")),
        role=str(data.get("role", "turn")),
        text=str(data.get("text", "")),
        start=max(0, min(begun.at, int(data.get("since", begun.at)))),
        end=end,
        cut=ended is None or bool(ended.data.get("cut")),
        share=_share(begun, ended),
        words=tuple(_onsets(data.get("words") or ())),
        disfluent=tuple((int(mark[0]), int(mark[1]), str(mark[2])) for mark in data.get("disfluent") or ()),
    )


def _share(begun: Event, ended: Event | None) -> float:
    """Both lengths are counted at the speaker's own rate, so only their ratio means something here."""
    planned, said = begun.data.get("planned_samples"), ended.data.get("said_samples") if ended else None
    return min(1.0, said / planned) if planned and said is not None else 1.0


def _onsets(words: Sequence[Any]) -> Iterator[tuple[str, int]]:
    for word in words:
        yield str(word[0]), int(word[1])


def known_speech(session: Session, party: Party, levels: FrameLevels) -> tuple[PartySpeech, bool]:
    """Give what the events know of a party's speech, and whether that is all of it.

    It is all when no sound lies outside the utterances and each of them is known inside; then its segments are truth.
    Otherwise utterances and their words are known, and who speaks when must be detected. A played recording (role
    `recording`) is no utterance: it holds whatever it holds.
    """
    everything = told(session, party)
    complete = all(_is_known_inside(item, levels) for item in everything) and not levels.any_outside(
        Timeline((item.start, item.end) for item in everything)
    )
    bridge, cut = round(BRIDGE_S * session.sample_rate), round(_CUT_S * session.sample_rate)
    segments: list[Segment] = []
    utterances: list[Segment] = []
    words: list[SpokenWord] = []
    for item in everything:
        sound = levels.audible(item.start, item.end).bridge(bridge)
        if item.role == "recording" or not sound:
            continue
        segments += [_segment(item, stretch) for stretch in sound]
        whole = _segment(item, Stretch(sound[0].start, sound[-1].end))
        utterances.append(msgspec.structs.replace(whole, text=item.text))
        words += said_words(item, sound, cut)
    words.sort(key=lambda word: (word.start, word.end))
    speech = PartySpeech(segments=tuple(segments) if complete else (), utterances=tuple(utterances), words=tuple(words))
    return speech, complete


def _is_known_inside(item: Told, levels: FrameLevels) -> bool:
    """Whether sound inside an utterance is speech: a synthesiser told its words, or its text is known and it is clean.

    Clean speech has a silent frame every now and then; sound of several seconds without any has noise under it.
    """
    if item.role == "recording" or not (item.words or item.text):
        return False
    sound = levels.audible(item.start, item.end)
    return bool(item.words) or max((s.length for s in sound), default=0) < _UNBROKEN_S * levels.frame / FRAME_S


def _segment(item: Told, stretch: Stretch) -> Segment:
    return Segment(start=stretch.start, end=stretch.end, source="truth", id=item.id, role=item.role)


def within_speech(utterances: Sequence[Segment], known: Collection[str], speech: Timeline) -> Iterator[Segment]:
    """Give the utterances of a party that was listened to: those not `known` inside reach from first to last speech.

    One in which nobody was heard to speak is left out.
    """
    for item in utterances:
        inside = speech.within(item.start, item.end)
        if item.id in known:
            yield item
        elif inside:
            first, last = max(item.start, inside[0].start), min(item.end, inside[-1].end)
            yield msgspec.structs.replace(item, start=first, end=last, source="vad")


def said_words(item: Told, sound: Timeline, tolerance: int) -> list[SpokenWord]:
    """Give the words of an utterance that were begun; the one running when it was cut is marked.

    A word ends where the sound does before the next word begins. tolerance: samples that a cut may lie behind
    the last sound of the word it cut.
    """
    begun = [(text, onset) for text, onset in item.words if onset < item.end]
    edges = [onset for _, onset in begun] + [item.end]
    words: list[SpokenWord] = []
    for index, ((text, start), (_, until)) in enumerate(zip(begun, pairwise(edges), strict=True)):
        heard = sound.crop(start, until)
        end = heard[-1].end if heard else until
        end, kind = max(end, start + 1), item.disfluency(index)
        words.append(SpokenWord(text=text, start=start, end=end, source="truth", id=item.id, disfluency=kind))
    if words and item.cut and item.end - words[-1].end <= tolerance:
        words[-1] = msgspec.structs.replace(words[-1], cut=True)
    return words
