"""Bursts of noise on a line: a dog, a horn, a door, at known moments; an agent should let them pass."""

from pathlib import Path

import numpy as np

from channels.noise import at_rms
from channels.noises import COLORS, Color, generate
from simulator.errors import located
from simulator.events import Emit
from simulator.frame import AudioFrame, Samples, freeze, silence
from simulator.line import ChannelContext, ChannelSpec, carried_until
from simulator.sound import recordings
from simulator.sound.streams import Outbox
from simulator.speaking.ears import NOMINAL_DBFS
from simulator.spec import Duration, ms

FADE_S = 0.01
"""A generated burst fades in and out over 10 ms: a hard edge would be a click of its own."""


class BurstSpec(ChannelSpec, frozen=True, kw_only=True, tag="burst"):
    """Let it bang: `{kind: burst, file: dog.wav, start: 3s, every: 8s}` or `{kind: burst, color: white}`.

    snr_db: the nominal speech level over the burst's own level (its RMS); negative is louder than speech. The burst
    begins at `start` and, with `every`, again so long after each beginning. length: of a generated burst. color: of a
    generated burst. file: a recording of one. channel: of a file with several, from 0. start: when the first begins.
    every: from one beginning to the next (default: once).
    """

    snr_db: float = 0.0
    color: Color | None = None
    file: Path | None = None
    channel: int | None = None
    start: Duration = ms(1000)
    every: Duration | None = None
    length: Duration = ms(500)

    def __post_init__(self) -> None:
        if (self.color is None) == (self.file is None):
            raise ValueError(f"a burst has exactly one of color ({', '.join(COLORS)}) and file")
        if not -40 <= self.snr_db <= 100:
            raise ValueError(f"snr_db is {self.snr_db}; allowed are -40 to 100")
        if self.every is not None and self.every <= 0:
            raise ValueError("every must be above 0")
        if self.length <= 0:
            raise ValueError("length must be above 0")

    def check(self, where: str, sample_rate: int) -> None:
        """Refuse a file that cannot be used. ScenarioError."""
        if self.file is not None:
            file = self.file
            located(f"{where}.file", lambda: recordings.load(file, sample_rate, channel=self.channel))

    def build(self, context: ChannelContext) -> "Burst":
        """Make the channel."""
        rate = context.sample_rate
        if self.file is not None:
            bang = recordings.load(self.file, rate, channel=self.channel)
        else:
            noise = generate(self.color or "white", rate, context.rng)
            bang = _faded(noise[: self.length.samples(rate)], round(FADE_S * rate))
        every = self.every.samples(rate) if self.every is not None else None
        bang = at_rms(bang, NOMINAL_DBFS - self.snr_db)
        return Burst(bang, self.start.samples(rate), every, context.emit, context.frame_samples)


class Burst:
    """Adds the burst at its moments; a `noise_burst` event tells where each begins and ends."""

    delay_samples = 0
    takes_blocks = True

    def __init__(self, bang: Samples, start: int, every: int | None, emit: Emit, frame_samples: int) -> None:
        self._count = frame_samples
        self._bang = bang
        self._next: int | None = start
        self._every = every
        self._emit = emit
        self._out = Outbox()

    def carry(self, frame: AudioFrame, other: AudioFrame) -> AudioFrame:
        """Carry a frame, or several; a burst begins with the first frame that holds its moment."""
        return carried_until(frame, self._next, self._count, self._carry)

    def _carry(self, frame: AudioFrame) -> AudioFrame:
        count = len(frame.samples)
        if self._next is not None and frame.start + count > self._next:
            self._next = self._next + self._every if self._every is not None else None
            self._out.clear()
            self._out.push(self._bang)
            self._emit(frame.start, "noise_burst", until=frame.start + len(self._bang))
        bang = self._out.take(count)
        if bang is silence(count):
            return frame
        return AudioFrame(frame.start, freeze(frame.samples + bang))


def _faded(samples: Samples, length: int) -> Samples:
    """Fade both ends over `length` samples: float32 (n,) both ways."""
    faded = samples.copy()
    length = min(length, len(faded) // 2)
    ramp = np.linspace(0, 1, length, dtype=np.float32)
    faded[:length] *= ramp
    faded[len(faded) - length :] *= ramp[::-1]
    return faded
