"""A queue of sound as it came over the wire: bytes cut anywhere go in, samples come out as they are wanted.

Sound that waits costs what it cost on the wire, and only what is taken is decoded.
"""

from collections import deque

import numpy as np

from agents.remote.wire_audio import WireFormat
from simulator.frame import Samples, freeze, silence

CRUMB = 2**14


class WireQueue:
    """Bytes waiting to be heard. Its format is settled before the first of them comes."""

    def __init__(self) -> None:
        self._pieces: deque[memoryview] = deque()
        self._crumbs = bytearray()
        self.bytes = 0
        """Bytes that wait."""
        self.pushed = 0
        """Bytes that came so far, those dropped not counted."""

    def push(self, data: bytes | memoryview) -> None:
        """Append sound; small pieces are put together, so that a million of them cost what they hold."""
        self.bytes += len(data)
        self.pushed += len(data)
        if len(data) < CRUMB:
            self._crumbs += data
            if len(self._crumbs) >= CRUMB:
                self._sweep()
        else:
            self._sweep()
            self._pieces.append(memoryview(data))

    def clear(self) -> None:
        """Drop what waits."""
        self.pushed -= self.bytes
        self._pieces.clear()
        self._crumbs = bytearray()
        self.bytes = 0

    def drain(self) -> list[memoryview]:
        """Give all that waits, piece by piece, and forget it."""
        self._sweep()
        pieces = list(self._pieces)
        self.clear()
        return pieces

    def take(self, count: int, form: WireFormat) -> tuple[Samples, int]:
        """Give the next `count` samples, float32 (count,), silence where there are none, and how many there were."""
        found = min(count, self.bytes // form.width)
        if not found:
            return silence(count), 0
        samples = form.unpack(self._cut(found * form.width))
        if found < count:
            samples = freeze(np.concatenate([samples, silence(count - found)]))
        return samples, found

    def _cut(self, size: int) -> bytes:
        self.bytes -= size
        self._sweep()
        parts: list[memoryview] = []
        while size:
            first = self._pieces[0]
            parts.append(first[:size])
            if len(first) > size:
                self._pieces[0] = first[size:]
            else:
                self._pieces.popleft()
            size -= len(parts[-1])
        return b"".join(parts)

    def _sweep(self) -> None:
        if self._crumbs:
            self._pieces.append(memoryview(bytes(self._crumbs)))
            self._crumbs = bytearray()
