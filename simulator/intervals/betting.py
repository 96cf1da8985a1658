"""Deciding as sessions come, so that looking early costs nothing: a bound on a mean is bet against, fairly.

A bettor with a capital of 1 bets after every session against "the mean is at most m". If that is true, the bets are
fair or worse, and by Ville's inequality the capital ever reaches 1 / alpha with probability alpha at most, whenever one
looks and whenever one stops. So a capital of 1 / alpha decides. That is the betting confidence sequence for means of
bounded values of Waudby-Smith & Ramdas, "Estimating means of bounded random variables by betting" (JRSS B 86, 2024;
arXiv 2010.09686), evaluated at the one bound that is asked for; the stake is the diversified Kelly bet of its section
on grids (a capital shared out evenly among bettors of fixed stakes), which needs no tuning and no knowledge of spread.
"""

from typing import Literal

import numpy as np

from simulator.intervals.share import Floats

Side = Literal["above", "below", "open"]

_STAKES = np.arange(1, 21) / 20.5
"""Shares of the most that may be staked without the risk of ruin; the greatest is what a run of nothing but successes
rewards, the smallest what a mean close to the bound does."""
_EDGE = 1e-9


def decided_side(observed: Floats, bound: float, confidence: float) -> tuple[Side, int]:
    """Say on which side of the bound the mean lies, and after how many observations that was decided.

    observed: float64 (n,), each 0 to 1, in the order in which they came; independent, of one mean. `open` where they do
    not decide. Either side is claimed wrongly with probability 1 - confidence at most, however often this is asked.
    """
    m = min(1 - _EDGE, max(_EDGE, bound))
    needed = np.log(1 / (1 - confidence))
    above = _first(_log_capital((observed - m) / m), needed)
    below = _first(_log_capital((m - observed) / (1 - m)), needed)
    if above is None and below is None:
        return "open", len(observed)
    if below is None or (above is not None and above <= below):
        return "above", (above or 0) + 1
    return "below", below + 1


def _log_capital(gains: Floats) -> Floats:
    """The logarithm of the shared capital after each observation, float64 (n,); gains: at full stake, -1 at least."""
    each = np.cumsum(np.log1p(gains[:, None] * _STAKES[None, :]), axis=0)
    top = each.max(axis=1, initial=-np.inf) if len(each) else np.zeros(0)
    shared: Floats = top + np.log(np.exp(each - top[:, None]).mean(axis=1))
    return shared


def _first(capital: Floats, needed: float) -> int | None:
    reached = np.flatnonzero(capital >= needed)
    return int(reached[0]) if len(reached) else None
