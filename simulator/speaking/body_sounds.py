"""Sounds of a mouth that are no words, made here: a breath taken in, a laugh. The same at every rate and every time."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Literal

import numpy as np

from simulator.frame import Samples, to_grid
from simulator.sound import recordings
from simulator.speaking.ears import NOMINAL_DBFS

BodySound = Literal["breath", "laugh"]
MADE_HZ = 48_000
"""Sounds are made at one rate and resampled, so that they are the same at every session rate."""
BREATH_DB, LAUGH_DB = -22.0, -4.0
"""Against the nominal speech level. Breaths before speech lie some 20 dB under it; a laugh is nearly as loud (ours)."""

_LAUGHS = 5
_SYLLABLE_S, _VOICED_S = 0.21, 0.12
"""Laughter has four to five syllables a second, each little longer than a tenth of one (Bachorowski et al. 2001)."""


@lru_cache(maxsize=8)
def breath(sample_rate: int) -> Samples:
    """Give 0.45 s of air drawn in: float32 (n,) on the grid."""
    count = round(0.45 * MADE_HZ)
    times = np.arange(count) / count
    air = coloured(count, 500.0, 6000.0, slope=0.5, seed=11)
    return at_db((air * np.sin(np.pi * times) ** 1.5).astype(np.float32), sample_rate, BREATH_DB)


@lru_cache(maxsize=8)
def laugh(sample_rate: int) -> Samples:
    """Give five syllables of laughter, falling in pitch and loudness, each with breath before it: float32 (n,)."""
    out = np.zeros(round((_LAUGHS * _SYLLABLE_S + 0.1) * MADE_HZ), np.float32)
    for number in range(_LAUGHS):
        count = round(_VOICED_S * MADE_HZ)
        times = np.arange(count) / MADE_HZ
        pitch = 300.0 * 0.93**number * (1 - 0.1 * times / _VOICED_S)
        phase = 2 * np.pi * np.cumsum(pitch) / MADE_HZ
        # Formants of an open vowel, as weights of the harmonics.
        loud = sum(_vowel(float(pitch[0]) * harmonic) * np.sin(harmonic * phase) for harmonic in range(1, 16))
        shape = np.sin(np.pi * np.arange(count) / count) ** 0.7 * 0.8**number
        air = coloured(count, 700.0, 5000.0, slope=0.3, seed=20 + number)
        begin = round(number * _SYLLABLE_S * MADE_HZ)
        out[begin : begin + count] += (shape * (loud + 0.15 * air / max(1e-9, float(np.std(air))))).astype(np.float32)
    return at_db(out, sample_rate, LAUGH_DB)


BODY_SOUNDS: Mapping[str, Callable[[int], Samples]] = {"breath": breath, "laugh": laugh}
"""What makes each of them, by its name and at a rate."""


def _vowel(hertz: float) -> float:
    return sum(1.0 / (1.0 + ((hertz - centre) / width) ** 2) for centre, width in ((750, 90), (1250, 110), (2600, 160)))


def at_db(samples: Samples, sample_rate: int, level_db: float) -> Samples:
    """Give a sound made at 48 kHz at another rate and level (dB against nominal), on the grid."""
    found = recordings.resample(np.asarray(samples, np.float32), MADE_HZ, sample_rate)
    power = float(np.sqrt(np.mean(found[np.abs(found) > 1e-4] ** 2)))
    return to_grid(found * np.float32(10 ** ((NOMINAL_DBFS + level_db) / 20) / power))


def coloured(count: int, low_hz: float, high_hz: float, *, slope: float, seed: int) -> Samples:
    """Give noise between two frequencies whose amplitude falls with frequency to the power of `slope`, at 48 kHz."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(count))
    frequencies = np.fft.rfftfreq(count, 1 / MADE_HZ)
    shape = np.where((frequencies >= low_hz) & (frequencies <= high_hz), np.maximum(frequencies, 1.0) ** -slope, 0.0)
    return np.fft.irfft(spectrum * shape, count).astype(np.float32)
