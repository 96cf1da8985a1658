"""Noise on a line, at a stated signal-to-noise ratio against the nominal speech level.

The gain is nominal level - snr_db from sample 0 on, whoever speaks: a room does not wait for speech, and a level that
followed the speech would pump. The noise is one seeded loop, so carrying a frame is a slice and a sum.
"""

from pathlib import Path
from typing import Literal

import numpy as np

from simulator.errors import ScenarioError, located
from simulator.frame import AudioFrame, Samples, energies, freeze, silence
from simulator.line import ChannelContext, ChannelSpec
from simulator.sound import recordings
from simulator.speaking.ears import LEVEL_MARGIN_DB, NOMINAL_DBFS
from simulator.speaking.voice import spoken

Color = Literal["white", "pink", "babble"]

LOOP_S = 30.0
"""Length of generated noise before it repeats: longer than anybody remembers a noise."""

TALKERS = 18
BABBLE_VOICES = ("en-us+m1", "en-gb-x-rp", "en-us+m3", "en-gb-scotland", "en-us+f2", "en-us+m7")
BABBLE_TEXT = (
    "We went down to the market on Saturday and it was quite full of people already.",
    "He said the train would come at nine but nobody had seen it by ten o'clock.",
    "Have you tried the new place around the corner, they make very good bread there.",
    "I told her that the meeting moved to Thursday, she had written down another day.",
    "The garden needs some water, and then we could sit outside for a little while.",
    "They are painting the house next door, so there is a ladder in front of the window.",
)


class NoiseSpec(ChannelSpec, frozen=True, kw_only=True, tag="noise"):
    """Add noise: `{kind: noise, color: babble, snr_db: 15}` or `{kind: noise, file: street.wav, snr_db: 10}`."""

    snr_db: float
    color: Color | None = None
    file: Path | None = None
    channel: int | None = None

    def __post_init__(self) -> None:
        if (self.color is None) == (self.file is None):
            raise ValueError("noise has exactly one of color (white, pink, babble) and file")
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


def generate(color: Color, sample_rate: int, rng: np.random.Generator) -> Samples:
    """Make a loop of noise without a seam: float32 (30 s,), any level. Pink falls by 3 dB per octave above 20 Hz."""
    count = round(LOOP_S * sample_rate)
    if color == "babble":
        return _babble(sample_rate, count, rng)
    white = rng.standard_normal(count, dtype=np.float32)
    if color == "white":
        return white
    spectrum = np.fft.rfft(white)
    frequencies = np.fft.rfftfreq(count, 1 / sample_rate)
    spectrum /= np.sqrt(np.maximum(frequencies, 20.0))
    return np.fft.irfft(spectrum, count).astype(np.float32)


def _babble(sample_rate: int, count: int, rng: np.random.Generator) -> Samples:
    """Eighteen talkers, each going round through the sentences at a place of its own: a full room.

    A detector hears a room of six as speech (76 % of its time at 20 dB), one of eighteen hardly ever (0.2 % at 5 dB).
    """
    babble = np.zeros(count, np.float32)
    for index in range(TALKERS):
        voice = BABBLE_VOICES[index % len(BABBLE_VOICES)]
        first = index % len(BABBLE_TEXT)
        order = [*BABBLE_TEXT[first:], *BABBLE_TEXT[:first]]
        talk = np.concatenate([spoken(text, voice, sample_rate).samples for text in order])
        babble += np.roll(np.resize(talk, count), int(rng.integers(count)))
    return babble


def at_rms(samples: Samples, level_dbfs: float) -> Samples:
    """Scale to an RMS level in dBFS: float32 (n,), read-only. Digital silence stays silence."""
    rms = float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))
    gain = 10 ** (level_dbfs / 20) / rms if rms > 0 else 0.0
    return freeze((samples * np.float32(gain)).astype(np.float32))
