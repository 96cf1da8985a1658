"""Speech engines behind small interfaces; one file per engine.

Synthesis gives an Utterance with word onsets as truth, detection gives speech probabilities, recognition gives text,
alignment gives word times. Engines are shared by every session of a process: they hold no state that a caller could
notice, so a result never depends on what was asked before. Voices and recognisers are kinds (kinds.py); a detector and
an aligner have nothing to be set and are found by name.
"""

import threading
from functools import cache
from typing import Any, Protocol

import msgspec

from simulator.frame import Samples
from simulator.plugins import load

NATURAL_WPM = 160
"""The speed at which a voice that has its own pace keeps it; others are in proportion."""


class Word(msgspec.Struct, frozen=True, kw_only=True):
    """A word of an utterance: text, first sample, one past the last sample (None where only the onset is known).

    confidence: 0 to 1, of a word that was recognised by somebody who says.
    """

    text: str
    start: int
    end: int | None = None
    confidence: float | None = None


class Utterance(msgspec.Struct, frozen=True, kw_only=True):
    """Synthesised speech: samples float32 (n,), full scale 1.0, at `sample_rate` Hz, trimmed; words with onsets."""

    text: str
    samples: Samples
    sample_rate: int
    words: tuple[Word, ...] = ()


class Synthesizer(Protocol):
    """Text to speech, with one voice."""

    @property
    def version(self) -> str:
        """What its sound depends on besides the request; part of the key under which utterances are kept."""
        ...

    def synthesize(self, text: str, words_per_minute: int = 160) -> Utterance:
        """Say the text; the same text gives the same bits, whatever was said before."""
        ...


class SpeechStream(Protocol):
    """Activity detection on a live stream of one speaker."""

    def feed(self, samples: Samples) -> list[float]:
        """Take float32 (n,) at 16 kHz, any n; give the speech probability of each 512-sample chunk completed by it."""
        ...


class Detector(Protocol):
    """Voice activity detection at 16 kHz in chunks of 512 samples (32 ms)."""

    def probabilities(self, samples: Samples) -> Samples:
        """Give the speech probability of every chunk of a whole recording: float32 (n,) at 16 kHz -> (ceil(n/512),)."""
        ...

    def stream(self) -> SpeechStream:
        """Open a live stream; same numbers as `probabilities`, chunk by chunk."""
        ...


class Recognition(msgspec.Struct, frozen=True, kw_only=True):
    """What a recogniser hears: a text, empty for silence; its words with times, where it gives times.

    language: the code of the one that it heard, where it tells.
    """

    text: str
    words: tuple[Word, ...] = ()
    language: str = ""


class Recognizer(Protocol):
    """Speech to text."""

    def warm(self) -> threading.Thread | None:
        """Begin to load what takes long, and give the thread that does; None where there is nothing to load."""
        ...

    def recognize(self, samples: Samples, sample_rate: int) -> Recognition:
        """Give what is heard in one stretch of speech, float32 (n,) at any rate; word times in samples of it."""
        ...


class Aligner(Protocol):
    """Word times for known text."""

    def align(self, samples: Samples, sample_rate: int, text: str) -> list[Word] | None:
        """Give each word with start and end in samples of the given rate; None when the text does not fit the sound."""
        ...


@cache
def engine(name: str) -> Any:
    """Give the detector or aligner of this name, made once per process (its model loads on first use)."""
    return load("engines", name)()
