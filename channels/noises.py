"""Noises that are made and not recorded: seeded loops without a seam, 30 s long, nothing shipped as sound.

white; pink (falls by 3 dB per octave above 20 Hz); babble (eighteen of our voices); traffic (a rumble, vehicles that
pass); keyboard (typing in words, each key a press and a release); music (plucked chords and a tune over them).
"""

from collections.abc import Callable, Mapping
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from simulator.frame import Samples
from simulator.speaking.voice import spoken

Color = Literal["white", "pink", "babble", "traffic", "keyboard", "music"]
Frequencies = NDArray[np.floating]
COLORS: tuple[str, ...] = get_args(Color)

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

VEHICLES = 9
"""In half a minute: a street with two lanes."""
KEYS_PER_MINUTE = 300
"""A fluent typist: sixty words a minute."""
SCALE = (0, 2, 4, 7, 9)
"""Semitones of the pentatonic scale, of which any tune is one."""
CHORDS = ((0, 4, 7), (-3, 0, 4), (-7, -3, 0), (-5, -1, 2))
"""I, vi, IV, V in semitones above the keynote."""
KEYNOTE_HZ = 220.0
BEAT_S = 0.5


def generate(color: Color, sample_rate: int, rng: np.random.Generator) -> Samples:
    """Make a loop of noise without a seam: float32 (30 s,), any level."""
    return _MAKERS[color](sample_rate, rng)


def _white(sample_rate: int, rng: np.random.Generator) -> Samples:
    return rng.standard_normal(round(LOOP_S * sample_rate), dtype=np.float32)


def _pink(sample_rate: int, rng: np.random.Generator) -> Samples:
    return _coloured(_white(sample_rate, rng), sample_rate, lambda hz: np.sqrt(np.maximum(hz, 20.0)))


def _coloured(white: Samples, sample_rate: int, damping: Callable[[Frequencies], Frequencies]) -> Samples:
    """Divide the spectrum of a whole loop by a damping over frequency (Hz), which leaves no seam."""
    spectrum = np.fft.rfft(white)
    spectrum /= damping(np.fft.rfftfreq(len(white), 1 / sample_rate))
    return np.fft.irfft(spectrum, len(white)).astype(np.float32)


def _babble(sample_rate: int, rng: np.random.Generator) -> Samples:
    """Eighteen talkers, each going round through the sentences at a place of its own: a full room.

    A detector hears a room of six as speech (76 % of its time at 20 dB), one of eighteen hardly ever (0.2 % at 5 dB).
    """
    count = round(LOOP_S * sample_rate)
    babble = np.zeros(count, np.float32)
    for index in range(TALKERS):
        voice = BABBLE_VOICES[index % len(BABBLE_VOICES)]
        first = index % len(BABBLE_TEXT)
        order = [*BABBLE_TEXT[first:], *BABBLE_TEXT[:first]]
        talk = np.concatenate([spoken(text, voice, sample_rate).samples for text in order])
        babble += np.roll(np.resize(talk, count), int(rng.integers(count)))
    return babble


def _traffic(sample_rate: int, rng: np.random.Generator) -> Samples:
    """Vehicles pass for some seconds each, tyres above engines, over a street that is never quiet."""
    count = round(LOOP_S * sample_rate)
    street = _coloured(_white(sample_rate, rng), sample_rate, lambda hz: 1 + (hz / 150) ** 1.5)
    tyres = _coloured(
        _white(sample_rate, rng), sample_rate, lambda hz: (1 + 200 / np.maximum(hz, 1.0)) * (1 + (hz / 1000) ** 2)
    )
    passing = np.zeros(count, np.float32)
    at = np.arange(count) / sample_rate
    for _ in range(VEHICLES):
        # Round the loop's end, so that a vehicle may pass over it.
        away_s = np.abs((at - rng.uniform(0, LOOP_S) + LOOP_S / 2) % LOOP_S - LOOP_S / 2)
        passing += (rng.uniform(0.3, 1.0) / (1 + (away_s / rng.uniform(0.8, 2.0)) ** 2)).astype(np.float32)
    return np.asarray(street / np.std(street) * (0.3 + 0.5 * passing) + tyres / np.std(tyres) * passing, np.float32)


def _keyboard(sample_rate: int, rng: np.random.Generator) -> Samples:
    """Words of a few keys, a rest after each; a key is struck against its ground and comes up quieter."""
    typed = np.zeros(round(LOOP_S * sample_rate), np.float32)
    at_s = 0.0
    while at_s < LOOP_S:
        for _ in range(int(rng.integers(2, 9))):
            loudness = rng.uniform(0.5, 1.0)
            _add(typed, at_s, loudness * _click(sample_rate, rng), sample_rate)
            _add(typed, at_s + rng.uniform(0.05, 0.09), 0.4 * loudness * _click(sample_rate, rng), sample_rate)
            at_s += 60 / KEYS_PER_MINUTE * rng.uniform(0.5, 1.1)
        at_s += rng.exponential(0.2)
    return typed


def _click(sample_rate: int, rng: np.random.Generator) -> Samples:
    """A few milliseconds of noise that dies away, with the ring of a cap of plastic."""
    at = np.arange(round(0.015 * sample_rate)) / sample_rate
    ring_hz = min(rng.uniform(1500, 3500), 0.4 * sample_rate)
    noise = rng.standard_normal(len(at)) + 2 * np.sin(2 * np.pi * ring_hz * at)
    return np.asarray(noise * np.exp(-at / 0.003), np.float32)


def _music(sample_rate: int, rng: np.random.Generator) -> Samples:
    """Four chords over and over, every note of a chord plucked in turn, and a tune of the pentatonic scale."""
    music = np.zeros(round(LOOP_S * sample_rate), np.float32)
    for beat in range(round(LOOP_S / BEAT_S)):
        at_s = beat * BEAT_S
        chord = CHORDS[beat // 4 % len(CHORDS)]
        for index, note in enumerate(chord):
            _add(music, at_s + index * BEAT_S / 3, 0.5 * _pluck(note - 12, sample_rate), sample_rate)
        if rng.random() < 0.7:
            note = int(rng.choice(SCALE)) + 12 * int(rng.integers(0, 2))
            _add(music, at_s, _pluck(note, sample_rate), sample_rate)
    return music


def _pluck(note: int, sample_rate: int) -> Samples:
    """A string, `note` semitones above the keynote: partials below half the rate, the higher ones die sooner."""
    at = np.arange(round(1.2 * sample_rate)) / sample_rate
    hz = KEYNOTE_HZ * 2 ** (note / 12)
    sound = np.zeros(len(at))
    for partial in range(1, 9):
        if partial * hz < 0.45 * sample_rate:
            sound += np.sin(2 * np.pi * partial * hz * at) * np.exp(-at * (2 + 2 * partial)) / partial
    attack = np.minimum(at / 0.004, 1)
    release = np.minimum((at[-1] - at) / 0.05, 1)
    return np.asarray(sound * attack * release, np.float32)


def _add(loop: Samples, at_s: float, sound: Samples, sample_rate: int) -> None:
    """Add a sound to a loop, round its end."""
    places = (round(at_s * sample_rate) + np.arange(len(sound))) % len(loop)
    loop[places] += sound


_MAKERS: Mapping[str, Callable[[int, np.random.Generator], Samples]] = {
    "white": _white,
    "pink": _pink,
    "babble": _babble,
    "traffic": _traffic,
    "keyboard": _keyboard,
    "music": _music,
}
