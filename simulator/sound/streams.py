"""Outboxes: sound that arrives in pieces of any size and is said in frames of one size."""

from collections import deque

import numpy as np

from simulator.frame import Samples, freeze, silence


class Outbox:
    """A queue of samples with a jitter buffer: filled by a socket or a model, emptied frame by frame.

    prebuffer: how many samples must wait before a burst starts to be said (0: at once); `release` says that the burst
    is complete, so that a short one is not held back. Not thread-safe: fill and empty it on the event loop.
    """

    def __init__(self, prebuffer: int = 0) -> None:
        self._pieces: deque[Samples] = deque()
        self._offset = 0
        self._prebuffer = prebuffer
        self._playing = prebuffer == 0
        self.buffered = 0
        """Samples waiting to be said."""
        self.taken = 0
        """Samples said so far, silence of an empty box not counted."""

    def push(self, samples: Samples) -> None:
        """Append float32 (n,), full scale 1.0."""
        if len(samples):
            self._pieces.append(samples)
            self.buffered += len(samples)
            self._playing = self._playing or self.buffered >= self._prebuffer

    def release(self) -> None:
        """Say what waits without waiting for more."""
        self._playing = True

    def clear(self) -> int:
        """Drop what waits and give how many samples that were."""
        dropped = self.buffered
        self._pieces.clear()
        self._offset = self.buffered = 0
        self._playing = self._prebuffer == 0
        return dropped

    def take(self, count: int) -> Samples:
        """Give the next `count` samples, silence where there are none: float32 (count,), read-only.

        When nothing waits the array is `silence(count)` itself; a box that ran dry fills its jitter buffer again.
        """
        if not self.buffered or not self._playing:
            return silence(count)
        first = self._pieces[0]
        if len(first) - self._offset >= count:
            # A whole piece of silence stays the array that asks for none of the work.
            whole = first if first is silence(count) else freeze(first[self._offset : self._offset + count])
            self._advance(count)
            self._playing = self.buffered > 0 or self._prebuffer == 0
            return whole
        pieces: list[Samples] = []
        missing = count
        while missing and self._pieces:
            piece = self._pieces[0][self._offset : self._offset + missing]
            pieces.append(piece)
            missing -= len(piece)
            self._advance(len(piece))
        if not self.buffered:
            self._playing = self._prebuffer == 0
        return freeze(np.concatenate([*pieces, silence(missing)]))

    def _advance(self, count: int) -> None:
        self._offset += count
        self.buffered -= count
        self.taken += count
        if self._offset == len(self._pieces[0]):
            self._pieces.popleft()
            self._offset = 0
