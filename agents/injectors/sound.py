"""Sounds that are no speech: a cough, or noise; the other party should let them pass."""

from typing import ClassVar, Literal

import numpy as np

from simulator.frame import Samples, to_grid
from simulator.injector import SpeechInjectorSpec
from simulator.speaking.ears import NOMINAL_DBFS
from simulator.speaking.voice import PreparedSpeech, Role, check_voice
from simulator.spec import Duration

_MADE_HZ = 48_000
"""Sounds are made at one rate and resampled, so that they are the same at every session rate."""


class SoundSpec(SpeechInjectorSpec, frozen=True, kw_only=True, tag="sound"):
    """Make a sound: `{kind: sound, sound: cough, cue: {button: c}}`. length: of the noise.

    sound: which one, made here.
    """

    role: ClassVar[Role] = "recording"

    sound: Literal["cough", "noise"]
    length: Duration = Duration(1.5)

    def __post_init__(self) -> None:
        if self.say is not None or self.choose or self.file is not None:
            raise ValueError("a sound says nothing: it has no say, choose or file")
        if not 0.05 <= self.length <= 60:
            raise ValueError(f"length is {self.length}; allowed are 50ms to 60s")

    def check(self, where: str, sample_rate: int) -> None:
        """Refuse an unknown voice: nothing speaks, but a wrong name is a mistake all the same."""
        if self.voice is not None:
            check_voice(self.voice, f"{where}.voice")

    def _lines(self, sample_rate: int) -> list[PreparedSpeech]:
        import soxr

        made = _cough() if self.sound == "cough" else _noise(self.length)
        samples = soxr.resample(made, _MADE_HZ, sample_rate, quality="HQ")
        samples *= np.float32(10 ** ((NOMINAL_DBFS + self.level_db) / 20) / np.sqrt(np.mean(samples**2)))
        return [PreparedSpeech(text="", samples=to_grid(samples))]


def _noise(length_s: float) -> Samples:
    """Give pink noise, faded in and out over 50 ms: float32 (n,) at 48 kHz, any level."""
    count = round(length_s * _MADE_HZ)
    samples = _coloured(count, 40.0, 8000.0, slope=0.5, seed=1)
    edge = np.minimum(np.arange(count), np.arange(count)[::-1]) / (0.05 * _MADE_HZ)
    return (samples * np.minimum(1.0, edge)).astype(np.float32)


def _cough() -> Samples:
    """Give two coughs, each a burst of breath that dies away: float32 (n,) at 48 kHz, any level."""
    out = np.zeros(round(0.9 * _MADE_HZ), np.float32)
    for number, (start_s, loud) in enumerate(((0.02, 1.0), (0.45, 0.7))):
        count = round(0.38 * _MADE_HZ)
        times = np.arange(count) / _MADE_HZ
        envelope = np.minimum(1.0, times / 0.008) * np.exp(-times / 0.075)
        breath = _coloured(count, 350.0, 4200.0, slope=0.25, seed=2 + number)
        begin = round(start_s * _MADE_HZ)
        out[begin : begin + count] += (loud * envelope * breath).astype(np.float32)
    return out


def _coloured(count: int, low_hz: float, high_hz: float, *, slope: float, seed: int) -> Samples:
    """Give noise between two frequencies whose amplitude falls with frequency to the power of `slope`."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(count))
    frequencies = np.fft.rfftfreq(count, 1 / _MADE_HZ)
    shape = np.where((frequencies >= low_hz) & (frequencies <= high_hz), np.maximum(frequencies, 1.0) ** -slope, 0.0)
    return np.fft.irfft(spectrum * shape, count).astype(np.float32)
