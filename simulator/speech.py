"""Speech: who spoke when and which words, each with its source. What annotation writes and scorers read."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Literal, Protocol

import msgspec

from simulator.events import PARTIES, Event, Party
from simulator.timeline import Timeline

SpeechSource = Literal["truth", "vad", "asr", "model"]


class PhraseEnd(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How the sound of speech ended that nobody told of, to be held against other ends of the same speaker.

    fall_db: the steepest fall of its level within 10 ms. pitch_st: semitones from its median pitch to its last; None
    where little of it is voiced.
    """

    fall_db: float
    pitch_st: float | None = None


class Segment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A stretch of a party's speech [start, end) in samples; `id` names the utterance event it comes from, if any.

    role: what the utterance was: `turn`, `interruption`, `backchannel`, `aside`; empty where nobody knows. start: its
    first sample. end: one past its last. source: who tells. id: of the utterance's event. text: what is said. ending:
    how it sounds at its end, where it was detected and half a second of the party's silence follows.
    """

    start: int
    end: int
    source: SpeechSource
    id: str = ""
    role: str = ""
    text: str = ""
    ending: PhraseEnd | None = None


class SpokenWord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A word with its first sample and one past its last; `cut` when the speaker stopped inside it.

    timed_by: the recogniser whose own times these are; empty where truth or alignment tells them. confidence: 0 to 1,
    of a recognised word, where somebody says. disfluency: what it is, where it is no part of what was meant (a filler,
    the slip before a correction). text: the word. start: its first sample. end: one past its last. source: who tells.
    id: of the utterance's event. cut: whether the speaker stopped inside it.
    """

    text: str
    start: int
    end: int
    source: SpeechSource
    id: str = ""
    cut: bool = False
    timed_by: str = ""
    confidence: float | None = None
    disfluency: str = ""


class Discarded(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A text that a recogniser heard in [start, end) samples and that is not believed, with the reason.

    words: the text with its times, where it would else have been a track's words.
    """

    start: int
    end: int
    text: str
    reason: str
    words: tuple[SpokenWord, ...] = ()


class PartySpeech(msgspec.Struct, frozen=True, kw_only=True):
    """One party's speech: segments of activity, the utterances known from truth, and words, each in time order.

    segments: where sound of speech is (activity, edges refined by energy). utterances: what was planned and said,
    from events; empty for a party nobody knows the plan of. words: truth where known, else aligned recognition.
    recognised: what a recogniser hears in each utterance whose text is known, to hold against that text.
    discarded: what it made up, in words and recognised left out.
    """

    segments: tuple[Segment, ...] = ()
    utterances: tuple[Segment, ...] = ()
    words: tuple[SpokenWord, ...] = ()
    recognised: tuple[Segment, ...] = ()
    discarded: tuple[Discarded, ...] = ()

    def timeline(self) -> Timeline:
        """The samples at which the party speaks."""
        return Timeline((segment.start, segment.end) for segment in self.segments)

    def words_within(self, start: int, end: int) -> list[SpokenWord]:
        """Give the words that are first heard in [start, end) samples.

        A recogniser may place a word some ms before its sound, which is in the segment that most of the word lies in.
        """
        near = (word for word in self.words if word.start < end and max(word.end, word.start + 1) > start)
        return [word for word in near if start <= self._first_heard(word) < end]

    def _first_heard(self, word: SpokenWord) -> int:
        first = bisect_right(self.segments, word.start, key=lambda segment: segment.end)
        touched = takewhile(lambda segment: segment.start < word.end, self.segments[first:])
        home = max(
            touched, key=lambda segment: min(segment.end, word.end) - max(segment.start, word.start), default=None
        )
        return word.start if home is None else max(word.start, home.start)


class Speech(msgspec.Struct, frozen=True, kw_only=True):
    """Both parties' speech and the settings it was found with (speech.json).

    user, agent: the speech of each. detector: what found the segments. recognizer: what found the words that nobody
    told.
    """

    user: PartySpeech = PartySpeech()
    agent: PartySpeech = PartySpeech()
    detector: str = ""
    recognizer: str = ""

    def of(self, party: Party) -> PartySpeech:
        """The speech of one party."""
        return self.user if party == "user" else self.agent


def misplaced(speech: Speech, length: int) -> str | None:
    """Say what of an annotation lies outside a session of `length` samples; None where all of it lies inside."""
    for party in PARTIES:
        track = speech.of(party)
        parts: list[Segment | SpokenWord | Discarded] = [*track.segments, *track.utterances, *track.words]
        parts += [*track.recognised, *track.discarded, *(word for text in track.discarded for word in text.words)]
        for item in parts:
            if not 0 <= item.start <= item.end <= length:
                return f"the {party}'s speech from {item.start} to {item.end} lies outside its {length} samples"
    return None


class AnnotatedSession(Protocol):
    """What who-spoke-when is judged on: a session with its speech, or as much of one as is known so far."""

    @property
    def sample_rate(self) -> int:
        """Hz."""
        ...

    @property
    def duration(self) -> int:
        """The length in samples."""
        ...

    @property
    def speech(self) -> Speech:
        """Who spoke when."""
        ...

    @property
    def by_type(self) -> Mapping[str, Sequence[Event]]:
        """Events grouped by type, each list in time order."""
        ...
