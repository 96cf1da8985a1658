"""When a reply is over: one rule for every client that waits for an agent's answer, and for `duration: {answered: ..}`.

waiting --sound--> replying --silent for `quiet`, nothing told that is not over--> over: silence
   └ nothing for `patience` --> over: no reply          after `longest` in any state --> over: longest
"""

from typing import Literal

import msgspec
import numpy as np

from simulator.frame import Samples, silence
from simulator.spec import Duration, ms

AUDIBLE = 0.003
"""About -50 dBFS: what is below it is taken for silence. Lower, and a far end's dither is an endless answer."""


class ReplyRules(msgspec.Struct, frozen=True, kw_only=True):
    """quiet: so much silence ends a reply. patience: so long one is waited for. longest: more is not waited for."""

    quiet: Duration = ms(500)
    patience: Duration = Duration(4.0)
    longest: Duration = Duration(60.0)


class ReplyWatch:
    """Follows what an agent says from the end of a question on. over: why its reply is over; empty until it is."""

    def __init__(self, rules: ReplyRules, sample_rate: int, *, begun: bool = False) -> None:
        """begun: whether the agent has already begun to answer."""
        self._quiet, self._patience, self._longest = (
            time.samples(sample_rate) for time in (rules.quiet, rules.patience, rules.longest)
        )
        self._begun = begun
        self._silent = self._waited = 0
        self.over: Literal["", "silence", "no reply", "longest"] = ""

    def hear(self, said: Samples, *, telling: bool) -> None:
        """Take what the agent says next, float32 (n,). telling: whether it told of an utterance that is not over."""
        self._waited += len(said)
        loud = is_loud(said)
        self._begun = self._begun or loud
        self._silent = 0 if loud else self._silent + len(said)
        if not telling and self._begun and self._silent >= self._quiet:
            self.over = "silence"
        elif not telling and not self._begun and self._waited >= self._patience:
            self.over = "no reply"
        elif self._waited >= self._longest:
            self.over = "longest"

    def settled_samples(self) -> int:
        """How many samples may pass before the reply can be over, whatever is said in them."""
        silence_left = self._quiet - self._silent if self._begun else self._quiet
        left = [silence_left, self._longest - self._waited]
        if not self._begun:
            left.append(self._patience - self._waited)
        return max(1, min(left))


def is_loud(said: Samples) -> bool:
    """Whether there is anything to be heard in float32 (n,)."""
    return said is not silence(len(said)) and bool(np.max(np.abs(said), initial=0.0) > AUDIBLE)
