"""Pooling: one metric over many sessions or samples, ours and other projects' alike."""

from collections.abc import Sequence

import msgspec

from simulator.bootstrap import RESAMPLES, clusters_of, interval
from simulator.score import NOTHING, SENTINEL, Definition, Score, add_parts, from_parts, undefined

MOST_REASONS = 3
"""A corpus value gives at most so many reasons: a table has one line for them."""


def pool(
    definition: Definition,
    scores: Sequence[Score],
    clusters: Sequence[str],
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Score:
    """Pool one metric over sessions: the value of the summed parts, with its 95 % interval.

    clusters: for each score the scenario it belongs to (a sample of a foreign corpus: itself). A sum has no interval:
    a count is what it is. The reason says `sentinel` where every value that entered is another project's stand-in.
    """
    if not any(score.reason == SENTINEL for score in scores):
        # These scores were made without stand-ins (mode=strict), whatever the card at hand says.
        definition = msgspec.structs.replace(definition, sentinel=None)
    drawn = [(score, cluster) for score, cluster in zip(scores, clusters, strict=True) if score.parts]
    if not drawn:
        return undefined(definition, _reason(scores))
    pooled = from_parts(definition, add_parts([score.parts for score, _ in drawn]), reason=_reason(scores))
    if pooled.reason is not None:
        return pooled
    reason = SENTINEL if all(score.reason == SENTINEL for score, _ in drawn) else None
    if definition.statistic == "sum":
        return msgspec.structs.replace(pooled, reason=reason)
    groups = clusters_of([cluster for _, cluster in drawn])
    sums = [add_parts([drawn[place][0].parts for place in group]) for group in groups]
    ci95 = interval(definition, sums, seed=seed, resamples=resamples)
    return msgspec.structs.replace(pooled, ci95=ci95, reason=reason)


def _reason(scores: Sequence[Score]) -> str:
    """Join why nothing was measured: each reason once, in the order of the sessions."""
    told = list(dict.fromkeys(score.reason for score in scores if score.reason and score.reason != NOTHING))
    more = "; ..." if len(told) > MOST_REASONS else ""
    return "; ".join(told[:MOST_REASONS]) + more if told else (NOTHING if scores else "no sessions")
