"""Texts of a session in pairs: what was said and what was understood, what was meant and what can be heard."""

from collections.abc import Collection, Iterable, Sequence
from itertools import groupby, islice

import msgspec

from metrics.spelling import Orthography, normalised, opened, side_by_side
from metrics.wording import Distance, distances
from simulator.events import Event
from simulator.session import Session
from simulator.speech import Segment, SpokenWord

NEAR_S = 0.5
"""How far outside a turn as the agent heard it a word may lie and still belong to it: detectors and lines are late."""


class TextPair(msgspec.Struct, frozen=True, kw_only=True):
    """A reference text and what was made of it; [start, end) samples of the session."""

    start: int
    end: int
    reference: str
    found: str
    alternatives: tuple[str, ...] = ()
    """Other references that count as well: with the word that was cut short, with the backchannels beside a turn, with
    words that were said and not meant (a filler, a slip that was corrected)."""
    backchannel: bool = False
    """Whether the reference is known to be nothing but backchannels."""


def closest(pairs: Sequence[TextPair], orthography: Orthography, language: str = "") -> list[Distance]:
    """Give the distance of each pair: from its reference, or an alternative where one is nearer.

    What stands in brackets may be said ("ten (or later)") or not ("(laughs)"): neither is an error.
    """
    ways = [
        tuple(dict.fromkeys([*texts, *map(opened, texts)]))
        for texts in ((pair.reference, *pair.alternatives) for pair in pairs)
    ]
    found = [pair.found for pair, each in zip(pairs, ways, strict=True) for _ in each]
    every = iter(distances([reference for each in ways for reference in each], found, orthography, language))
    return [min(islice(every, len(each)), key=lambda item: (item.errors, -item.words)) for each in ways]


def with_words(pairs: Sequence[TextPair], orthography: Orthography) -> tuple[list[TextPair], list[TextPair]]:
    """Part the pairs that an error rate is counted over from those without words: backchannels, "Hm.", "..."."""
    worded = [
        not pair.backchannel and any(normalised([pair.reference, *pair.alternatives], orthography)) for pair in pairs
    ]
    return (
        [pair for pair, has_words in zip(pairs, worded, strict=True) if has_words],
        [pair for pair, has_words in zip(pairs, worded, strict=True) if not has_words],
    )


def untold_speech(session: Session, said: Sequence[SpokenWord]) -> list[Segment]:
    """Give the user's speech that was detected and whose words nobody knows: a person's, beside injected speech."""
    found = [segment for segment in session.speech.user.segments if segment.source != "truth"]
    return [segment for segment in found if not any(_meets(segment, word.start, word.end) for word in said)]


def holds_any(event: Event, segments: Sequence[Segment]) -> bool:
    """Say whether a heard turn holds any of these segments."""
    since, until = int(event.data["heard_since"]), int(event.data["heard_until"])
    return any(_meets(segment, since, until) for segment in segments)


def _meets(segment: Segment, start: int, end: int) -> bool:
    return segment.start < end and start < segment.end


def by_heard_turn(session: Session, said: Sequence[SpokenWord], heard: Sequence[Event]) -> list[list[SpokenWord]]:
    """Give each heard turn the words that were said in it: a word belongs to the turn nearest to its middle."""
    near = round(NEAR_S * session.sample_rate)
    turns: list[list[SpokenWord]] = [[] for _ in heard]
    first = 0
    for word in said:
        middle = (word.start + word.end) // 2
        while first + 1 < len(heard) and _away(heard[first + 1], middle) <= _away(heard[first], middle):
            first += 1
        if heard and _away(heard[first], middle) <= near:
            turns[first].append(word)
    return turns


def _away(event: Event, at: int) -> int:
    since, until = int(event.data["heard_since"]), int(event.data["heard_until"])
    return max(since - at, at - until, 0)


def heard_pair(event: Event, words: Sequence[SpokenWord], backchannels: Collection[str]) -> TextPair:
    """Give what was said in a heard turn with what the agent understood. backchannels: the ids of such utterances."""
    return _said_pair(
        words,
        str(event.data.get("text", "")),
        backchannels,
        int(event.data["heard_since"]),
        int(event.data["heard_until"]),
    )


def whole_pair(words: Sequence[SpokenWord], found: str, backchannels: Collection[str]) -> TextPair:
    """Give all that was said with all that was understood, where nobody told when."""
    return _said_pair(words, found, backchannels, words[0].start, words[-1].end)


def _said_pair(
    words: Sequence[SpokenWord], found: str, backchannels: Collection[str], start: int, end: int
) -> TextPair:
    """Backchannels beside a turn may have been understood or not; alone they are the reference."""
    turns = [word for word in words if word.id not in backchannels]
    return TextPair(
        start=start,
        end=end,
        reference=_reference(turns or words),
        found=found,
        alternatives=_ways(turns or words, *([words] if 0 < len(turns) < len(words) else [])),
        backchannel=bool(words) and not turns,
    )


def meant_pair(item: Segment, words: Sequence[SpokenWord]) -> TextPair:
    """Give what a party meant to say with what can be heard of it; a word that the cut fell into may be either."""
    whole = [word for word in words if not word.cut]
    return TextPair(
        start=item.start,
        end=item.end,
        reference=_reference(whole),
        found=item.text,
        alternatives=_ways(whole, *([words] if len(whole) < len(words) else [])),
        backchannel=item.role == "backchannel",
    )


MOST_SLIPS = 6
"""Of more disfluencies in a turn either all are taken for heard or none: each one more doubles the references."""


def meant(words: Iterable[SpokenWord]) -> list[SpokenWord]:
    """Give the words that were meant: no filler, of a self-correction its last version."""
    return [word for word in words if not word.disfluency]


def _reference(words: Sequence[SpokenWord]) -> str:
    """Give what was meant; of a stretch that holds slips alone, them."""
    return utterances_text(meant(words) or words)


def _ways(*sayings: Sequence[SpokenWord]) -> tuple[str, ...]:
    """Give what may have been understood beside what was meant by the first words: each slip heard or passed over."""
    found: list[str] = []
    for words in sayings:
        slips = [list(run) for slip, run in groupby(words, key=lambda word: (word.disfluency, word.id)) if slip[0]]
        kept = range(2 ** len(slips)) if len(slips) <= MOST_SLIPS else (0, -1)
        for choice in kept:
            dropped = {id(word) for at, slip in enumerate(slips) if not choice >> at & 1 for word in slip}
            found.append(utterances_text(word for word in words if id(word) not in dropped))
    reference = _reference(sayings[0])
    return tuple(text for text in dict.fromkeys(found) if text != reference)


def by_utterance(words: Iterable[SpokenWord]) -> dict[str, list[SpokenWord]]:
    """Give words by the utterance they belong to."""
    found: dict[str, list[SpokenWord]] = {}
    for word in words:
        found.setdefault(word.id, []).append(word)
    return found


def text_of(words: Iterable[SpokenWord]) -> str:
    """Give words as one text."""
    return " ".join(word.text for word in words)


def utterances_text(words: Iterable[SpokenWord]) -> str:
    """Give the words of several utterances as one text, in which no bracket of one meets that of another."""
    return side_by_side(text_of(mine) for _, mine in groupby(words, key=lambda word: word.id))
