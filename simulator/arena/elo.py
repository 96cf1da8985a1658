"""Sequential Elo ratings, in the order of the votes: start 1000, K 32, 400 points for odds of ten to one."""

import math
from collections.abc import Sequence

from simulator.arena.battle import Battle

START = 1000.0
K = 32.0
SCALE = 400.0


def elo_ratings(battles: Sequence[Battle]) -> dict[str, float]:
    """Rate models one battle after the other; the sum stays START for each. Another order gives other ratings."""
    ratings: dict[str, float] = {}
    for battle in battles:
        own = ratings.setdefault(battle.model_a, START)
        others = ratings.setdefault(battle.model_b, START)
        change = K * (battle.share - expected(own, others))
        ratings[battle.model_a] = own + change
        ratings[battle.model_b] = others - change
    return ratings


def expected(own: float, others: float) -> float:
    """Give the share that a rating promises against another."""
    return 1.0 / (1.0 + math.pow(10.0, (others - own) / SCALE))
