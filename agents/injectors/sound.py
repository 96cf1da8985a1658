"""Sounds that are no speech: a cough, or noise; the other party should let them pass."""

from typing import ClassVar, Literal

import numpy as np

from simulator.frame import Samples, to_grid
from simulator.injector import SpeechInjectorSpec
from simulator.speaking.body_sounds import BODY_SOUNDS, MADE_HZ, coloured
from simulator.speaking.ears import NOMINAL_DBFS
from simulator.speaking.voice import PreparedSpeech, Role, check_voice
from simulator.spec import Duration


class SoundSpec(SpeechInjectorSpec, frozen=True, kw_only=True, tag="sound"):
    """Make a sound: `{kind: sound, sound: cough, cue: {button: c}}`: cough, laugh, breath or noise.

    length: of the noise. sound: which one, made here.
    """

    role: ClassVar[Role] = "recording"

    sound: Literal["cough", "noise", "laugh", "breath"]
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

        if self.sound in BODY_SOUNDS:
            own = BODY_SOUNDS[self.sound](sample_rate)
            return [PreparedSpeech(text="", samples=own).louder(self.level_db)]
        made = _cough() if self.sound == "cough" else _noise(self.length)
        samples = soxr.resample(made, MADE_HZ, sample_rate, quality="HQ")
        samples *= np.float32(10 ** ((NOMINAL_DBFS + self.level_db) / 20) / np.sqrt(np.mean(samples**2)))
        return [PreparedSpeech(text="", samples=to_grid(samples))]


def _noise(length_s: float) -> Samples:
    """Give pink noise, faded in and out over 50 ms: float32 (n,) at 48 kHz, any level."""
    count = round(length_s * MADE_HZ)
    samples = coloured(count, 40.0, 8000.0, slope=0.5, seed=1)
    edge = np.minimum(np.arange(count), np.arange(count)[::-1]) / (0.05 * MADE_HZ)
    return (samples * np.minimum(1.0, edge)).astype(np.float32)


def _cough() -> Samples:
    """Give two coughs, each a burst of breath that dies away: float32 (n,) at 48 kHz, any level."""
    out = np.zeros(round(0.9 * MADE_HZ), np.float32)
    for number, (start_s, loud) in enumerate(((0.02, 1.0), (0.45, 0.7))):
        count = round(0.38 * MADE_HZ)
        times = np.arange(count) / MADE_HZ
        envelope = np.minimum(1.0, times / 0.008) * np.exp(-times / 0.075)
        breath = coloured(count, 350.0, 4200.0, slope=0.25, seed=2 + number)
        begin = round(start_s * MADE_HZ)
        out[begin : begin + count] += (loud * envelope * breath).astype(np.float32)
    return out
