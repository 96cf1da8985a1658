"""Chunks: sound that comes in frames of one length, given on in pieces of another."""

import numpy as np

from simulator.frame import Samples, freeze


class Chunks:
    """Cuts frames into pieces of `count` samples; 0 gives every frame on as it is."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._rest = np.zeros(0, np.float32)

    def cut(self, samples: Samples) -> list[Samples]:
        """Take the next frame, float32 (n,), and give the pieces that it completes."""
        if not self._count or (len(samples) == self._count and not len(self._rest)):
            return [samples]
        joined = np.concatenate([self._rest, samples])
        whole = len(joined) // self._count * self._count
        self._rest = joined[whole:]
        return [freeze(piece) for piece in joined[:whole].reshape(-1, self._count)]
