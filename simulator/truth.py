"""Truth: what the events of a session tell about a party's speech, held against its sound.

What a synthesiser or a script knows is never estimated again: an utterance's text and word onsets come from
`speech_start`, its end from `speech_end`; its edges are the first and last audible 10 ms frame inside it.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import msgspec

from simulator.events import Event, Party
from simulator.loud import FrameLevels
from simulator.session import Session
from simulator.speech import PartySpeech, Segment, SpokenWord
from simulator.timeline import Timeline

BRIDGE_S = 0.1
"""Silences shorter than this are stops and closures inside speech; the detector's own grain."""

_CUT_S = 0.02


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """An utterance as its events tell it: said in [start, end) samples, with planned word onsets on the
    session.

    cut: it was stopped before its end. share: how much of its plan was said, 0 to 1.
    """

    id: str
    role: str
    text: str
    start: int
    end: int
    cut: bool
    share: float = 1.0
    words: tuple[tuple[str, int], ...] = ()

    @property
    def is_recording(self) -> bool:
        """Whether nobody knows what is said in it: a recording was played, and when, but who speaks when is
        open."""
        return self.role == "recording" or not (self.text or self.words)


def told(session: Session, party: Party) -> list[Told]:
    """Give the utterances of a party in time order; one whose end was never told lasts to the end of the
    session."""
    ends = {
        event.data.get("id"): event for event in session.by_type.get("speech_end", []) if event.party == party
    }
    starts = [event for event in session.by_type.get("speech_start", []) if event.party == party]
    found = [_told(event, ends.get(event.data.get("id")), session.duration) for event in starts]
    return sorted(
        (item for item in found if item.start < item.end), key=lambda item: (item.start, item.end, item.id)
    )


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

    It is all when no sound lies outside the utterances and none of them is a recording; then its segments are
    truth. Otherwise only utterances and their words are known, and who speaks when must be detected.
    """
    everything = told(session, party)
    known = [item for item in everything if not item.is_recording]
    complete = len(known) == len(everything) and not levels.any_outside(
        Timeline((item.start, item.end) for item in known)
    )
    bridge = round(BRIDGE_S * session.sample_rate)
    segments: list[Segment] = []
    utterances: list[Segment] = []
    words: list[SpokenWord] = []
    for item in known:
        sound = levels.audible(item.start, item.end).bridge(bridge)
        if not sound:
            continue
        segments += [
            Segment(start=start, end=end, source="truth", id=item.id, role=item.role) for start, end in sound
        ]
        utterances.append(
            Segment(
                start=sound[0].start,
                end=sound[-1].end,
                source="truth",
                id=item.id,
                role=item.role,
                text=item.text,
            )
        )
        words += said_words(item, sound, round(_CUT_S * session.sample_rate))
    by_time = sorted(words, key=lambda word: (word.start, word.end))
    return PartySpeech(
        segments=tuple(segments) if complete else (), utterances=tuple(utterances), words=tuple(by_time)
    ), complete


def said_words(item: Told, sound: Timeline, tolerance: int) -> list[SpokenWord]:
    """Give the words of an utterance that were begun; the one running when it was cut is marked.

    A word ends where the sound does before the next word begins. tolerance: samples that a cut may lie behind
    the last sound of the word it cut.
    """
    begun = [(text, onset) for text, onset in item.words if onset < item.end]
    edges = [onset for _, onset in begun] + [item.end]
    words: list[SpokenWord] = []
    for (text, start), (_, until) in zip(begun, pairwise(edges), strict=True):
        heard = sound.crop(start, until)
        end = heard[-1].end if heard else until
        words.append(SpokenWord(text=text, start=start, end=max(end, start + 1), source="truth", id=item.id))
    if words and item.cut and item.end - words[-1].end <= tolerance:
        words[-1] = msgspec.structs.replace(words[-1], cut=True)
    return words
