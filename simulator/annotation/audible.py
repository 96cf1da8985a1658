"""Audible frames: where a track holds sound at all, in frames of 10 ms.

On a track that a simulator made, silence is digital and sound is speech: no detector is needed to tell them
apart, and the first audible frame is the onset.
"""

from collections.abc import Iterable

import msgspec
import numpy as np
from numpy.typing import NDArray

from simulator.frame import Samples
from simulator.timeline import Timeline

FRAME_S = 0.01
AUDIBLE = 1e-3
"""RMS of a frame from which it counts as sound: -60 dBFS, 34 dB under the nominal speech level."""

_BELOW_SPEECH = 10 ** (-35 / 20)
_FAINTEST = 1e-4


class FrameLevels(msgspec.Struct, frozen=True, kw_only=True):
    """RMS of consecutive 10 ms frames of a track: float32 (ceil(n / frame),), full scale 1.0; 1.4 MB for an hour."""

    frame: int
    length: int
    rms: NDArray[np.float32]

    def any_outside(self, known: Timeline) -> bool:
        """Whether a frame that lies wholly outside `known` (with one frame of margin) is audible."""
        loud = self.rms >= AUDIBLE
        for start, end in known:
            loud[max(0, start // self.frame - 1) : -(-end // self.frame) + 1] = False
        return bool(loud.any())

    def audible(self, start: int, end: int) -> Timeline:
        """The audible frames of a stretch, cut to it.

        Quiet speech is not lost: where the stretch is quieter than nominal, a frame counts down to 35 dB
        below the 90th percentile of its levels, but never below -80 dBFS.
        """
        first, last = start // self.frame, -(-end // self.frame)
        levels = self.rms[first:last]
        if not len(levels):
            return Timeline()
        bound = min(AUDIBLE, max(_FAINTEST, float(np.percentile(levels, 90)) * _BELOW_SPEECH))
        edges = np.flatnonzero(np.diff(np.concatenate([[False], levels >= bound, [False]])))
        spans = (edges.reshape(-1, 2) + first) * self.frame
        return Timeline((int(a), int(b)) for a, b in spans).crop(start, end)


def frame_levels(blocks: Iterable[Samples], sample_rate: int, length: int) -> FrameLevels:
    """Measure a track that comes in blocks; the result does not depend on the blocks.

    blocks: float32 (n,) each, full scale 1.0. length: of the whole track, in samples.
    """
    frame = max(1, round(FRAME_S * sample_rate))
    powers = np.zeros(-(-length // frame), np.float32)
    rest: Samples = np.zeros(0, np.float32)
    done = 0
    for block in blocks:
        joined = np.concatenate([rest, block]) if len(rest) else block
        whole = len(joined) // frame
        powers[done : done + whole] = np.square(joined[: whole * frame]).reshape(-1, frame).mean(axis=1)
        done += whole
        rest = joined[whole * frame :]
    if len(rest):
        powers[done] = np.square(rest).sum() / frame
    return FrameLevels(frame=frame, length=length, rms=np.sqrt(powers))
