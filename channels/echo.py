"""Acoustic echo: what the listener says comes out of the speaker's loudspeaker and back through the microphone.

    other -> loudspeaker (soft limit) -> room -> canceller's residual -> added, `delay` later, `loss_db` quieter

Loss is the echo return loss of ITU-T G.122: the level of what comes back under that of what was sent, over the whole
response. With a canceller only its residual is heard: it learns while the loudspeaker sounds.
"""

from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np

from channels.convolver import Convolver
from simulator.errors import ScenarioError, located
from simulator.frame import AudioFrame, Samples, energies, freeze, silence
from simulator.line import ChannelContext, ChannelSpec
from simulator.sound import recordings
from simulator.sound.streams import Outbox
from simulator.speaking.ears import LEVEL_MARGIN_DB, NOMINAL_DBFS
from simulator.spec import Duration, ms

DIRECT_DB = 6.0
"""By how much the way straight from loudspeaker to microphone is louder than the rest of a generated response."""
LONGEST_S = 2.0


class Canceller(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`{erle_db: 25, converges: 2s}`: the echo falls by so much more in so long a time of the loudspeaker's sound.

    erle_db: by how many dB the echo falls. converges: the time of the loudspeaker's sound that this takes.
    """

    erle_db: Annotated[float, msgspec.Meta(ge=0, le=100)]
    converges: Duration = Duration(1.0)


class EchoSpec(ChannelSpec, frozen=True, kw_only=True, tag="echo"):
    """Send back what the listener says: `{kind: echo, delay: 120ms, loss_db: 20}`.

    rt60, length: of the generated response, or `response`, a file. headroom_db: where the loudspeaker saturates (tanh),
    over the nominal speech level; without it, it is linear. delay: until the echo is heard. loss_db: how much quieter
    it is, in dB. response: a file with an impulse response. channel: of such a file with several, from 0. canceller:
    what takes the echo out again.
    """

    delay: Duration = ms(100)
    loss_db: Annotated[float, msgspec.Meta(ge=-20, le=100)] = 20.0
    rt60: Duration = ms(200)
    length: Duration = ms(100)
    response: Path | None = None
    channel: int | None = None
    headroom_db: Annotated[float, msgspec.Meta(ge=-20, le=60)] | None = None
    canceller: Canceller | None = None

    def __post_init__(self) -> None:
        for name, value in (("delay", self.delay), ("length", self.length)):
            if value > LONGEST_S:
                raise ValueError(f"{name} is {value}; allowed are up to {LONGEST_S:g}s")
        if self.rt60 <= 0 or self.length <= 0:
            raise ValueError("rt60 and length must be above 0")

    def check(self, where: str, sample_rate: int) -> None:
        """Refuse a response that cannot be used. ScenarioError."""
        if self.response is not None:
            check_response(self.response, f"{where}.response", sample_rate, self.channel)

    def build(self, context: ChannelContext) -> "Echo":
        """Make the channel."""
        if self.response is not None:
            response = load_response(self.response, context.sample_rate, self.channel)
        else:
            response = decaying(self.rt60, self.length, context.sample_rate, context.rng)
        return Echo(self, response, context)


class Echo:
    """Adds the echo of `other`. The line itself is not late; measured: the loss that came about, dB."""

    delay_samples = 0
    takes_blocks = True

    def __init__(self, spec: EchoSpec, response: Samples, context: ChannelContext) -> None:
        self._count = context.frame_samples
        self._active = context.active
        self._convolve = Convolver(response * np.float32(10 ** (-spec.loss_db / 20)), self._count)
        self._limit = None
        if spec.headroom_db is not None:
            self._limit = np.float32(10 ** ((NOMINAL_DBFS + spec.headroom_db) / 20))
        self._residual = Residual(spec.canceller, context) if spec.canceller is not None else None
        self._returned = Outbox()
        self._returned.push(np.zeros(spec.delay.samples(context.sample_rate), np.float32))
        self._waiting: list[Samples] = []
        self._counted: list[bool] = []
        """Of each frame that waits, whether it counts: it came while the echo was in force."""
        self._sent_energy = self._echo_energy = 0.0

    def carry(self, frame: AudioFrame, other: AudioFrame) -> AudioFrame:
        """Carry a frame, or several."""
        count = len(frame.samples)
        self._waiting.append(other.samples)
        self._counted += [self._active()] * (count // self._count)
        if self._returned.buffered < count:
            # Not before it is needed: several frames at once cost little more than one.
            self._return()
        echo = self._returned.take(count)
        return frame if echo is silence(count) else AudioFrame(frame.start, freeze(frame.samples + echo))

    def _return(self) -> None:
        """Turn all that waits into echo."""
        waiting, self._waiting = self._waiting, []
        counted, self._counted = self._counted, []
        if all(piece is silence(len(piece)) for piece in waiting):
            heard = silence(sum(map(len, waiting)))
        else:
            heard = waiting[0] if len(waiting) == 1 else np.concatenate(waiting)
        sound = heard
        if self._limit is not None and heard is not silence(len(heard)):
            sound = self._limit * np.tanh(heard / self._limit)
        echo = self._convolve(sound)
        if self._residual is not None:
            echo = self._residual(heard, echo)
        self._returned.push(echo)
        if heard is not silence(len(heard)):
            # Frame by frame, as any sum of floats that blocks must not change.
            sent_energies, echo_energies = energies(heard, self._count).tolist(), energies(echo, self._count).tolist()
            sums = zip(sent_energies, echo_energies, counted, strict=True)
            for sent, returned, counts in sums:
                if sent and counts:  # a frame without sound counts as little beside others as alone
                    self._sent_energy += sent
                    self._echo_energy += returned

    def measured(self) -> dict[str, float | None]:
        """The return loss that came about over all that was said, in dB; None where nothing came back."""
        if self._waiting:
            self._return()  # how much of it waited hangs on the blocks that the call went in
        if not self._sent_energy or not self._echo_energy:
            return {"loss_db": None}
        return {"loss_db": round(float(10 * np.log10(self._sent_energy / self._echo_energy)), 2)}


class Residual:
    """What a canceller leaves: by the time that the loudspeaker has sounded."""

    def __init__(self, spec: Canceller, context: ChannelContext) -> None:
        self._count = context.frame_samples
        self._erle_db = spec.erle_db
        self._converges = max(1.0, spec.converges.samples(context.sample_rate) / self._count)
        self._gate = np.float32(10 ** ((NOMINAL_DBFS - LEVEL_MARGIN_DB) / 10) * self._count)
        self._frames = 0

    def __call__(self, heard: Samples, echo: Samples) -> Samples:
        """Give what is left of the echo: float32 (k * frame_samples,) both ways."""
        sounding = np.cumsum(energies(heard, self._count) > self._gate)
        converged = np.minimum((self._frames + sounding) / self._converges, 1)
        self._frames += int(sounding[-1])
        if echo is silence(len(echo)):
            return echo
        gains = (10 ** (-self._erle_db / 20 * converged)).astype(np.float32)
        return np.asarray((echo.reshape(-1, self._count) * gains[:, None]).reshape(-1))


def decaying(rt60_s: float, length_s: float, sample_rate: int, rng: np.random.Generator) -> Samples:
    """Make a response: the direct way, then noise that falls by 60 dB in rt60_s. float32 (length,), unit energy."""
    count = max(1, round(length_s * sample_rate))
    tail = rng.standard_normal(count) * 10 ** (-3 * np.arange(count) / (rt60_s * sample_rate))
    tail[0] = 0
    rest = float(np.sum(tail**2))
    tail[0] = np.sqrt(rest * 10 ** (DIRECT_DB / 10)) if rest else 1.0
    return unit_energy(tail.astype(np.float32))


def unit_energy(response: Samples) -> Samples:
    """Scale a response so that white noise comes out as loud as it goes in: float32 (n,) both ways."""
    return np.asarray(response / np.sqrt(np.sum(response.astype(np.float64) ** 2)), np.float32)


def load_response(path: Path, sample_rate: int, channel: int | None) -> Samples:
    """Read an impulse response, from its first sound on (0.1 % of its peak), unit energy: float32 (n,)."""
    response = recordings.load(path, sample_rate, channel=channel)
    begins = int(np.argmax(np.abs(response) > 1e-3 * np.abs(response).max()))
    return unit_energy(response[begins:])


def check_response(path: Path, where: str, sample_rate: int, channel: int | None) -> None:
    """Refuse a file that is no response. ScenarioError."""
    response = located(where, lambda: recordings.load(path, sample_rate, channel=channel))
    if not response.any():
        raise ScenarioError(f"{where}: {path} is digital silence, which is no response")
    if len(response) > 10 * sample_rate:
        raise ScenarioError(f"{where}: {path} lasts {len(response) / sample_rate:.1f} s; a response has 10 s at most")
