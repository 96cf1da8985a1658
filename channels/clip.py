"""A converter or a loudspeaker that is driven too hard."""

from typing import Annotated, Literal

import msgspec
import numpy as np

from simulator.frame import AudioFrame, freeze, silence
from simulator.line import ChannelContext, ChannelSpec
from simulator.speaking.ears import NOMINAL_DBFS


class ClipSpec(ChannelSpec, frozen=True, kw_only=True, tag="clip"):
    """Cut off what is loud: `{kind: clip, headroom_db: 3}`, or bend it: `{kind: clip, shape: soft, headroom_db: 0}`.

    headroom_db: how far the limit lies over the nominal speech level. soft: tanh, nothing is ever above the limit.
    """

    headroom_db: Annotated[float, msgspec.Meta(ge=-40, le=40)] = 6.0
    shape: Literal["hard", "soft"] = "hard"

    def build(self, context: ChannelContext) -> "Clipping":
        """Make the channel."""
        return Clipping(self, context)


class Clipping:
    """Limits samples; measured: the share that was above the limit, of all that were not zero."""

    delay_samples = 0
    takes_blocks = True

    def __init__(self, spec: ClipSpec, context: ChannelContext) -> None:
        self._limit = np.float32(10 ** ((NOMINAL_DBFS + spec.headroom_db) / 20))
        self._soft = spec.shape == "soft"
        self._active = context.active
        self._clipped = self._sounding = 0

    def carry(self, frame: AudioFrame, other: AudioFrame) -> AudioFrame:
        """Carry a frame, or several."""
        samples, limit = frame.samples, self._limit
        if samples is silence(len(samples)):
            return frame
        limited = np.maximum(np.minimum(samples, limit), -limit)
        if self._active():
            self._sounding += int(np.count_nonzero(samples))
            self._clipped += int(np.count_nonzero(samples != limited))
        if self._soft:
            limited = limit * np.tanh(samples / limit)
        return AudioFrame(frame.start, freeze(limited))

    def measured(self) -> dict[str, float | None]:
        """The share of samples above the limit, in percent."""
        return {"clipped_percent": round(100 * self._clipped / self._sounding, 3) if self._sounding else None}
