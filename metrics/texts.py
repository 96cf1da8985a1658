"""Texts of a session in pairs: what was said and what was understood, what was meant and what can be heard."""

from collections.abc import Collection, Iterable, Sequence

import msgspec

from metrics.spelling import Orthography, normalised
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
    alternative: str | None = None
    """A second reference that counts as well: with the word that was cut short, with the backchannels beside a turn."""
    backchannel: bool = False
    """Whether the reference is known to be nothing but backchannels."""


def closest(pairs: Sequence[TextPair], orthography: Orthography) -> list[Distance]:
    """Give the distance of each pair: from its reference, or its alternative where that is nearer."""
    plain = distances([pair.reference for pair in pairs], [pair.found for pair in pairs], orthography)
    in_two_ways = [pair for pair in pairs if pair.alternative is not None]
    other = dict(
        zip(
            map(id, in_two_ways),
            distances(
                [pair.alternative or "" for pair in in_two_ways], [pair.found for pair in in_two_ways], orthography
            ),
            strict=True,
        )
    )
    return [
        min((distance, other.get(id(pair), distance)), key=lambda item: (item.errors, -item.words))
        for pair, distance in zip(pairs, plain, strict=True)
    ]


def with_words(pairs: Sequence[TextPair], orthography: Orthography) -> tuple[list[TextPair], list[TextPair]]:
    """Part the pairs that an error rate is counted over from those without words: backchannels, "Hm.", "..."."""
    references = normalised([f"{pair.reference} {pair.alternative or ''}" for pair in pairs], orthography)
    worded = [bool(reference) and not pair.backchannel for pair, reference in zip(pairs, references, strict=True)]
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
        reference=text_of(turns or words),
        found=found,
        alternative=text_of(words) if 0 < len(turns) < len(words) else None,
        backchannel=bool(words) and not turns,
    )


def meant_pair(item: Segment, words: Sequence[SpokenWord]) -> TextPair:
    """Give what a party meant to say with what can be heard of it; a word that the cut fell into may be either."""
    whole = [word for word in words if not word.cut]
    return TextPair(
        start=item.start,
        end=item.end,
        reference=text_of(whole),
        found=item.text,
        alternative=text_of(words) if len(whole) < len(words) else None,
        backchannel=item.role == "backchannel",
    )


def by_utterance(words: Iterable[SpokenWord]) -> dict[str, list[SpokenWord]]:
    """Give words by the utterance they belong to."""
    found: dict[str, list[SpokenWord]] = {}
    for word in words:
        found.setdefault(word.id, []).append(word)
    return found


def text_of(words: Iterable[SpokenWord]) -> str:
    """Give words as one text."""
    return " ".join(word.text for word in words)
