"""A voice that sounds higher or lower, as long as it was.

Everything moves, formants too, as it does on a tape that runs faster: a smaller or a bigger speaker rather than
another tone of voice.
"""

from typing import Annotated

import msgspec
import numpy as np

from simulator.frame import AudioFrame, Samples, freeze
from simulator.line import ChannelContext, ChannelSpec, by_frames
from simulator.sound.pitch import PIECE_S, PitchShift


class PitchSpec(ChannelSpec, frozen=True, kw_only=True, tag="pitch"):
    """Shift the pitch: `{kind: pitch, semitones: -3}`, from -12 (an octave down) to 12.

    semitones: up, or down when negative.
    """

    semitones: Annotated[float, msgspec.Meta(ge=-12, le=12)]

    def build(self, context: ChannelContext) -> "Pitch":
        """Make the channel."""
        return Pitch(2 ** (self.semitones / 12), context.sample_rate, context.frame_samples)


class Pitch:
    """Reads what comes faster or slower than it came, and jumps by periods so as not to fall behind."""

    takes_blocks = True

    def __init__(self, ratio: float, sample_rate: int, frame_samples: int) -> None:
        self._count = frame_samples
        self._piece = _piece(frame_samples, round(PIECE_S * sample_rate))
        self._shift = PitchShift(ratio, sample_rate, self._piece)
        self.delay_samples = self._shift.delay_samples

    def carry(self, frame: AudioFrame, other: AudioFrame) -> AudioFrame:
        """Carry a frame, or several one by one."""
        return by_frames(frame, other, self._count, self._carry)

    def _carry(self, frame: AudioFrame, other: AudioFrame) -> AudioFrame:
        if self._piece == self._count:
            return AudioFrame(frame.start, freeze(self._shift.shift(frame.samples)))
        pieces: list[Samples] = [
            self._shift.shift(frame.samples[start : start + self._piece])
            for start in range(0, self._count, self._piece)
        ]
        return AudioFrame(frame.start, freeze(np.concatenate(pieces)))


def _piece(frame: int, most: int) -> int:
    """The largest whole part of a frame that is no longer than `most`; the frame itself where that would be tiny."""
    largest = max(size for size in range(1, min(frame, most) + 1) if frame % size == 0)
    return largest if largest > most // 4 else frame
