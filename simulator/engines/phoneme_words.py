"""The sounds of a text, each with the word it belongs to: what a model that speaks from phonemes is given.

espeak writes sounds and leaves out punctuation, fuses words ("ʌvðə" for "of the") and says several for a number. So
each sound is told its word: by espeak's spaces where there are as many words as sounds between spaces, else by
comparison with the sounds of each word alone. A mark comes back after its word where espeak itself pauses there: not
in "Mr. Smith".
"""

import unicodedata
from collections.abc import Sequence
from difflib import SequenceMatcher
from itertools import pairwise

import msgspec

from simulator.engines.espeak import Espeak, identifier_of, readable
from simulator.engines.espeak_library import SAMPLE_RATE, phonemize

_MARKS = {"…": ".", "。": ".", "！": "!", "？": "?", "，": ",", "—": ",", "–": ","}
_PAUSES, _STOPS = ".,;:?!", ".?!"
_PAUSE_SAMPLES = SAMPLE_RATE // 20
"""50 ms: after "Mr." espeak is silent for 8, after a comma for 130."""
_ALIKE = 0.4
"""Unstressed words sound otherwise alone, but not by more: with fewer sounds in common it is another word."""
# The hums that espeak is given in its own phoneme names, in IPA.
_HUM_IPA = str.maketrans({"'": "ˈ", "@": "ə", "S": "ʃ"})


class SpokenSound(msgspec.Struct, frozen=True):
    """A character of IPA, a space or a mark; word: which one of the text it belongs to, None between words."""

    text: str
    word: int | None


def sentences_of(text: str, voice: str) -> list[list[SpokenSound]]:
    """Give the sounds of a text, sentence by sentence. voice: of espeak, whose language it is in.

    ScenarioError: espeak has no such voice.
    """
    tokens = text.split()
    english = identifier_of(voice).startswith("gmw/en")
    spelled = [readable(token, english=english) for token in tokens]
    owned = _owned(tokens, spelled, voice)
    paused = _paused(text, voice)
    sentences: list[list[SpokenSound]] = [[]]
    for index, (token, sounds) in enumerate(zip(tokens, owned, strict=True)):
        mark = _mark(token)
        last = index == len(tokens) - 1
        sentences[-1] += sounds
        if not mark or not (last or paused[index]) or not any(sound.word is not None for sound in sentences[-1]):
            continue
        while sentences[-1][-1].text == " ":
            sentences[-1].pop()
        sentences[-1].append(SpokenSound(mark, None))
        if mark in _STOPS:
            sentences.append([])
        else:
            sentences[-1].append(SpokenSound(" ", None))
    return [sentence for sentence in sentences if any(sound.word is not None for sound in sentence)]


def _owned(tokens: Sequence[str], spelled: Sequence[str], voice: str) -> list[list[SpokenSound]]:
    """Give every word's sounds; words of letters are spoken together between two hums."""
    found: list[list[SpokenSound]] = [[] for _ in tokens]
    run: list[int] = []
    for index, written in enumerate([*spelled, "[["]):
        if "[[" not in written:
            run.append(index)
            continue
        _share([tokens[at] for at in run], run, voice, found)
        run = []
        if index < len(tokens):
            inner = written[written.index("[[") + 2 : written.index("]]")].translate(_HUM_IPA)
            found[index] = [*(SpokenSound(letter, index) for letter in inner), SpokenSound(" ", None)]
    return found


def _share(words: Sequence[str], places: Sequence[int], voice: str, found: list[list[SpokenSound]]) -> None:
    """Put the sounds of words that are spoken together where they belong."""
    if not words:
        return
    together, *alone = phonemize([" ".join(words), *words], identifier_of(voice))
    groups = unicodedata.normalize("NFD", together).split()
    parts = [unicodedata.normalize("NFD", sounds).replace(" ", "") for sounds in alone]
    spoken = [index for index, sounds in enumerate(parts) if sounds]
    if len(groups) == len(spoken) and all(map(_alike, groups, (parts[index] for index in spoken))):
        owners = [spoken[number] for number, group in enumerate(groups) for _ in group]
    else:
        owners = _by_comparison("".join(groups), parts)
    sounds = [letter for group in groups for letter in group]
    ends = {sum(map(len, groups[: number + 1])) for number in range(len(groups))}
    for index, (letter, owner) in enumerate(zip(sounds, owners, strict=True)):
        found[places[owner]].append(SpokenSound(letter, places[owner]))
        if index + 1 in ends:
            found[places[owner]].append(SpokenSound(" ", None))


def _alike(one: str, other: str) -> bool:
    return SequenceMatcher(None, one, other, autojunk=False).ratio() > _ALIKE


def _by_comparison(sounds: str, parts: Sequence[str]) -> list[int]:
    """Give the word of every sound: of those alike in the words alone, else of the one before, in order."""
    alone = "".join(parts)
    of_alone = [index for index, part in enumerate(parts) for _ in part]
    owners: list[int | None] = [None] * len(sounds)
    for _, first, end, alone_first, alone_end in SequenceMatcher(None, sounds, alone, autojunk=False).get_opcodes():
        for at in range(first, end):
            if alone_end > alone_first:
                place = alone_first + (at - first) * (alone_end - alone_first) // (end - first)
                owners[at] = of_alone[place]
    latest = of_alone[0] if of_alone else 0
    filled: list[int] = []
    for owner in owners:
        latest = max(latest, owner) if owner is not None else latest
        filled.append(latest)
    return filled


def _paused(text: str, voice: str) -> list[bool]:
    """Say of every word whether espeak pauses behind it; a lone dash is where it pauses before."""
    words = Espeak(voice).synthesize(text).words
    gaps = [after.start - (before.end or 0) >= _PAUSE_SAMPLES for before, after in pairwise(words)] + [True]
    dashes = (not any(map(str.isalnum, word.text)) for word in words)
    return [gap or (dash and before) for gap, dash, before in zip(gaps, dashes, [False, *gaps], strict=False)]


def _mark(token: str) -> str:
    """Give the mark that a word ends with, quotes and brackets aside; a lone dash is a comma."""
    for written in reversed(token):
        letter = _MARKS.get(written, written)
        if letter in _PAUSES:
            return letter
        if letter.isalnum():
            break
    return "," if token == "-" else ""
