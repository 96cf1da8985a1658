"""A telephone line: 8 kHz mu-law (ITU-T G.711)."""

from typing import Literal

import numpy as np
import soxr

from simulator.frame import AudioFrame, Samples, freeze
from simulator.line import ChannelContext, ChannelSpec
from simulator.streams import Outbox

TELEPHONE_HZ = 8_000
MU = 255.0


class CodecSpec(ChannelSpec, frozen=True, kw_only=True, tag="codec"):
    """Send the sound through a codec and back: `{kind: codec, name: mulaw}` (8 kHz, 8 bit, 300 Hz is not cut off)."""

    name: Literal["mulaw"] = "mulaw"

    def build(self, context: ChannelContext) -> "MuLaw":
        """Make the channel."""
        return MuLaw(context.sample_rate, context.frame_samples)


class MuLaw:
    """Resamples to 8 kHz, quantises by the continuous mu-law curve to 8 bit, resamples back.

    delay_samples: one whole number of frames that covers both streaming filters, found by feeding silence.
    """

    def __init__(self, sample_rate: int, frame_samples: int) -> None:
        self._down = soxr.ResampleStream(sample_rate, TELEPHONE_HZ, 1, dtype="float32", quality="HQ")
        self._up = soxr.ResampleStream(TELEPHONE_HZ, sample_rate, 1, dtype="float32", quality="HQ")
        self._out = Outbox()
        self.delay_samples = _filter_delay(sample_rate, frame_samples)
        self._out.push(np.zeros(self.delay_samples, np.float32))

    def carry(self, frame: AudioFrame, other: AudioFrame) -> AudioFrame:
        """Carry a frame."""
        narrow = self._down.resample_chunk(frame.samples)
        self._out.push(self._up.resample_chunk(mu_law(narrow)))
        return AudioFrame(frame.start, self._out.take(len(frame.samples)))


def mu_law(samples: Samples) -> Samples:
    """Quantise to 8-bit mu-law and back: float32 (n,), full scale 1.0, both ways. ITU-T G.711, continuous form."""
    clipped = np.clip(samples, -1, 1)
    compressed = np.sign(clipped) * np.log1p(MU * np.abs(clipped)) / np.log1p(MU)
    code = np.rint(compressed * 127) / 127
    return freeze((np.sign(code) * np.expm1(np.abs(code) * np.log1p(MU)) / MU).astype(np.float32))


def _filter_delay(sample_rate: int, frame_samples: int) -> int:
    """Find the whole number of frames after which the two streaming filters always have a frame ready."""
    down = soxr.ResampleStream(sample_rate, TELEPHONE_HZ, 1, dtype="float32", quality="HQ")
    up = soxr.ResampleStream(TELEPHONE_HZ, sample_rate, 1, dtype="float32", quality="HQ")
    quiet = np.zeros(frame_samples, np.float32)
    fed = given = lag = 0
    for _ in range(2 * sample_rate // frame_samples):
        given += len(up.resample_chunk(down.resample_chunk(quiet)))
        fed += frame_samples
        lag = max(lag, fed - given)
    return -(-lag // frame_samples) * frame_samples
