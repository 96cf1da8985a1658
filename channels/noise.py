"""Noise on a line, at a stated signal-to-noise ratio against the nominal speech level.

The gain is nominal level - snr_db from sample 0 on, whoever speaks: a room does not wait for speech, and a level that
followed the speech would pump. The noise is one seeded loop, so carrying a frame is a slice and a sum.
"""

from pathlib import Path

import numpy as np

from channels.noises import COLORS, Color, generate
from simulator.errors import ScenarioError, located
from simulator.frame import AudioFrame, Samples, energies, freeze, silence
from simulator.line import ChannelContext, ChannelSpec
from simulator.sound import recordings
from simulator.speaking.ears import LEVEL_MARGIN_DB, NOMINAL_DBFS


class NoiseSpec(ChannelSpec, frozen=True, kw_only=True, tag="noise"):
    """Add noise: `{kind: noise, color: babble, snr_db: 15}` or `{kind: noise, file: street.wav, snr_db: 10}`.

    snr_db: the nominal speech level over the noise's, in dB. color: of generated noise. file: a recording of noise.
    channel: of a file with several, from 0.
    """

    snr_db: float
    color: Color | None = None
    file: Path | None = None
    channel: int | None = None

    def __post_init__(self) -> None:
        if (self.color is None) == (self.file is None):
            raise ValueError(f"noise has exactly one of color ({', '.join(COLORS)}) and file")
        if not -40 <= self.snr_db <= 100:
            raise ValueError(f"snr_db is {self.snr_db}; allowed are -40 to 100")

    def check(self, where: str, sample_rate: int) -> None:
        """Refuse a file that cannot be used. ScenarioError."""
        if self.file is not None:
            loop = located(f"{where}.file", lambda: recordings.load(self.file, sample_rate, channel=self.channel))  # type: ignore[arg-type]
            if not loop.any():
                raise ScenarioError(f"{where}.file: {self.file} is digital silence, which has no level to be scaled")

    def build(self, context: ChannelContext) -> "Noise":
        """Make the channel."""
        if self.file is not None:
            loop = recordings.load(self.file, context.sample_rate, channel=self.channel)
        else:
            loop = generate(self.color or "white", context.sample_rate, context.rng)
        level_dbfs = NOMINAL_DBFS - self.snr_db
        offset = int(context.rng.integers(len(loop)))
        return Noise(at_rms(loop, level_dbfs), level_dbfs, offset, context.frame_samples)


class Noise:
    """Adds a loop of noise that begins at `offset` (drawn, so that two lines do not share their noise)."""

    delay_samples = 0
    takes_blocks = True

    def __init__(self, loop: Samples, level_dbfs: float, offset: int, frame_samples: int) -> None:
        self._count = frame_samples
        self._loop = loop
        self._level_dbfs = level_dbfs
        self._next = offset
        self._speech_energy = 0.0
        self._speech_samples = 0
        self._gate = 10 ** ((NOMINAL_DBFS - LEVEL_MARGIN_DB) / 10) * frame_samples

    def carry(self, frame: AudioFrame, other: AudioFrame) -> AudioFrame:
        """Carry a frame, or several."""
        count = len(frame.samples)
        start, end = self._next, self._next + count
        if end <= len(self._loop):
            noise = self._loop[start:end]
            self._next = end
        else:
            self._next = end % len(self._loop)
            # Round once, or several times where a frame is longer than the noise.
            rounds = [self._loop] * (end // len(self._loop) - 1)
            noise = np.concatenate([self._loop[start:], *rounds, self._loop[: self._next]])
        if frame.samples is silence(count):
            return AudioFrame(frame.start, noise)
        for energy in self._energies(frame.samples):
            if energy > self._gate:
                self._speech_energy += energy
                self._speech_samples += self._count
        return AudioFrame(frame.start, frame.samples + noise)

    def _energies(self, samples: Samples) -> list[float]:
        if len(samples) == self._count:
            return [float(np.dot(samples, samples))]
        return [float(energy) for energy in energies(samples, self._count)]

    def measured(self) -> dict[str, float | None]:
        """Give the SNR that came about: the level of the frames with speech over the level of the noise."""
        if not self._speech_samples:
            return {"snr_db": None}
        speech_dbfs = 10 * np.log10(self._speech_energy / self._speech_samples)
        return {"snr_db": round(float(speech_dbfs) - self._level_dbfs, 2)}


def at_rms(samples: Samples, level_dbfs: float) -> Samples:
    """Scale to an RMS level in dBFS: float32 (n,), read-only. Digital silence stays silence."""
    rms = float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))
    gain = 10 ** (level_dbfs / 20) / rms if rms > 0 else 0.0
    return freeze((samples * np.float32(gain)).astype(np.float32))
