"""Prepared speech: sound ready to be said, on the int16 grid, at a known level, with what is known of its words."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np

from simulator.engines import Word
from simulator.engines.activity import active_level_dbfs
from simulator.frame import Samples, freeze, silence, to_grid
from simulator.sound import recordings
from simulator.sound.dtmf import tones
from simulator.sound.pitch import at_tempo
from simulator.speaking.ears import NOMINAL_DBFS

Level = Literal["nominal", "keep"]
Band = Literal["in", "out"]
"""Of keys: tones in the sound, or a message beside it."""
FULL = 0.999
"""The largest sample that int16 holds without clipping, nearly."""


class PreparedSpeech(msgspec.Struct, frozen=True, kw_only=True):
    """Speech ready to be said: samples on the grid at the session's rate, words as onsets into them, inner pauses.

    disfluent: words that are no part of what is meant, as (first, one past the last, kind), counted in the text.
    keys: those of a telephone that its sound is the tones of; unsounded: its sound is silence, as they are told beside
    it.
    """

    text: str
    samples: Samples
    words: tuple[tuple[str, int], ...] = ()
    pauses: tuple[tuple[int, int], ...] = ()
    disfluent: tuple[tuple[int, int, str], ...] = ()
    keys: str = ""
    unsounded: bool = False

    @property
    def meant(self) -> str:
        """The text without what is no part of what is meant."""
        dropped = {index for first, last, _ in self.disfluent for index in range(first, last)}
        return " ".join(word for index, word in enumerate(self.text.split()) if index not in dropped)

    def cut(self, length: int, fade: int) -> "PreparedSpeech":
        """The same speech as if its voice were stopped after `length` samples: faded out over `fade` samples more."""
        end = min(len(self.samples) - length, fade)
        if end <= 0:
            return self
        tail = self.samples[length : length + end] * np.linspace(1, 0, end, dtype=np.float32)
        return msgspec.structs.replace(self, samples=to_grid(np.concatenate([self.samples[:length], tail])))

    def louder(self, by_db: float) -> "PreparedSpeech":
        """The same speech, louder or quieter by so many dB, on the grid."""
        if by_db == 0:
            return self
        return msgspec.structs.replace(self, samples=to_grid(self.samples * np.float32(10 ** (by_db / 20))))

    def raised(self, by_db: float) -> "PreparedSpeech":
        """The same speech louder by so many dB, or by as many as its peaks leave room for."""
        peak_db = 20 * np.log10(max(float(np.max(np.abs(self.samples), initial=0.0)), 1e-6) / FULL)
        return self.louder(min(by_db, max(0.0, -float(peak_db))))


@lru_cache(maxsize=32)  # what one scenario plays, over and over: a dataset plays each recording once
def played(
    path: Path, sample_rate: int, channel: int | None, level: Level, text: str = "", *, tempo: float = 1.0
) -> PreparedSpeech:
    """Read a recording as speech to be said, faster or slower by `tempo`. ScenarioError when it cannot be played."""
    samples = recordings.load(path, sample_rate, channel=channel)
    if tempo != 1:
        samples = at_tempo(samples, sample_rate, tempo)
    return PreparedSpeech(text=text, samples=at_level(samples, sample_rate, level))


def told_beside(band: Band | None, *, taken: bool) -> bool:
    """Whether keys are told beside the sound: as the band says, else where the other party takes them so."""
    return taken if band is None else band == "out"


def pressed(digits: str, sample_rate: int, *, beside: bool) -> PreparedSpeech:
    """Make a line of keys: their tones, or the silence while they are pressed where they are told beside the sound."""
    samples = tones(digits, sample_rate)
    return PreparedSpeech(text="", samples=silence(len(samples)) if beside else samples, keys=digits, unsounded=beside)


def line_of(text: str, samples: Samples, words: Sequence[Word] = ()) -> PreparedSpeech:
    """Make a line of sound that something else made, at its own level, on the grid."""
    return PreparedSpeech(text=text, samples=to_grid(samples), words=tuple((word.text, word.start) for word in words))


def at_level(samples: Samples, sample_rate: int, level: Level) -> Samples:
    """Scale to the nominal active level (`nominal`) or not at all (`keep`), on the grid: float32 (n,) both ways.

    Sound without any active speech (digital silence) stays as it is. Peaks that the gain would clip lower the gain.
    """
    if level == "nominal" and len(samples):
        active = active_level_dbfs(samples, sample_rate)
        if np.isfinite(active):
            gain = 10 ** ((NOMINAL_DBFS - active) / 20)
            peak = float(np.max(np.abs(samples)))
            samples = samples * np.float32(min(gain, FULL / peak))
    return to_grid(samples)


def joined(lines: Sequence[PreparedSpeech]) -> PreparedSpeech:
    """Put lines behind each other."""
    words: list[tuple[str, int]] = []
    pauses: list[tuple[int, int]] = []
    disfluent: list[tuple[int, int, str]] = []
    at = count = 0
    for line in lines:
        words += [(text, onset + at) for text, onset in line.words]
        pauses += [(start + at, end + at) for start, end in line.pauses]
        disfluent += [(first + count, last + count, kind) for first, last, kind in line.disfluent]
        at += len(line.samples)
        count += len(line.text.split())
    return PreparedSpeech(
        text=" ".join(line.text for line in lines if line.text),
        samples=freeze(np.concatenate([line.samples for line in lines])),
        words=tuple(words),
        pauses=tuple(pauses),
        disfluent=tuple(disfluent),
    )
