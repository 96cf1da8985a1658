"""Recognition of English by Moonshine (tiny), whose weights come inside the package.

Three things keep its results honest. Its own activity detection is switched off: it carries state from one
recording to the next, so that results would depend on what was recognised before. Silero says where speech
is, and nothing else is recognised: the model hears "You" in silence. And speech is set between silences: the
model loses first and last words where the sound begins and ends with them. The level makes no difference
between -46 and -14 dBFS, so it is left alone.
"""

import ctypes
import hashlib
import os
import threading
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from simulator.engines import Recognition
from simulator.engines.activity import DETECTOR_HZ
from simulator.engines.kinds import RecognizerSpec
from simulator.engines.model import Model
from simulator.engines.pieces import speech_pieces
from simulator.engines.weights import MOONSHINE, check_weights
from simulator.errors import ScenarioError
from simulator.frame import Samples
from simulator.sound import recordings

# Of a dozen paddings from 0.15 to 1 s, this one had the most of 774 synthetic phrases right to the word.
_PADDING_S = 0.5
# Longer recordings are recognised in pieces, cut at pauses: with much more at once the model leaves words
# out, with much less it lacks context.
_LONGEST_PIECE_S = 10.0
_OPTIONS = {
    "vad_threshold": "0.0",
    "vad_max_segment_duration": "3600",
    "identify_speakers": "false",
    "return_audio_data": "false",
}
# Raised when the same sound is cut, set or asked about differently: what was remembered is then forgotten.
_TREATMENT = 1
_INSTALL = "pip install moonshine-voice==0.1.0 (wheels: glibc >= 2.34 on x86-64, macOS >= 15 on arm64)"


class MoonshineSpec(RecognizerSpec, frozen=True, kw_only=True, tag="moonshine", omit_defaults=True):
    """The built-in recogniser of English: `recognizer: moonshine`."""

    @classmethod
    def languages(cls, detail: str) -> tuple[str, ...]:
        """English: other languages give English words, and it says nothing of what it does not understand."""
        return ("en",)

    def digest(self) -> str:
        """Give the package's version, and the weights that are looked at when they are loaded."""
        weights = "".join(MOONSHINE.values())
        try:
            held = hashlib.sha256(weights.encode()).hexdigest()[:16]
            return f"moonshine-voice-{version('moonshine-voice')}/{held}/{_TREATMENT}"
        except PackageNotFoundError as error:
            raise ScenarioError(f"the recogniser moonshine is not installed; {_INSTALL}") from error

    def build(self) -> "Moonshine":
        """Make the recogniser."""
        return Moonshine()


class Moonshine:
    """Speech to text by Moonshine; one recording at a time, whatever the number of callers."""

    def __init__(self) -> None:
        self._model = Model("moonshine", _load)

    @cached_property
    def version(self) -> str:
        """What its texts depend on besides the sound: the package, the resampler, how sound is cut and set here."""
        if find_spec("moonshine_voice") is None:
            return ""
        return f"{version('moonshine-voice')}/soxr-{version('soxr')}/{_TREATMENT}"

    def warm(self) -> threading.Thread:
        """Begin to load the model in a thread of its own, and give the thread; whoever recognises waits.

        Errors of loading show when something is recognised.
        """
        return self._model.warm()

    def load(self) -> None:
        """Load the model now. ScenarioError: the package is not installed, or does not run on this machine."""
        self._model.load()

    def recognize(self, samples: Samples, sample_rate: int) -> Recognition:
        """Give the text of a recording, float32 (n,) at any rate; empty when nobody speaks in it. It tells no times.

        ScenarioError: the package is not installed, or does not run on this machine.
        """
        pieces = speech_pieces(recordings.resample(samples, sample_rate, DETECTOR_HZ), _LONGEST_PIECE_S)
        if not pieces:
            return Recognition(text="")
        with self._model.alone() as transcriber:
            texts = [_text(transcriber, piece) for _, piece in pieces]
        return Recognition(text=" ".join(filter(None, texts)))


def _text(transcriber: Any, piece: Samples) -> str:
    lines = _transcribed(transcriber, np.pad(piece, round(_PADDING_S * DETECTOR_HZ))).lines
    return " ".join(line.text.strip() for line in lines if line.text.strip())


def _transcribed(transcriber: Any, sound: Samples) -> Any:
    """Do what the package's `transcribe_without_streaming` does, which takes a list and copies it number by number.

    That is 8 ms for four seconds of sound, a sixteenth of what recognising them takes. The names are those of the one
    release there is with weights inside, which is required to the digit.
    """
    from moonshine_voice.errors import check_error
    from moonshine_voice.moonshine_api import TranscriptC

    found = ctypes.POINTER(TranscriptC)()
    samples = sound.astype(np.float32, copy=False).ctypes.data_as(ctypes.POINTER(ctypes.c_float))
    recognise = transcriber._lib.moonshine_transcribe_without_streaming
    check_error(recognise(transcriber._handle, samples, len(sound), DETECTOR_HZ, 0, ctypes.byref(found)))
    return transcriber._parse_transcript(found)


def _load() -> Any:
    if find_spec("moonshine_voice") is None:
        raise ScenarioError(f"the recogniser moonshine is not installed; {_INSTALL}")
    # Read when the library is loaded: as fast as two threads, at half the work.
    os.environ.setdefault("MOONSHINE_ORT_SINGLE_THREAD", "1")
    try:
        from moonshine_voice import ModelArch, get_model_path
        from moonshine_voice.errors import MoonshineError
        from moonshine_voice.transcriber import Transcriber
    except (ImportError, OSError) as error:
        raise ScenarioError(f"the recogniser moonshine does not load here ({error}); {_INSTALL}") from error
    folder = Path(get_model_path("tiny-en"))
    check_weights(folder, MOONSHINE, remedy=_INSTALL)
    try:
        return Transcriber(str(folder), ModelArch.TINY, options=_OPTIONS)
    except MoonshineError as error:
        raise ScenarioError(f"the recogniser moonshine does not load here ({error}); {_INSTALL}") from error
