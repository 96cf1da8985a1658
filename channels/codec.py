"""A telephone line: 8 kHz mu-law (ITU-T G.711)."""

from typing import Literal

import numpy as np

from channels.short_filter import ShortResampler
from simulator.frame import AudioFrame, Samples, freeze
from simulator.line import ChannelContext, ChannelSpec
from simulator.sound.streams import Outbox

TELEPHONE_HZ = 8_000
MU = 255.0


class CodecSpec(ChannelSpec, frozen=True, kw_only=True, tag="codec"):
    """Send the sound through a codec and back: `{kind: codec, name: mulaw}` (8 kHz, 8 bit, 300 Hz is not cut off)."""

    name: Literal["mulaw"] = "mulaw"

    def build(self, context: ChannelContext) -> "MuLaw":
        """Make the channel."""
        return MuLaw(context.sample_rate, context.frame_samples)


class MuLaw:
    """Resamples to 8 kHz by a short filter of its own, quantises by the mu-law curve to 8 bit, resamples back.

    delay_samples: of both filters, about 4 ms, rounded up to whole samples of the session.
    """

    takes_blocks = True

    def __init__(self, sample_rate: int, frame_samples: int) -> None:
        self._count = frame_samples
        self._down = ShortResampler(sample_rate, TELEPHONE_HZ)
        self._up = ShortResampler(TELEPHONE_HZ, sample_rate)
        self._out = Outbox()
        filters = (self._down.delay_s + self._up.delay_s) * sample_rate
        # One sample of 8 kHz waits when a frame is no whole number of them.
        waiting = sample_rate // TELEPHONE_HZ + 1
        self.delay_samples = round(filters) + waiting
        self._out.push(np.zeros(waiting, np.float32))

    def carry(self, frame: AudioFrame, other: AudioFrame) -> AudioFrame:
        """Carry a frame, or several one by one: sums of the filters must not depend on how much is handed over."""
        for start in range(0, len(frame.samples), self._count):
            self._out.push(self._up(mu_law(self._down(frame.samples[start : start + self._count]))))
        return AudioFrame(frame.start, self._out.take(len(frame.samples)))


def mu_law(samples: Samples) -> Samples:
    """Quantise to 8-bit mu-law and back: float32 (n,), full scale 1.0, both ways. ITU-T G.711, continuous form."""
    clipped = np.clip(samples, -1, 1)
    compressed = np.sign(clipped) * np.log1p(MU * np.abs(clipped)) / np.log1p(MU)
    code = np.rint(compressed * 127) / 127
    return freeze((np.sign(code) * np.expm1(np.abs(code) * np.log1p(MU)) / MU).astype(np.float32))
