"""A gate that takes silence for noise, and a quiet start for silence.

    shut -- loud for `opens` --> open -- quiet for `hold` --> shut

Handsets and conference systems have one. What is below the threshold is turned down; the onset of a word is gone before
the gate is sure that it is one, and so is a word that is said quietly.
"""

from typing import Annotated

import msgspec
import numpy as np

from simulator.frame import AudioFrame, energies, freeze, silence
from simulator.line import ChannelContext, ChannelSpec
from simulator.speaking.ears import NOMINAL_DBFS
from simulator.spec import Duration, ms

HOP_S = 0.005
"""So often the gate looks: the largest part of a frame up to this."""


class DenoiseSpec(ChannelSpec, frozen=True, kw_only=True, tag="denoise"):
    """Gate the sound: `{kind: denoise, threshold_db: -15, opens: 40ms, hold: 200ms, depth_db: 40}`.

    threshold_db: relative to the nominal speech level. depth_db: by how much a shut gate turns down. opens: how long a
    gate takes to open. hold: how long it stays open behind the last sound.
    """

    threshold_db: Annotated[float, msgspec.Meta(ge=-60, le=20)] = -15.0
    opens: Duration = ms(40)
    hold: Duration = ms(200)
    depth_db: Annotated[float, msgspec.Meta(ge=0, le=100)] = 40.0

    def build(self, context: ChannelContext) -> "Denoise":
        """Make the channel."""
        return Denoise(self, context)


class Denoise:
    """Turns down what the gate does not let pass; measured: how often it opened, and what of the sound it ate."""

    delay_samples = 0
    takes_blocks = True

    def __init__(self, spec: DenoiseSpec, context: ChannelContext) -> None:
        count = context.frame_samples
        longest = max(1, round(HOP_S * context.sample_rate))
        self._hop = next(size for size in range(min(longest, count), 0, -1) if count % size == 0)
        self._threshold = 10 ** ((NOMINAL_DBFS + spec.threshold_db) / 10) * self._hop
        self._opens = spec.opens.samples(context.sample_rate)
        self._hold = spec.hold.samples(context.sample_rate)
        self._shut = 10 ** (-spec.depth_db / 20)
        self._ramp = (np.arange(1, self._hop + 1) / self._hop).astype(np.float32)
        self._active = context.active
        self._open = False
        self._gain = self._shut
        self._run = 0
        """Samples for which it has been loud while it is shut, or quiet while it is open."""
        self._opened = self._loud = self._eaten = 0

    def carry(self, frame: AudioFrame, other: AudioFrame) -> AudioFrame:
        """Carry a frame, or several."""
        count = len(frame.samples)
        loud = (
            [False] * (count // self._hop)
            if frame.samples is silence(count)
            else (energies(frame.samples, self._hop) > self._threshold).tolist()
        )
        gains = [self._gain, *(self._judge(is_loud) for is_loud in loud)]
        self._gain = gains[-1]
        if frame.samples is silence(count) or min(gains) == 1.0:
            return frame
        before, after = np.array(gains[:-1], np.float32), np.array(gains[1:], np.float32)
        gain = before[:, None] + (after - before)[:, None] * self._ramp
        return AudioFrame(frame.start, freeze(frame.samples * gain.reshape(-1)))

    def _judge(self, loud: bool) -> float:
        """Take the next hop and give the gain at its end."""
        self._run = self._run + self._hop if loud != self._open else 0
        needed = self._hold if self._open else self._opens
        if self._run and self._run >= needed:
            self._open, self._run = not self._open, 0
            self._opened += self._open and self._active()
        if loud and self._active():
            self._loud += 1
            self._eaten += not self._open
        return 1.0 if self._open else self._shut

    def measured(self) -> dict[str, float | None]:
        """How often the gate opened, and the share of sound above the threshold that it ate, in percent."""
        eaten = round(100 * self._eaten / self._loud, 2) if self._loud else None
        return {"opened": self._opened, "eaten_percent": eaten}
