"""Recognition of English by Moonshine (tiny), whose weights come inside the package.

Three things keep its results honest. Its own activity detection is switched off: it carries state from one
recording to the next, so that results would depend on what was recognised before. Silero says where speech
is, and nothing else is recognised: the model hears "You" in silence. And speech is set between silences: the
model loses first and last words where the sound begins and ends with them. The level makes no difference
between -46 and -14 dBFS, so it is left alone.
"""

import os
import threading
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from simulator.engines import Detector, Recognition, engine
from simulator.engines.activity import DETECTOR_HZ, SENSITIVE, silero_segments
from simulator.engines.kinds import RecognizerSpec
from simulator.engines.weights import MOONSHINE, check_weights
from simulator.errors import ScenarioError
from simulator.frame import Samples
from simulator.sound import recordings
from simulator.timeline import Stretch

# Of a dozen paddings from 0.15 to 1 s, this one had the most of 774 synthetic phrases right to the word.
_PADDING_S = 0.5
# Silence that the detector hears first: one that begins inside a short word may miss it.
_LEAD_S = 0.1
# The detector is up to 100 ms late at onsets; a margin of real sound is kept on both sides.
_MARGIN_S = 0.25
# Longer recordings are recognised in pieces, cut at pauses: with much more at once the model leaves words
# out, with much less it lacks context. Speech without any pause is cut at 30 s.
_LONGEST_PIECE_S = 10.0
_LONGEST_BREATH_S = 30.0
_OPTIONS = {
    "vad_threshold": "0.0",
    "vad_max_segment_duration": "3600",
    "identify_speakers": "false",
    "return_audio_data": "false",
}
_INSTALL = "pip install moonshine-voice==0.1.0 (wheels: glibc >= 2.34 on x86-64, macOS >= 15 on arm64)"


class MoonshineSpec(RecognizerSpec, frozen=True, kw_only=True, tag="moonshine", omit_defaults=True):
    """The built-in recogniser of English: `recognizer: moonshine`."""

    @classmethod
    def languages(cls, detail: str) -> tuple[str, ...]:
        """English: other languages give English words, and it says nothing of what it does not understand."""
        return ("en",)

    def build(self) -> "Moonshine":
        """Make the recogniser."""
        return Moonshine()


class Moonshine:
    """Speech to text by Moonshine; one recording at a time, whatever the number of callers."""

    def __init__(self) -> None:
        self._alone = threading.Lock()
        self._loaded: Any = None

    def warm(self) -> threading.Thread:
        """Begin to load the model in a thread of its own, and give the thread; whoever recognises waits.

        Errors of loading show when something is recognised.
        """
        thread = threading.Thread(target=self._try_to_load, name="moonshine-warm")
        thread.start()
        return thread

    def recognize(self, samples: Samples, sample_rate: int) -> Recognition:
        """Give the text of a recording, float32 (n,) at any rate; empty when nobody speaks in it. It tells no times.

        ScenarioError: the package is not installed, or does not run on this machine.
        """
        heard = recordings.resample(samples, sample_rate, DETECTOR_HZ)
        pieces = _pieces(heard, engine("silero"))
        with self._alone:
            return Recognition(text=" ".join(text for piece in pieces if (text := self._text(piece))))

    def _text(self, piece: Samples) -> str:
        padded = np.pad(piece, round(_PADDING_S * DETECTOR_HZ)).tolist()
        lines = self._transcriber().transcribe_without_streaming(padded, DETECTOR_HZ).lines
        return " ".join(line.text.strip() for line in lines if line.text.strip())

    def _transcriber(self) -> Any:
        """The model, loaded on first use; call with the lock held."""
        if self._loaded is None:
            self._loaded = _load()
        return self._loaded

    def _try_to_load(self) -> None:
        with self._alone:
            try:
                self._transcriber()
            except ScenarioError:
                return


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


def _pieces(heard: Samples, detector: Detector) -> list[Samples]:
    """Cut what is heard, at 16 kHz, into pieces of speech with its pauses; none where nobody speaks."""
    heard = np.pad(heard, (round(_LEAD_S * DETECTOR_HZ), 0))
    margin = round(_MARGIN_S * DETECTOR_HZ)
    longest, breath = round(_LONGEST_PIECE_S * DETECTOR_HZ), round(_LONGEST_BREATH_S * DETECTOR_HZ)
    pieces: list[Stretch] = []
    for start, end in silero_segments(detector.probabilities(heard), len(heard), SENSITIVE):
        if pieces and end - pieces[-1].start <= longest:
            pieces[-1] = Stretch(pieces[-1].start, end)
        else:
            pieces += [Stretch(cut, min(cut + breath, end)) for cut in range(start, end, breath)]
    return [heard[max(0, start - margin) : end + margin] for start, end in pieces]
