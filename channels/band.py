"""What a telephone, a handset, a far microphone or a mask leaves of the spectrum.

A curve of (Hz, dB) becomes a filter of minimum phase (by the cepstrum of its logarithm, as in Oppenheim and Schafer),
which is what microphones and analogue lines are: nothing is heard before it is said, and next to nothing later.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

import msgspec
import numpy as np

from channels.convolver import Convolver
from simulator.frame import AudioFrame, Samples
from simulator.line import ChannelContext, ChannelSpec

Curve = Sequence[tuple[float, float]]
Shape = Literal["telephone", "wideband", "handset", "far_field", "mask"]

SHAPES: Mapping[Shape, Curve] = {
    # ITU-T G.712 (4-wire, voice frequency): flat from 300 to 3400 Hz, far down at 4600 Hz and at mains hum.
    "telephone": ((0, -45), (60, -30), (150, -14), (200, -7), (270, -0.5), (350, 0), (3000, 0), (3400, -1.2),
                  (3700, -7), (4000, -18), (4600, -36), (6000, -45)),
    # The band of ITU-T G.722 and P.341: 50 to 7000 Hz.
    "wideband": ((0, -40), (50, -3), (90, 0), (6500, 0), (7000, -3), (7500, -15), (8000, -30), (9000, -40)),
    # The sending side of ITU-T P.48's intermediate reference system, 0 dB at 1 kHz: rising, then cut off.
    "handset": ((0, -45), (100, -41), (125, -31), (160, -21), (200, -14), (250, -9.4), (315, -5.9), (400, -3.5),
                (500, -2), (800, -1.2), (1000, 0), (1250, 1.2), (1600, 2.6), (2000, 4.3), (2500, 5.2), (3150, 6.7),
                (3500, 0), (4000, -32), (5000, -45)),
    # Ours, not a standard's: a laptop across a table. No bass below 150 Hz, and a mouth that points elsewhere loses
    # some 3 dB per octave from 2 kHz on.
    "far_field": ((0, -35), (80, -15), (150, -3), (250, 0), (2000, 0), (4000, -3), (8000, -7), (12000, -12)),
    # Corey, Jones and Singer 2020 (JASA 148, 2371), an N95 mask: nothing below 1 kHz, some 6 dB above 4 kHz.
    "mask": ((0, 0), (1000, 0), (2000, -2), (4000, -6), (8000, -7), (16000, -9)),
}  # fmt: skip

LENGTH_S = 0.02
"""Long enough for a slope at 200 Hz; longer costs more transforms."""
GRID = 1 << 14
LOWEST_DB = -60.0


class BandSpec(ChannelSpec, frozen=True, kw_only=True, tag="band"):
    """Colour the sound: `{kind: band, shape: telephone}` or `{kind: band, curve: [[0, -40], [300, 0], [3400, -3]]}`.

    shape: telephone, wideband, handset, far_field or mask. curve: points of Hz and dB; straight between them, and level
    behind the last.
    """

    shape: Shape | None = None
    curve: list[tuple[Annotated[float, msgspec.Meta(ge=0)], Annotated[float, msgspec.Meta(ge=-100, le=40)]]] = []

    def __post_init__(self) -> None:
        if (self.shape is None) == (not self.curve):
            raise ValueError(f"a band has exactly one of shape ({', '.join(SHAPES)}) and curve")
        places = [hz for hz, _ in self.curve]
        if places != sorted(set(places)):
            raise ValueError("the points of curve must rise in frequency")

    def build(self, context: ChannelContext) -> "Band":
        """Make the channel."""
        curve = SHAPES[self.shape] if self.shape is not None else self.curve
        return Band(minimum_phase(curve, context.sample_rate), context.frame_samples)


class Band:
    """Filters; stated is the delay of the filter's peak, below a millisecond."""

    takes_blocks = True

    def __init__(self, taps: Samples, frame_samples: int) -> None:
        self._convolve = Convolver(taps, frame_samples)
        self.delay_samples = int(np.argmax(taps))

    def carry(self, frame: AudioFrame, other: AudioFrame) -> AudioFrame:
        """Carry a frame, or several."""
        return AudioFrame(frame.start, self._convolve(frame.samples))


def minimum_phase(curve: Curve, sample_rate: int) -> Samples:
    """Make a filter of minimum phase for points of (Hz, dB): float32 (20 ms,)."""
    hz, db = np.array(curve, np.float64).T
    wanted_db = np.interp(np.fft.rfftfreq(GRID, 1 / sample_rate), hz, np.maximum(db, LOWEST_DB))
    cepstrum = np.fft.irfft(np.log(10.0) / 20 * wanted_db, GRID)
    cepstrum[1 : GRID // 2] *= 2
    cepstrum[GRID // 2 + 1 :] = 0
    taps = np.fft.irfft(np.exp(np.fft.rfft(cepstrum)), GRID)[: round(LENGTH_S * sample_rate)]
    ends = len(taps) // 4
    taps[len(taps) - ends :] *= 0.5 * (1 + np.cos(np.pi * np.arange(ends) / ends))
    return np.asarray(taps, np.float32)
