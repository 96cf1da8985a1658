"""A line that takes time."""

import numpy as np

from simulator.frame import AudioFrame, Samples
from simulator.line import ChannelContext, ChannelSpec
from simulator.sound.streams import Outbox
from simulator.spec import Duration

LONGEST_S = 60.0
"""Two satellite hops take half a second; more than a minute is a slip of the pen."""


class DelaySpec(ChannelSpec, frozen=True, kw_only=True, tag="delay"):
    """Delay everything by a constant: `{kind: delay, time: 150ms}`.

    time: by how much.
    """

    time: Duration

    def __post_init__(self) -> None:
        if self.time > LONGEST_S:
            raise ValueError(f"time is {self.time}; allowed are up to {LONGEST_S:g}s")

    def build(self, context: ChannelContext) -> "Delay":
        """Make the channel."""
        return Delay(self.time.samples(context.sample_rate))


class Delay:
    """Holds back a constant number of samples."""

    takes_blocks = True

    def __init__(self, samples: int) -> None:
        self.delay_samples = samples
        self._waiting = Outbox()
        self._waiting.push(_zeros(samples))

    def carry(self, frame: AudioFrame, other: AudioFrame) -> AudioFrame:
        """Carry a frame."""
        self._waiting.push(frame.samples)
        return AudioFrame(frame.start, self._waiting.take(len(frame.samples)))


def _zeros(count: int) -> Samples:
    return np.zeros(count, np.float32)
