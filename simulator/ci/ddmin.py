"""Delta debugging: the fewest parts of something that still fails, by Zeller and Hildebrandt's `ddmin` (TSE 2002)."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TypeVar

T = TypeVar("T")


def ddmin(parts: Sequence[T], fails: Callable[[Sequence[T]], bool]) -> list[T]:
    """Give parts, in their order, that fail together, and of which none can be left out alone.

    fails: says whether these parts still fail; all of them do. It is asked of the same parts more than once.
    """
    kept = list(parts)
    if kept and fails([]):
        return []
    pieces = 2
    while len(kept) >= 2:
        cuts = [round(number * len(kept) / pieces) for number in range(pieces + 1)]
        chunks = [kept[start:end] for start, end in pairwise(cuts)]
        one = next((chunk for chunk in chunks if len(chunk) < len(kept) and fails(chunk)), None)
        if one is not None:
            kept, pieces = one, 2
            continue
        rest = [kept[:start] + kept[end:] for start, end in pairwise(cuts)]
        other = next((one for one in rest if fails(one)), None) if pieces > 2 else None
        if other is not None:
            kept, pieces = other, max(pieces - 1, 2)
        elif pieces < len(kept):
            pieces = min(len(kept), 2 * pieces)
        else:
            break
    return kept


def least(low: int, high: int, fails: Callable[[int], bool]) -> int:
    """Give a number from low to high that fails, while the one that was tried below it does not: found by halving.

    high fails. Where failing comes and goes with the number, it is one of several.
    """
    while low < high:
        middle = (low + high) // 2
        if fails(middle):
            high = middle
        else:
            low = middle + 1
    return high
