"""Full-Duplex-Bench's takeover rule: did the agent take the turn, judged by its words alone.

No words: no. Else the span from the first word's start to the last word's end decides: under 1 s with at most
3 words is no takeover, anything else is one. The span is wall-clock time and not speech summed up, words are
never looked at, and the comparison is on raw floats, without tolerance.
"""

from collections.abc import Sequence

from metrics.compat.fdb.samples import Chunk
from simulator.errors import SessionError

SHORTEST_SPAN_S = 1.0
MOST_SMALL_WORDS = 3

RULE = """\
The agent takes the turn (TOR 1) when its words span at least 1 s from the first start to the last end, or
are more than 3; no words, or at most 3 within less than 1 s, are no takeover."""


def takes_turn(chunks: Sequence[Chunk], *, open_end: bool = False) -> bool:
    """Say whether these words take the turn.

    open_end: a last word without end counts from its start (the original does so for pauses and dies
    elsewhere). SessionError when a time that is needed is missing.
    """
    if not chunks:
        return False
    first, last = chunks[0].start, chunks[-1].end
    if last is None and open_end:
        last = chunks[-1].start
    if first is None or last is None:
        raise SessionError("the first word has no start" if first is None else "the last word has no end")
    return not (last - first < SHORTEST_SPAN_S and len(chunks) <= MOST_SMALL_WORDS)


def onset(chunks: Sequence[Chunk]) -> float:
    """Give the start of the first word in seconds; the words take the turn, so it is there."""
    first = chunks[0].start
    assert first is not None
    return first


def case_end(chunks: Sequence[Chunk], moment_s: float) -> float:
    """Give where what was judged ends: with the last word, or where it begins when nothing was said."""
    last = chunks[-1] if chunks else None
    known = [time_s for time_s in ((last.start, last.end) if last else ()) if time_s is not None]
    return max([moment_s, *known])


def since(chunks: Sequence[Chunk], moment_s: float) -> tuple[Chunk, ...]:
    """Give the words that start at the moment or later, in time order."""
    timed = [(chunk.start, chunk) for chunk in chunks if chunk.start is not None and chunk.start >= moment_s]
    return tuple(chunk for _, chunk in sorted(timed, key=lambda pair: pair[0]))


def speaking_at(chunks: Sequence[Chunk], moment_s: float) -> bool:
    """Say whether a word is being said at the moment: it has begun and has not ended."""
    return any(
        chunk.start is not None and chunk.end is not None and chunk.start < moment_s < chunk.end for chunk in chunks
    )
