"""Collapse: the ways in which two models that talk to each other stop having a conversation.

Each detector gives whether it happened, and where or how much; None where the session cannot say (no words).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

from simulator.events import PARTIES, Party, other_party
from simulator.floor.contributions import words_in
from simulator.floor.floor import Floor
from simulator.floor.transfers import overlaps
from simulator.speaking.hearing import words_of
from simulator.speech import PartySpeech
from simulator.timeline import Stretch

SILENT_S = 10.0
"""Silence of both from which nobody goes on: of people's gaps and pauses 96 in 100 are shorter (human_talk.json)."""
BOTH_TALKING = 0.5
"""Share of the time with speech in which both speak: people talk over each other for a tenth of it."""
ONE_SIDED = 0.1
"""Share of all speech under which a party takes no part."""
LEAST_SPEECH_S = 5.0
"""Less speech than this has no sides."""
GRAM, FEWEST_GRAMS, LOOPED = 4, 12, 0.5
"""A party loops when half of its runs of four words, twelve at least, were said by it before."""
SHORT_WORDS, FEWEST_ECHOES, ALIKE, PARROTED = 3, 3, 0.8, 0.5
"""It parrots when half of its turns of three words and more, three at least, are four fifths the other's last."""


Said = Sequence[tuple[Party, Stretch, str]]
"""The turns of both parties in time order: whose, where, what."""
Detector = Callable[[Said, Party], bool]
"""Whether a party does it, judged by its words."""


class Collapse(NamedTuple):
    """Whether it happened, whose doing it was, and where, if it has a place."""

    happened: bool
    party: Party | str = ""
    where: Stretch | None = None


def collapses(floor: Floor, said: Said) -> Mapping[str, Collapse | None]:
    """Give what every detector finds, by name. said: the floor's turns (`turn_texts`)."""
    return {
        "silent": _silent(floor),
        "both_talking": _both_talking(floor),
        "one_sided": _one_sided(floor),
        "loop": _of_words(floor, said, _loops),
        "parrot": _of_words(floor, said, _parrots),
    }


def turn_texts(floor: Floor) -> list[tuple[Party, Stretch, str]]:
    """Give what was said in every turn, in time order: the words begun in it, else its own text."""
    found = [
        (party, Stretch(turn.start, turn.end), words_in(turn, floor.session.speech))
        for party in PARTIES
        for turn in floor.side(party).turns
    ]
    return sorted(found, key=lambda item: item[1])


def _silent(floor: Floor) -> Collapse:
    joint = (floor.user.ipus | floor.agent.ipus).complement(0, floor.duration)
    longest = max(joint, key=lambda silence: silence.length, default=None)
    if longest is None or longest.length < floor.samples(SILENT_S):
        return Collapse(False)
    return Collapse(True, where=longest)


def _both_talking(floor: Floor) -> Collapse:
    spoken, both = (floor.user.ipus | floor.agent.ipus).total(), overlaps(floor)
    happened = both.total() > BOTH_TALKING * spoken and spoken >= floor.samples(LEAST_SPEECH_S)
    return Collapse(happened, where=max(both, key=lambda item: item.length) if happened else None)


def _one_sided(floor: Floor) -> Collapse:
    spoken = {party: floor.side(party).ipus.total() for party in PARTIES}
    quiet = min(PARTIES, key=lambda party: spoken[party])
    total = sum(spoken.values())
    happened = total >= floor.samples(LEAST_SPEECH_S) and spoken[quiet] < ONE_SIDED * total
    return Collapse(happened, party=quiet if happened else "")


def _of_words(floor: Floor, said: Said, look: Detector) -> Collapse | None:
    """Ask of each party; None where nobody knows a word."""
    if not any(_known(floor.side(party).speech) for party in PARTIES):
        return None
    return next((Collapse(True, party=party) for party in PARTIES if look(said, party)), Collapse(False))


def _known(speech: PartySpeech) -> bool:
    return bool(speech.words) or any(item.text for item in speech.utterances)


def _loops(said: Said, party: Party) -> bool:
    words = [word for whose, _, text in said if whose == party for word in words_of(text)]
    grams = list(zip(*(words[place:] for place in range(GRAM)), strict=False))
    return len(grams) >= FEWEST_GRAMS and len(grams) - len(set(grams)) >= LOOPED * len(grams)


def _parrots(said: Said, party: Party) -> bool:
    pairs = [(mine, theirs) for mine, theirs in _answers(said, party) if len(mine) >= SHORT_WORDS]
    echoes = sum(SequenceMatcher(None, mine, theirs, autojunk=False).ratio() >= ALIKE for mine, theirs in pairs)
    return echoes >= FEWEST_ECHOES and echoes >= PARROTED * len(pairs)


def _answers(said: Said, party: Party) -> Iterator[tuple[list[str], list[str]]]:
    """Give the words of each of a party's turns with those of the other's last one before it."""
    last: list[str] = []
    for whose, _, text in said:
        if whose == party:
            yield words_of(text), last
        elif whose == other_party(party):
            last = words_of(text)
