"""Observers whose psychometric function is known: they answer yes at a level with just that probability."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from simulator.curves.fit import Cases


class Observer(NamedTuple):
    """threshold: where it is half way between its asymptotes; spread: from there to 73 % (logistic), Weibull's 1/beta.

    Written without a line of simulator/curves, so that nothing is held against itself.
    """

    shape: str
    threshold: float
    spread: float
    guess: float = 0.0
    lapse: float = 0.0
    falling: bool = False

    def probability(self, level: float) -> float:
        """How likely a yes is."""
        if self.shape == "logistic":
            value = 1 / (1 + math.exp(-(level - self.threshold) / self.spread))
        else:
            value = 1 - 2.0 ** -((level / self.threshold) ** (1 / self.spread))
        return self.guess + (1 - self.guess - self.lapse) * (1 - value if self.falling else value)

    def cases(self, levels: Sequence[float], trials: int, rng: np.random.Generator) -> list[Cases]:
        """Ask it so often at each level."""
        return [Cases(level, float(rng.binomial(trials, self.probability(level))), float(trials)) for level in levels]

    def answers(self, level: float, rng: np.random.Generator) -> bool:
        """Ask it once."""
        return bool(rng.random() < self.probability(level))


KNOWN = {
    "pause": Observer("logistic", 0.7, 0.06, lapse=0.02),
    "steep pause": Observer("logistic", 0.4, 0.03),
    "offset": Observer("weibull", 0.5, 0.15, lapse=0.02),
    "snr": Observer("logistic", 20.0, 1.5, lapse=0.03, falling=True),
}
"""Like what sweeps are made for: how long a pause is taken for an end, how long an interruption must be, how loud."""
