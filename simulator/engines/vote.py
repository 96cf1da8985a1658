"""Several recognisers at once: each word is voted on, and how many agree is its confidence.

    recognizer: [moonshine, whisper]

The first one's words are laid out, and every other's are laid against them. Where most voters have another word, or
none, that wins; a tie keeps the first one's. A word that the first one lacks comes in where most voters have it at that
place. So with two voters the text is the first one's, and a confidence of 0.5 marks what the other did not hear. (As
ROVER does with its first hypothesis: Fiscus 1997.)
"""

import threading
from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Any

import msgspec

from simulator.engines import Recognition, Word
from simulator.engines.kinds import SEVERAL, AnyRecognizer, RecognizerSpec
from simulator.frame import Samples
from simulator.spec import encode
from simulator.texts import spelled
from simulator.traits import PartyTraits, joined


class VoteSpec(RecognizerSpec, frozen=True, kw_only=True, tag="vote", omit_defaults=True):
    """Recognisers that vote on each word: `recognizer: [moonshine, whisper]`, the first one's word where they tie.

    of: the recognisers.
    """

    of: tuple[AnyRecognizer, ...]

    def __post_init__(self) -> None:
        if len(set(self.of)) < 2 or len(set(self.of)) < len(self.of):
            raise ValueError("a vote is held among two or more recognisers, no two alike")

    def __encode__(self) -> list[Any]:
        """Give the list."""
        return [encode(spec) for spec in self.of]

    @property
    def label(self) -> str:
        """All their labels."""
        return SEVERAL.join(spec.label for spec in self.of)

    def traits(self) -> PartyTraits:
        """What all of them make of a party."""
        return joined(spec.traits() for spec in self.of)

    def check(self) -> None:
        """Refuse what any of them refuses."""
        for spec in self.of:
            spec.check()

    def digest(self) -> str:
        """Give all their digests."""
        return SEVERAL.join(spec.digest() for spec in self.of)

    def build(self) -> "VotingRecognizer":
        """Make the recogniser out of the process's own."""
        return VotingRecognizer(self)


class VotingRecognizer:
    """Speech to text by several recognisers."""

    def __init__(self, spec: VoteSpec) -> None:
        self._voters = [one.shared() for one in spec.of]

    def warm(self) -> threading.Thread | None:
        """Begin to load all of them; give the first thread there is."""
        return next((thread for thread in [voter.warm() for voter in self._voters] if thread is not None), None)

    def recognize(self, samples: Samples, sample_rate: int) -> Recognition:
        """Give the words that most hear; a word's confidence is the share of those who agree."""
        return elected([voter.recognize(samples, sample_rate) for voter in self._voters])


class _Slot(msgspec.Struct):
    """A place in the text: each voter's word there, "" where it has none; as written, and as it is compared."""

    written: list[str]
    times: list[Word | None]

    def winner(self) -> int | None:
        """Give the voter whose word stands here: the first of those most agree with; None where most have none."""
        heard = [spelled(text) for text in self.written]
        counts = Counter(heard)
        most = max(counts.values())
        best = next(word for word in heard if counts[word] == most)
        return heard.index(best) if best else None

    def confidence(self, voter: int) -> float:
        """Give the share of voters whose word is this one's."""
        heard = [spelled(text) for text in self.written]
        return round(heard.count(heard[voter]) / len(heard), 3)


def elected(heard: Sequence[Recognition]) -> Recognition:
    """Give what is heard by most, from two or more recognitions of the same sound."""
    slots = _laid_out(heard)
    words: list[Word] = []
    for slot in slots:
        voter = slot.winner()
        if voter is None:
            continue
        at = words[-1].end or words[-1].start if words else 0
        time = slot.times[voter] or next((time for time in slot.times if time), None) or Word(text="", start=at, end=at)
        word = msgspec.structs.replace(time, text=slot.written[voter], confidence=slot.confidence(voter))
        words.append(word)
    language = next((one.language for one in heard if one.language), "")
    return Recognition(text=" ".join(word.text for word in words), words=tuple(words), language=language)


def _laid_out(heard: Sequence[Recognition]) -> list[_Slot]:
    """Lay every recognition against the first."""
    slots: list[_Slot] = []
    for voter, one in enumerate(heard):
        tokens = one.text.split()
        times: list[Word | None] = [*one.words] if len(one.words) == len(tokens) else [None] * len(tokens)
        slots = _against(slots, tokens, times, voter)
    return slots


def _against(slots: list[_Slot], tokens: Sequence[str], times: Sequence[Word | None], voter: int) -> list[_Slot]:
    """Give the slots with one voter more; its words that have no place get one."""
    known = [spelled(next(filter(None, slot.written))) for slot in slots]
    found: list[_Slot] = []
    matcher = SequenceMatcher(None, known, [spelled(token) for token in tokens], autojunk=False)
    for _, first, end, start, stop in matcher.get_opcodes():
        for offset in range(max(end - first, stop - start)):
            inside, has = first + offset < end, start + offset < stop
            slot = slots[first + offset] if inside else _Slot([""] * voter, [None] * voter)
            slot.written.append(tokens[start + offset] if has else "")
            slot.times.append(times[start + offset] if has else None)
            found.append(slot)
    return found
