"""Pooling: one metric over many sessions or samples, ours and other projects' alike."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from simulator.intervals.observations import Origin, distinct, population
from simulator.intervals.pooled import interval
from simulator.score import NOTHING, SENTINEL, Definition, Parts, Score, add_parts, from_parts, undefined

MOST_REASONS = 3
"""A corpus value gives at most so many reasons: a table has one line for them."""


class PoolableScore(Protocol):
    """What pooling takes of a score, a session's or a row's: its parts, and why they give no value."""

    @property
    def parts(self) -> Parts:
        """What adds up over sessions."""
        ...

    @property
    def reason(self) -> str | None:
        """Why it is undefined."""
        ...


def pool(
    definition: Definition, scores: Sequence[PoolableScore], origins: Sequence[Origin], *, confidence: float = 0.95
) -> Score:
    """Pool one metric over sessions: the value of the summed parts, with its interval or why there is none.

    origins: where each score comes from; identical trials count once. The reason says `sentinel` where every value
    that entered is another project's stand-in.
    """
    if not any(score.reason == SENTINEL for score in scores):
        # These scores were made without stand-ins (mode=strict), whatever the card at hand says.
        definition = msgspec.structs.replace(definition, sentinel=None)
    drawn = [(score, origin) for score, origin in zip(scores, origins, strict=True) if score.parts]
    if not drawn:
        return undefined(definition, _reason(scores))
    drawn = [drawn[place] for place in distinct([origin for _, origin in drawn])]
    parts = [score.parts for score, _ in drawn]
    pooled = from_parts(definition, add_parts(parts), reason=_reason(scores))
    if pooled.reason is not None:
        return pooled
    reason = SENTINEL if all(score.reason == SENTINEL for score, _ in drawn) else None
    found = interval(definition, clustered(parts, [origin for _, origin in drawn]), confidence=confidence)
    return msgspec.structs.replace(pooled, ci95=found.bounds, ci95_reason=found.reason, reason=reason)


def clustered(parts: Sequence[Parts], origins: Sequence[Origin]) -> list[Parts]:
    """Add up the parts of what belongs together."""
    return [
        parts[places[0]] if len(places) == 1 else add_parts([parts[place] for place in places])
        for places in population(origins).clusters
    ]


def _reason(scores: Sequence[PoolableScore]) -> str:
    """Join why nothing was measured: each reason once, in the order of the sessions."""
    told = list(dict.fromkeys(score.reason for score in scores if score.reason and score.reason != NOTHING))
    more = "; ..." if len(told) > MOST_REASONS else ""
    return "; ".join(told[:MOST_REASONS]) + more if told else (NOTHING if scores else "no sessions")
