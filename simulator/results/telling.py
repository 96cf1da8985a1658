"""Who told: whether sessions that stand side by side rest on the same knowledge of how the agents' speech ended."""

from collections.abc import Mapping, Sequence

from simulator.results.pooling import pooled
from simulator.results.row import Row

TOLD = "barge_in.told_rate"
MOSTLY = 0.5


def told_apart(sides: Mapping[str, Sequence[Row]]) -> list[str]:
    """Say that some of these agents tell how their speech ended and others do not; nothing where they are alike.

    sides: sessions by the name of what they stand for. Those that were not asked (no `barge_in` score) are alike.
    """
    shares = {name: pooled(rows, TOLD).value for name, rows in sides.items()}
    told = [name for name, share in shares.items() if share is not None and share >= MOSTLY]
    untold = [name for name, share in shares.items() if share is not None and share < MOSTLY]
    if not told or not untold:
        return []
    return [
        f"{', '.join(told)}: it is told how the agent's speech ended; {', '.join(untold)}: nobody tells; barge-ins are "
        "decided by different knowledge, so look at barge_in.undecided_rate beside barge_in.yield_rate"
    ]
