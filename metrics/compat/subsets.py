"""Values of the parts of a corpus, and plain means over them."""

import math
from collections.abc import Sequence

import msgspec

from metrics.compat.measured import Measured
from simulator.intervals.observations import Origin
from simulator.score import Definition, Score, undefined
from simulator.scoring.pooling import pool


def pooled_by(table: Sequence[Definition], rows: Sequence[Measured]) -> dict[str, dict[str, Score]]:
    """Give every metric of every part of a corpus; a row's part is what it `kept`, in the order of the rows."""
    parts: dict[str, list[Measured]] = {}
    for row in rows:
        parts.setdefault(row.kept, []).append(row)
    return {name: pooled_rows(table, members) for name, members in parts.items()}


def pooled_rows(table: Sequence[Definition], rows: Sequence[Measured]) -> dict[str, Score]:
    """Give every metric over rows."""
    return {
        card.id: pool(card, [row.score(card) for row in rows], [Origin("")] * len(rows))
        for card in table
        if not card.of
    }


def scaled(card: Definition, score: Score, factor: float) -> Score:
    """Give a value times a factor as another metric's."""
    if score.value is None:
        return undefined(card, score.reason or "")
    bounds = None if score.ci95 is None else (factor * score.ci95[0], factor * score.ci95[1])
    return msgspec.structs.replace(
        score, id=card.id, definition=card.id, unit=card.unit, value=factor * score.value, ci95=bounds
    )


def composite(card: Definition, scores: Sequence[Score], weights: Sequence[float] | None = None) -> Score:
    """Give the weighted mean of independent values, plain without weights; undefined where one of them is.

    Its interval: the half widths of theirs, which are independent, add up in squares.
    """
    missing = next((score.reason for score in scores if score.value is None), None)
    if missing or not scores:
        return undefined(card, missing or "there is none")
    given = weights or [1.0] * len(scores)
    shares = [weight / sum(given) for weight in given]
    value = math.fsum(share * (score.value or 0) for share, score in zip(shares, scores, strict=True))
    score = Score(id=card.id, value=value, unit=card.unit, n=sum(score.n for score in scores), definition=card.id)
    bounds = [score.ci95 for score in scores if score.ci95 is not None]
    if len(bounds) < len(scores):
        return msgspec.structs.replace(score, ci95_reason="one of the values has no interval")
    reach = [
        math.sqrt(
            math.fsum(
                (share * ((one.value or 0) - pair[side])) ** 2
                for share, one, pair in zip(shares, scores, bounds, strict=True)
            )
        )
        for side in (0, 1)
    ]
    return msgspec.structs.replace(score, ci95=(value - reach[0], value + reach[1]))
