"""Lost packets, and what a receiver puts in their place.

Packets of a real call also wait to be full; that is a constant, which `delay` gives. Here a packet is a stretch of the
session's time, and nothing is later for being in one.
"""

from typing import Literal

import numpy as np

from channels.packet_loss import PacketLoss
from simulator.frame import AudioFrame, Samples, freeze, silence
from simulator.line import ChannelContext, ChannelSpec
from simulator.spec import Duration, ms

HELD_S, GONE_S = 0.01, 0.06
"""A repetition is as loud as the original for 10 ms and gone after 60 ms, as ITU-T G.711 Appendix I attenuates."""


class LossSpec(ChannelSpec, frozen=True, kw_only=True, tag="loss"):
    """Lose packets: `{kind: loss, loss: {percent: 5, burst: 2}, packet: 20ms, conceal: repeat}`.

    conceal: `none` leaves silence; `repeat` says the last packet that came again, fading away within 60 ms. loss: which
    packets get lost. packet: how long each is.
    """

    loss: PacketLoss
    packet: Duration = ms(20)
    conceal: Literal["none", "repeat"] = "repeat"

    def __post_init__(self) -> None:
        if not 0.0025 <= self.packet <= 0.2:
            raise ValueError(f"packet is {self.packet}; allowed are 2.5ms to 200ms")

    def check(self, where: str, sample_rate: int) -> None:
        """Refuse a trace that cannot be read. ScenarioError."""
        self.loss.check(f"{where}.loss")

    def build(self, context: ChannelContext) -> "Loss":
        """Make the channel."""
        return Loss(self, context)


class LossCount:
    """Counts packets and losses in a row (`bursts`), and tells of each row when it is over."""

    def __init__(self, context: ChannelContext) -> None:
        self._context = context
        self.packets = self.lost = self.bursts = 0
        self._row = 0
        self._since = 0

    def add(self, lost: bool, at: int) -> None:
        """Count the packet that is played at a session sample; none that nobody hears."""
        if self._context.active():
            self.packets += 1
            self.lost += lost
            self.bursts += lost and not self._row
        if lost:
            self._since = self._since if self._row else at
            self._row += 1
        elif self._row:
            self._tell(at, since=self._since, packets=self._row)
            self._row = 0

    def _tell(self, at: int, *, since: int, packets: int) -> None:
        self._context.emit(at, "packets_lost", since=since, packets=packets)

    def measured(self) -> dict[str, float | None]:
        """Packets, what share of them was lost (%), and the mean loss in a row (packets)."""
        return {
            "packets": self.packets,
            "lost_percent": round(100 * self.lost / self.packets, 3) if self.packets else None,
            "mean_burst": round(self.lost / self.bursts, 3) if self.bursts else None,
        }


class Loss:
    """Takes packets out of the sound; frames in which none is lost pass untouched."""

    delay_samples = 0
    takes_blocks = True

    def __init__(self, spec: LossSpec, context: ChannelContext) -> None:
        self._size = max(1, spec.packet.samples(context.sample_rate))
        self._lost = spec.loss.draws(context.rng)
        self._count = LossCount(context)
        self.measured = self._count.measured
        self._concealment = Repetition(self._size, context.sample_rate) if spec.conceal == "repeat" else None
        self._is_lost = False
        self._left = 0
        """How many samples of the packet under way are still to come."""

    def carry(self, frame: AudioFrame, other: AudioFrame) -> AudioFrame:
        """Carry a frame, or several, packet by packet."""
        samples = frame.samples
        spoilt: Samples | None = None
        at = 0
        while at < len(samples):
            if not self._left:
                self._is_lost, self._left = next(self._lost), self._size
                self._count.add(self._is_lost, frame.start + at)
            end = min(len(samples), at + self._left)
            if self._is_lost:
                spoilt = samples.copy() if spoilt is None else spoilt
                spoilt[at:end] = silence(end - at) if self._concealment is None else self._concealment.take(end - at)
            elif self._concealment is not None:
                self._concealment.keep(samples[at:end])
            self._left -= end - at
            at = end
        return frame if spoilt is None else AudioFrame(frame.start, freeze(spoilt))


class Repetition:
    """The last `size` samples that came, said again and again until they have faded away."""

    def __init__(self, size: int, sample_rate: int) -> None:
        self._size = size
        self._kept: Samples = np.zeros(size, np.float32)
        held, gone = round(HELD_S * sample_rate), round(GONE_S * sample_rate)
        ramp = np.linspace(1, 0, gone - held, endpoint=False, dtype=np.float32)
        self._fade = np.concatenate([np.ones(held, np.float32), ramp])
        self._said = 0

    def keep(self, samples: Samples) -> None:
        """Take what came."""
        self._said = 0
        if len(samples) >= self._size:
            self._kept = samples[len(samples) - self._size :]
        else:
            self._kept = np.concatenate([self._kept[len(samples) :], samples])

    def take(self, count: int) -> Samples:
        """Give what is said instead of the next samples: float32 (count,)."""
        first, self._said = self._said, self._said + count
        if first >= len(self._fade):
            return silence(count)
        fade = self._fade[first : first + count]
        said = np.zeros(count, np.float32)
        said[: len(fade)] = np.take(self._kept, np.arange(first, first + len(fade)), mode="wrap") * fade
        return said
