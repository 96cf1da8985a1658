"""Which packets of a line are lost: by chance, in bursts, or as a trace says.

Gilbert's model has two states; in the good one packets come, in the bad one they are lost. p is the probability to go
from good to bad with the next packet, r to go back: the mean burst is 1 / r packets, the loss p / (p + r). Elliott adds
what is lost in the good state and what comes in the bad one. Bernoulli's model is the case r = 1 - p.
Sources: Gilbert 1960, Elliott 1963 (Bell System Technical Journal); the loss models of ITU-T G.1050.
"""

from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np

from simulator.errors import ScenarioError

Percent = Annotated[float, msgspec.Meta(ge=0, le=100)]
Probability = Annotated[float, msgspec.Meta(ge=0, le=1)]

AHEAD = 1024
"""So many packets are drawn at once."""


class PacketLoss(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """`{percent: 5}`, `{percent: 5, burst: 3}`, `{p: 0.02, r: 0.5}` or `{trace: packets.txt}`.

    burst: mean length of a loss in packets, in place of chance alone. good_percent, bad_percent: what is lost in either
    state of p and r. trace: a text file with a 0 (came) or 1 (lost) for each packet, over again at its end. percent:
    how much is lost. p: the probability that a good stretch ends with a packet. r: that a bad one does.
    """

    percent: Percent | None = None
    burst: Annotated[float, msgspec.Meta(ge=1)] | None = None
    p: Probability | None = None
    r: Probability | None = None
    good_percent: Percent = 0.0
    bad_percent: Percent = 100.0
    trace: Path | None = None

    def __post_init__(self) -> None:
        given = [name for name in ("percent", "p", "trace") if getattr(self, name) is not None]
        if len(given) != 1 or (self.p is None) != (self.r is None):
            raise ValueError(f"loss is one of percent, p with r, and trace; found {', '.join(given) or 'none'}")
        if self.burst is not None and self.percent is None:
            raise ValueError("burst goes with percent")
        if self.p is None and (self.good_percent != 0 or self.bad_percent != 100):
            raise ValueError("good_percent and bad_percent go with p and r")
        if self.percent is not None and self.burst is not None and self.percent / 100 > self.burst / (self.burst + 1):
            raise ValueError(
                f"percent is {self.percent:g}; bursts of {self.burst:g} make up {self._most():.1f} at most"
            )

    def _most(self) -> float:
        return 100 * (self.burst or 1) / ((self.burst or 1) + 1)

    @property
    def expected(self) -> float | None:
        """The share of packets that is lost in the long run; None for a trace."""
        if self.percent is not None:
            return self.percent / 100
        if self.p is None or self.r is None:
            return None
        bad = self.p / (self.p + self.r) if self.p + self.r > 0 else 0.0
        return (bad * self.bad_percent + (1 - bad) * self.good_percent) / 100

    def check(self, where: str) -> None:
        """Refuse a trace that cannot be read. ScenarioError."""
        if self.trace is not None:
            check_trace(self.trace, where)

    def draws(self, rng: np.random.Generator) -> Iterator[bool]:
        """Say for one packet after the other whether it is lost."""
        if self.trace is not None:
            yield from cycle(value != 0 for value in read_trace(self.trace))
        if self.percent is not None and self.burst is None:
            yield from _independent(self.percent / 100, rng)
        yield from _two_states(*self._chances(), rng)

    def _chances(self) -> tuple[float, float, float, float]:
        """p, r, and the probabilities of a loss in the good state and in the bad one."""
        if self.p is not None and self.r is not None:
            return self.p, self.r, self.good_percent / 100, self.bad_percent / 100
        share, r = (self.percent or 0.0) / 100, 1 / (self.burst or 1)
        return (r * share / (1 - share) if share < 1 else 1.0), r, 0.0, 1.0


def read_trace(path: Path) -> list[float]:
    """Read a text file of numbers, one for each packet, between blanks; `#` begins a comment. ValueError, OSError."""
    lines = path.read_text(encoding="utf-8").splitlines()
    values = [float(word) for line in lines for word in line.partition("#")[0].split()]
    if not values:
        raise ValueError("holds no number")
    if any(not 0 <= value < np.inf for value in values):
        raise ValueError("holds a number that is negative or infinite")
    return values


def check_trace(path: Path, where: str) -> None:
    """Refuse a trace that cannot be read; `where` is the path of what has it. ScenarioError."""
    try:
        read_trace(path)
    except (OSError, ValueError) as error:
        raise ScenarioError(f"{where}.trace: {path}: {error}") from error


def _independent(share: float, rng: np.random.Generator) -> Iterator[bool]:
    while True:
        yield from (rng.random(AHEAD) < share).tolist()


def _two_states(p: float, r: float, good: float, bad: float, rng: np.random.Generator) -> Iterator[bool]:
    # It begins as it is in the long run: a short session is no better a line than a long one.
    is_bad = bool(p + r > 0 and rng.random() < p / (p + r))
    while True:
        for turn, loss in rng.random((AHEAD, 2)).tolist():
            yield loss < (bad if is_bad else good)
            is_bad = turn >= r if is_bad else turn < p
