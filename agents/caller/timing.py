"""Timing: when people speak, drawn from what was measured of people; a model never decides it.

    gap          silence before an answer: median 0.38 s (gaps of CANDOR, strangers on video; Reece et al. 2023, as told
                 by others), spread so that one in six comes after 0.63 s (ours)
    pause        silence inside a turn: median 0.87 s, p10 0.68, p90 1.28 (CANDOR, as Full-Duplex-Bench took them)
    backchannel  exponential distances, at the manner's rate a minute of the other's speech; CANDOR's talkers come to
                 about 1,000 words of backchannel an hour of speech (the author's page)
    cut_in       how far into the other's speech an interruption begins: 1.8 to 4 s (ours: no source was found)
    patience     how long a silence is borne before one says something: 4, 7 or 12 s (ours)

Each session has one bias for all of them: who talks to whom explains more of such times than sex or age do (Fisher
corpus, Cavalcanti and Skantze 2025). What ears must hear first bounds a gap from below: so there is no overlap by an
early answer, which is 48 % of CANDOR's transfers; overlaps come from interruptions and backchannels. All of the sources
are conversations, none is a service call.
"""

import math

import numpy as np

from agents.caller.manner import Manner
from simulator.spec import Duration

GAP_S, GAP_SPREAD, GAP_RANGE_S = 0.38, 0.5, (0.25, 2.0)
PAUSE_S, PAUSE_SPREAD, PAUSE_RANGE_S = 0.87, math.log(1.28 / 0.68) / (2 * 1.2816), (0.3, 2.5)
CUT_IN_S = (1.8, 4.0)
BIAS_SPREAD = 0.25
BACKCHANNEL_FROM_S = 1.0
"""Nobody says "mm-hm" to half a sentence."""

GREETING_S = 2.5
"""So long a greeting is waited for."""

BEARS_S = {"low": 4.0, "normal": 7.0, "high": 12.0}
SOONER = {"low": 0.75, "normal": 1.0, "high": 1.4}
"""What patience makes of a gap."""

PREPARES_S = 0.8
"""So long before an interruption its words are thought of, from what was heard by then."""

YIELDS_S = {"turn": 1.0, "interruption": 5.0}
"""So long the other talks over it before it stops: tau-voice's defaults, who interrupts insists."""


class HumanTiming:
    """Draws times in whole milliseconds, which a scenario can write down. rng: the caller's own."""

    def __init__(self, manner: Manner, rng: np.random.Generator) -> None:
        self._manner = manner
        self._rng = rng
        self.bias = math.exp(BIAS_SPREAD * rng.standard_normal())

    def gap(self) -> Duration:
        """Silence after which it answers."""
        return self._lognormal(GAP_S * SOONER[self._manner.patience], GAP_SPREAD, GAP_RANGE_S)

    def pause(self) -> Duration:
        """Silence inside a turn of its own."""
        return self._lognormal(PAUSE_S, PAUSE_SPREAD, PAUSE_RANGE_S)

    def bears(self) -> Duration:
        """Silence that it bears."""
        return whole_ms(BEARS_S[self._manner.patience] * self.bias)

    def greeting(self) -> Duration:
        """How long it waits for the other to begin."""
        return whole_ms(GREETING_S * self.bias)

    def opens(self) -> Duration:
        """When it begins where it is the one who is called."""
        return whole_ms(self._rng.uniform(0.3, 0.8))

    def backchannel(self) -> Duration | None:
        """After how much of the other's speech it says "mm-hm"; None where it never does."""
        rate = self._manner.backchannels
        return whole_ms(BACKCHANNEL_FROM_S + self._rng.exponential(60 / rate) * self.bias) if rate else None

    def cut_in(self) -> Duration | None:
        """After how much of the other's speech it interrupts; None where it lets the other finish this time."""
        interrupts = self._rng.random() < self._manner.interrupts
        return whole_ms(self._rng.uniform(*CUT_IN_S)) if interrupts else None

    def happens(self, share: float) -> bool:
        """Whether something happens that happens so often."""
        return bool(self._rng.random() < share)

    def one_of(self, count: int) -> int:
        """One of so many, each as likely as the others."""
        return int(self._rng.integers(count))

    def _lognormal(self, median_s: float, spread: float, within_s: tuple[float, float]) -> Duration:
        drawn = median_s * self.bias * math.exp(spread * self._rng.standard_normal())
        return whole_ms(min(max(drawn, within_s[0]), within_s[1]))


def whole_ms(seconds: float) -> Duration:
    """Give a time in whole milliseconds, which a scenario can write down."""
    return Duration(round(seconds * 1000) / 1000)
