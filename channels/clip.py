"""A converter or a loudspeaker that is driven too hard."""

from typing import Annotated, Literal

import msgspec
import numpy as np

from simulator.frame import AudioFrame, freeze, silence
from simulator.line import ChannelContext, ChannelSpec
from simulator.speaking.ears import NOMINAL_DBFS
from simulator.speaking.voice import DEFAULT_VOICES, spoken

DEFAULT_DB = 6.0
REFERENCE = "We should bring the old chairs into the house, for it will rain all evening, and put some tea on the fire."
"""Vowels and consonants of most sorts: the limit for a share of samples is set by it."""


class ClipSpec(ChannelSpec, frozen=True, kw_only=True, tag="clip"):
    """Cut off what is loud: `{kind: clip, percent: 5}`, or bend it: `{kind: clip, shape: soft, headroom_db: 0}`.

    headroom_db: how far the limit lies over the nominal speech level (6 dB unless said). percent: instead, the share of
    a voice's samples that is above it: of ours, at the nominal level. soft: tanh, nothing is ever above the limit.
    shape: a limit, or a bend.
    """

    headroom_db: Annotated[float, msgspec.Meta(ge=-40, le=40)] | None = None
    percent: Annotated[float, msgspec.Meta(gt=0, le=90)] | None = None
    shape: Literal["hard", "soft"] = "hard"

    def __post_init__(self) -> None:
        if self.headroom_db is not None and self.percent is not None:
            raise ValueError("a clip has at most one of headroom_db and percent")

    def build(self, context: ChannelContext) -> "Clipping":
        """Make the channel."""
        return Clipping(self.limit(context.sample_rate), self.shape == "soft", context)

    def limit(self, sample_rate: int) -> float:
        """The greatest sample that passes, full scale 1.0."""
        if self.percent is None:
            return float(10 ** ((NOMINAL_DBFS + (DEFAULT_DB if self.headroom_db is None else self.headroom_db)) / 20))
        voice = np.abs(spoken(REFERENCE, DEFAULT_VOICES["user"], sample_rate).samples)
        return float(np.quantile(voice[voice > 0], 1 - self.percent / 100))


class Clipping:
    """Limits samples; measured: the share that was above the limit, of all that were not zero."""

    delay_samples = 0
    takes_blocks = True

    def __init__(self, limit: float, soft: bool, context: ChannelContext) -> None:
        self._limit = np.float32(limit)
        self._soft = soft
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
