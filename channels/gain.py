"""A louder or quieter line."""

import numpy as np

from simulator.frame import AudioFrame, freeze, silence
from simulator.line import ChannelContext, ChannelSpec
from simulator.spec import Decibels


class GainSpec(ChannelSpec, frozen=True, kw_only=True, tag="gain"):
    """Multiply by a constant: `{kind: gain, db: -6}`; what exceeds full scale is clipped, as a converter would.

    db: the gain in dB.
    """

    db: Decibels

    def build(self, context: ChannelContext) -> "Gain":
        """Make the channel."""
        return Gain(self.db)


class Gain:
    """Multiplies every sample by 10^(db/20)."""

    delay_samples = 0
    takes_blocks = True

    def __init__(self, db: float) -> None:
        self._factor = np.float32(10 ** (db / 20))

    def carry(self, frame: AudioFrame, other: AudioFrame) -> AudioFrame:
        """Carry a frame."""
        if frame.samples is silence(len(frame.samples)):
            return frame
        louder = frame.samples * self._factor
        # The two halves of np.clip, whose wrapper costs as much as the rest.
        np.maximum(louder, -1, out=louder)
        return AudioFrame(frame.start, freeze(np.minimum(louder, 1, out=louder)))
