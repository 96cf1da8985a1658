"""Disfluencies by rule: what people put into a turn that is no part of what they mean, drawn by the seed.

disfluent: 0.3                                       three of ten turns, one of the kinds each
disfluent: [filler, self_correction]                 every turn, both
disfluent: {share: 0.5, kinds: [repeat, pause]}

    filler            "um," somewhere                          pause          silence inside, 0.7 to 1.3 s
    hesitation        a filler, then silence                   repeat         a word said twice
    false_start       the first words, broken off              self_correction   a wrong word taken back: "Thursday, no,
                                                                              sorry, Friday"

Five of them are the classes of Full-Duplex-Bench v3's recordings; a repeat is the sixth. A self-correction needs a word
that another can be said for by mistake (a day, a number): in a turn without one there is none. Languages without spaces
between words have no repeats and no false starts here.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Annotated, Any, get_args

import msgspec
import numpy as np

from simulator.languages.lookup import known
from simulator.languages.tongue import Tongue
from simulator.speaking.saying import DisfluencyKind, Pause, SaidPart, Say, SayPart
from simulator.spec import Duration

KINDS: tuple[DisfluencyKind, ...] = get_args(DisfluencyKind)
FEWEST_WORDS = 3
"""Shorter turns come out in one breath."""

# Pauses inside turns of conversation: median 0.87 s, p10 0.68, p90 1.28 (CANDOR).
_SHORTEST_S, _LONGEST_S = 0.68, 1.28
_EDGES = ".,;:!?¿¡。，、！？"


class Disfluency(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """How disfluent a script is.

    share: of its turns. kinds: which ones are drawn from.
    """

    share: Annotated[float, msgspec.Meta(ge=0, le=1)] = 1.0
    kinds: tuple[DisfluencyKind, ...] = KINDS


Disfluent = Annotated[float, msgspec.Meta(ge=0, le=1)] | list[DisfluencyKind] | Disfluency


def stumbled(say: Say, disfluent: Disfluent, language: str, seed: Sequence[int]) -> Say:
    """Give what is said with disfluencies, their words marked; what is meant stays as it was.

    A list has each of its kinds once, anything else one kind in so many turns. The longest text of several is what one
    stumbles over. language: whose fillers, English where it is empty. seed: of this turn alone.
    """
    rng = np.random.default_rng(list(seed))
    if isinstance(disfluent, list):
        kinds: Sequence[DisfluencyKind] = disfluent
    else:
        keys = disfluent if isinstance(disfluent, Disfluency) else Disfluency(share=disfluent)
        happens = rng.random() < keys.share
        kinds = [keys.kinds[int(rng.integers(len(keys.kinds)))]] if happens and keys.kinds else []
    parts: list[SayPart] = [say] if isinstance(say, str) else [*say]
    texts = [index for index, part in enumerate(parts) if isinstance(part, str)]
    if not kinds or not texts:
        return say
    longest = max(texts, key=lambda index: len(str(parts[index])))
    made = _Stumbling(str(parts[longest]), known(language), rng)
    for kind in kinds:
        made.add(kind)
    found = [*parts[:longest], *made.parts(), *parts[longest + 1 :]]
    return found if made.added else say


class _Stumbling:
    """A text in the making: its words, and what comes before each of them."""

    def __init__(self, text: str, tongue: Tongue, rng: np.random.Generator) -> None:
        self._tongue = tongue
        self._rng = rng
        self._words = text.split() if tongue.spaced else _clauses(text, tongue)
        self._before: dict[int, list[SayPart]] = {}
        self.added = False

    def add(self, kind: DisfluencyKind) -> None:
        """Put in one of a kind, where there is a place for it."""
        ways: dict[DisfluencyKind, Callable[[], None]] = {
            "filler": self._filler,
            "pause": self._pause,
            "hesitation": self._hesitation,
            "repeat": self._repeat,
            "false_start": self._false_start,
            "self_correction": self._self_correction,
        }
        if len(self._words) >= (FEWEST_WORDS if self._tongue.spaced else 1):
            ways[kind]()

    def parts(self) -> list[SayPart]:
        """Give the whole."""
        found: list[SayPart] = []
        run: list[str] = []
        for index, word in enumerate(self._words):
            if index in self._before:
                found += [self._text(run)] if run else []
                found += self._before[index]
                run = []
            run.append(word)
        return [*found, self._text(run)]

    def _text(self, words: Sequence[str]) -> str:
        return (" " if self._tongue.spaced else "").join(words)

    def _put(self, at: int, *parts: SayPart) -> None:
        self._before.setdefault(at, []).extend(parts)
        self.added = True

    def _one_of(self, choices: Sequence[Any]) -> Any:
        return choices[int(self._rng.integers(len(choices)))]

    def _inner(self) -> int:
        """A word that another stands before."""
        return 1 + int(self._rng.integers(len(self._words) - 1)) if len(self._words) > 1 else 0

    def _hum(self, kind: DisfluencyKind, at: int) -> SaidPart:
        filler = str(self._one_of(self._tongue.fillers))
        return SaidPart(say=filler if at == 0 else filler.lower(), disfluency=kind)

    def _silence(self) -> Pause:
        return Pause(pause=Duration(round(float(self._rng.uniform(_SHORTEST_S, _LONGEST_S)), 3)))

    def _filler(self) -> None:
        at = int(self._rng.integers(len(self._words)))
        self._put(at, self._hum("filler", at))

    def _pause(self) -> None:
        if len(self._words) > 1:
            self._put(self._inner(), self._silence())

    def _hesitation(self) -> None:
        at = self._inner()
        self._put(at, self._hum("hesitation", at), self._silence())

    def _repeat(self) -> None:
        if self._tongue.spaced:
            at = int(self._rng.integers(len(self._words) - 1))
            self._put(at, SaidPart(say=self._words[at].strip(_EDGES) + ",", disfluency="repeat"))

    def _false_start(self) -> None:
        if self._tongue.spaced:
            count = 2 + int(self._rng.integers(min(3, len(self._words) - 2)))
            begun = " ".join(self._words[:count]).rstrip(_EDGES)
            self._put(0, SaidPart(say=f"{begun},", disfluency="false_start"))

    def _self_correction(self) -> None:
        places = [
            (index, row, word)
            for index, word in enumerate(self._words)
            for row in self._tongue.swaps
            if word.strip(_EDGES).lower() in [choice.lower() for choice in row]
        ]
        if not places:
            return
        at, row, word = self._one_of(places)
        others = [choice for choice in row if choice.lower() != word.strip(_EDGES).lower()]
        comma = ", " if self._tongue.spaced else "，"
        slip = f"{self._one_of(others)}{comma}{self._one_of(self._tongue.corrections)}"
        self._put(at, SaidPart(say=slip, disfluency="self_correction"))


def _clauses(text: str, tongue: Tongue) -> list[str]:
    """Cut a text without spaces where one may stumble: behind its marks, and around words that may be mistaken."""
    cuts = {0, len(text)} | {at + 1 for at, sign in enumerate(text[:-1]) if sign in _EDGES or sign.isspace()}
    for choice in (choice for row in tongue.swaps for choice in row):
        at = text.find(choice)
        cuts |= {at, at + len(choice)} if at >= 0 else set()
    edges = sorted(cuts)
    return [text[start:end] for start, end in pairwise(edges)]
