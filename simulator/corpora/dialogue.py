"""A dialogue of a corpus: who says what when in which voice, what overlaps, what was injected. Times are seconds."""

from typing import Any

import msgspec

from simulator.events import PARTIES, Party
from simulator.floor.contributions import INJECTED_ROLES, Contribution
from simulator.floor.floor import Floor
from simulator.floor.transfers import overlaps
from simulator.session import Session
from simulator.speech import PartySpeech, SpokenWord
from simulator.timeline import Timeline

_DECIMALS = 6
"""Of seconds: less than a sample at any rate, and no digits that floats make up."""
Span = tuple[float, float]


class CorpusWord(msgspec.Struct, frozen=True, kw_only=True):
    """A word. cut: its speaker stopped inside it."""

    text: str
    start: float
    duration: float
    cut: bool = False


class CorpusUtterance(msgspec.Struct, frozen=True, kw_only=True):
    """Something a party said. text: the words that were said of it.

    role: turn, interruption, backchannel, aside, recording; empty where nobody told. injected: by the tester, not by
    the party itself. cut: stopped before its planned end, None where nobody told. told: events say so, else it
    was heard.
    overlaps: the stretches of it over which the other speaks.
    """

    id: str
    party: Party
    speaker: str
    start: float
    duration: float
    text: str
    words: tuple[CorpusWord, ...] = ()
    role: str = ""
    injected: bool = False
    cut: bool | None = None
    told: bool = False
    overlaps: tuple[Span, ...] = ()


class CorpusDialogue(msgspec.Struct, frozen=True, kw_only=True):
    """One session of a corpus. voices, speakers: by party. overlaps: where both speak."""

    id: str
    session: str
    scenario: str
    topic: str
    seed: int
    rate: int
    samples: int
    voices: dict[str, str]
    speakers: dict[str, str]
    utterances: tuple[CorpusUtterance, ...]
    overlaps: tuple[Span, ...]

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.samples / self.rate

    def custom(self) -> dict[str, Any]:
        """Give what is told of the dialogue beside its sound and utterances."""
        return {
            "scenario": self.scenario,
            "session": self.session,
            "seed": self.seed,
            "topic": self.topic,
            "voices": self.voices,
            "overlaps": [list(span) for span in self.overlaps],
            "injected": [item.id for item in self.utterances if item.injected],
        }


def dialogue_of(session: Session, name: str, *, topic: str, voices: dict[str, str]) -> CorpusDialogue:
    """Give an annotated session as a dialogue; parties that have one voice are two speakers all the same."""
    floor = Floor(session)
    alike = len(set(voices.values())) < len(voices)
    speakers = {party: f"{voice}#{party}" if alike else voice for party, voice in voices.items()}
    both = overlaps(floor)
    said = [
        _utterance(session, item, speakers[party], both, f"{name}-{party}-{number}")
        for party in PARTIES
        for number, item in enumerate(floor.side(party).said)
    ]
    return CorpusDialogue(
        id=name,
        session=session.id,
        scenario=session.meta.scenario,
        topic=topic,
        seed=session.meta.seed,
        rate=session.sample_rate,
        samples=session.duration,
        voices=voices,
        speakers=speakers,
        utterances=tuple(sorted(said, key=lambda item: (item.start, item.party))),
        overlaps=tuple(_span(session, stretch.start, stretch.end) for stretch in both),
    )


def _utterance(session: Session, item: Contribution, speaker: str, both: Timeline, name: str) -> CorpusUtterance:
    words = _words_of(session.speech.of(item.party), item)
    start, end = _span(session, item.start, item.end)
    return CorpusUtterance(
        id=name,
        party=item.party,
        speaker=speaker,
        start=start,
        duration=round(end - start, _DECIMALS),
        text=" ".join(word.text for word in words) or item.text,
        words=tuple(_word(session, word) for word in words),
        role=item.role,
        injected="-injected" in item.id or item.role in INJECTED_ROLES,
        cut=item.cut,
        told=item.told,
        overlaps=tuple(_span(session, part.start, part.end) for part in both.crop(item.start, item.end)),
    )


def _words_of(speech: PartySpeech, item: Contribution) -> list[SpokenWord]:
    """Give a contribution's words: those that are its own by id, else those begun in it."""
    own = [word for word in speech.words if item.id and word.id == item.id]
    return own or [word for word in speech.words_within(item.start, item.end) if not word.id]


def _word(session: Session, word: SpokenWord) -> CorpusWord:
    start, end = _span(session, word.start, word.end)
    return CorpusWord(text=word.text, start=start, duration=round(end - start, _DECIMALS), cut=word.cut)


def _span(session: Session, start: int, end: int) -> Span:
    return round(session.seconds(start), _DECIMALS), round(session.seconds(end), _DECIMALS)
