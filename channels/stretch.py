"""A receiver's memory: sound written as it comes, read so much later as the delay says, and a delay that may change.

The delay changes by a pitch period at a time: the frame is faded over from the sound at the old delay to that at the
new one, which repeat each other there. So speech is sped up or slowed down without a change of pitch, as receivers of
packets do (Liang, Faerber, Girod 2001; the accelerate and expand of WebRTC's NetEq).
"""

import numpy as np

from simulator.frame import Samples, freeze

SHORTEST_S, LONGEST_S = 0.0025, 0.015
"""Pitch periods from 400 Hz down to 67 Hz."""
REST_S = 0.06
"""From one change to the next: 15 ms in 60 make a quarter at most."""


class StretchedPlayout:
    """Reads a stream in frames at a delay that moves towards a target. delay: in samples, as it is now."""

    def __init__(self, delay: int, longest: int, sample_rate: int, frame_samples: int) -> None:
        self.delay = delay
        self._count = frame_samples
        self._shortest, self._pitch = round(SHORTEST_S * sample_rate), round(LONGEST_S * sample_rate)
        self._rest = round(REST_S * sample_rate)
        self._keep = longest + 2 * self._pitch + 2 * frame_samples
        # Twice what is kept: it moves to the front once in a while, not with every frame.
        self._memory: Samples = np.zeros(2 * self._keep, np.float32)
        self._end = self._keep
        self.written = 0
        """Samples of the stream that have been written."""
        self._changed = -self._rest
        self._ramp = ((np.arange(frame_samples) + 0.5) / frame_samples).astype(np.float32)

    def write(self, samples: Samples) -> None:
        """Append to the stream."""
        if self._end + len(samples) > len(self._memory):
            self._memory[: self._keep] = self._memory[self._end - self._keep : self._end].copy()
            self._end = self._keep
        self._memory[self._end : self._end + len(samples)] = samples
        self._end += len(samples)
        self.written += len(samples)

    def change(self, now: int, target: int) -> int:
        """Give the delay to go to in the frame at `now` on the way to a target: at most a period away, often none."""
        wanted = target - self.delay
        if abs(wanted) < self._shortest or now - self._changed < self._rest:
            return self.delay
        self._changed = now
        period = self._period(min(self._pitch, self._count, abs(wanted)))
        return self.delay + (period if wanted > 0 else -period)

    def read(self, now: int, delay: int) -> Samples:
        """Give the frame at `now`, faded over from the present delay to `delay`: float32 (frame_samples,), read-only.

        Written must be what lies up to the end of the frame, less the smaller delay; before the beginning is silence.
        """
        before = self._at(now - self.delay)
        if delay == self.delay:
            return freeze(before.copy())
        after = self._at(now - delay)
        self.delay = delay
        return freeze(before + (after - before) * self._ramp)

    def _at(self, place: int) -> Samples:
        first = self._end - self.written + place
        return self._memory[first : first + self._count]

    def _period(self, longest: int) -> int:
        """The pitch period of what was written last, at most `longest`; that where nothing repeats itself."""
        known = self._memory[self._end - longest - self._count : self._end]
        latest = known[longest:]
        if not latest.any():
            return longest
        agreement = np.correlate(known, latest, "valid")[: longest - self._shortest + 1]
        energy = np.convolve(known * known, np.ones(self._count, np.float32), "valid")[: len(agreement)]
        return longest - int(np.argmax(agreement / np.sqrt(energy + np.float32(1e-9))))
