"""A room between mouth and microphone: made by the image method, or an impulse response from a file."""

from pathlib import Path
from typing import Annotated

import msgspec

from channels.convolver import Convolver
from channels.echo import check_response, load_response
from channels.room import check_room, decay_s, direct_db, room_response
from simulator.frame import AudioFrame, Samples
from simulator.line import ChannelContext, ChannelSpec
from simulator.spec import Duration, ms

Metres = Annotated[float, msgspec.Meta(ge=1, le=50)]


class ReverbSpec(ChannelSpec, frozen=True, kw_only=True, tag="reverb"):
    """Speak in a room: `{kind: reverb, size: [6, 4, 2.8], rt60: 400ms, distance: 2}`.

    size, distance: in metres. response: an impulse response from a file, instead. The direct sound is not late, and
    noise is as loud afterwards as it was. rt60: the time in which sound falls by 60 dB. channel: of a response's file
    with several, from 0.
    """

    size: tuple[Metres, Metres, Metres] = (6.0, 4.0, 2.8)
    rt60: Duration = ms(400)
    distance: Annotated[float, msgspec.Meta(ge=0.1, le=30)] = 2.0
    response: Path | None = None
    channel: int | None = None

    def __post_init__(self) -> None:
        if not 0.1 <= self.rt60 <= 1.5:
            raise ValueError(f"rt60 is {self.rt60}; allowed are 100ms to 1.5s")
        if self.response is None:
            check_room(self.size, float(self.rt60), self.distance)

    def check(self, where: str, sample_rate: int) -> None:
        """Refuse a file that is no response. ScenarioError."""
        if self.response is not None:
            check_response(self.response, f"{where}.response", sample_rate, self.channel)

    def build(self, context: ChannelContext) -> "Reverb":
        """Make the channel."""
        if self.response is not None:
            return Reverb(load_response(self.response, context.sample_rate, self.channel), context)
        return Reverb(room_response(self.size, float(self.rt60), self.distance, context.sample_rate), context)


class Reverb:
    """Convolves with the room's response."""

    delay_samples = 0
    takes_blocks = True

    def __init__(self, response: Samples, context: ChannelContext) -> None:
        self._response = response
        self._rate = context.sample_rate
        self._convolve = Convolver(response, context.frame_samples)

    def carry(self, frame: AudioFrame, other: AudioFrame) -> AudioFrame:
        """Carry a frame, or several."""
        return AudioFrame(frame.start, self._convolve(frame.samples))

    def measured(self) -> dict[str, float | None]:
        """The room's reverberation time (s) and how far its direct sound stands over the rest (dB)."""
        return {
            "rt60_s": round(decay_s(self._response, self._rate), 3),
            "direct_db": round(direct_db(self._response, self._rate), 1),
        }
