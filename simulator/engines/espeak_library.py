"""espeak-ng by ctypes: one call opens the library, says one text, and closes it again.

espeak keeps hidden state from one utterance to the next, and seeds itself from the time of day. So the
library is loaded afresh and reseeded for every utterance: some milliseconds, for which the same text and
voice give the same bits, whatever was said before.
"""

import ctypes
import threading
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 22050
SLOWEST_WPM, FASTEST_WPM = 80, 450

# Names of espeak's speak_lib.h.
_AUDIO_OUTPUT_SYNCHRONOUS, _INITIALIZE_PHONEME_EVENTS = 2, 1
_POS_CHARACTER, _PARAMETER_RATE = 1, 1
_CHARS_UTF8, _PHONEMES = 0x1, 0x100
_IPA = 0x2
_EVENT_LIST_TERMINATED, _EVENT_WORD, _EVENT_PHONEME = 0, 1, 7

# espeak is a library with global state: whoever speaks, speaks alone.
_ALONE = threading.Lock()


class _Id(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    )


_SynthCallback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


class WordEvent(NamedTuple):
    """A word begins at `sample`; it is written at characters [first, first + length) of the text."""

    sample: int
    first: int
    length: int


class PhonemeEvent(NamedTuple):
    """A phoneme begins at `sample`; a pause is one too."""

    sample: int
    name: str

    @property
    def pause(self) -> bool:
        """Whether it is silence."""
        return self.name.startswith("_")


class Spoken(NamedTuple):
    """What espeak said: int16 (n,) at 22,050 Hz, silence after every clause; words and phonemes."""

    pcm: NDArray[np.int16]
    words: list[WordEvent]
    phonemes: list[PhonemeEvent]


def speak(text: str, identifier: str, *, words_per_minute: int, phonemes: bool = False) -> Spoken:
    """Say a text with the voice of an identifier of espeak's own (`gmw/en-US`, `gmw/en-US+f3`).

    phonemes: whether `[[...]]` in the text holds names of phonemes instead of letters.
    RuntimeError: espeak does not start, does not know the identifier, or fails.
    """
    flags = _CHARS_UTF8 | (_PHONEMES if phonemes else 0)
    with _ALONE:
        library = _open()
        try:
            return _speak(library, text, identifier, words_per_minute, flags)
        finally:
            library.espeak_Terminate()
            _close(library)


def phonemize(texts: Sequence[str], identifier: str) -> list[str]:
    """Give the sounds of texts as espeak writes them in IPA, words apart; it leaves out every mark of punctuation.

    RuntimeError: espeak does not start, or does not know the identifier.
    """
    with _ALONE:
        library = _open()
        try:
            _take_voice(library, identifier)
            library.espeak_TextToPhonemes.restype = ctypes.c_char_p
            return [_phonemes(library, text) for text in texts]
        finally:
            library.espeak_Terminate()
            _close(library)


def _phonemes(library: Any, text: str) -> str:
    """Give a text's sounds, clause by clause: each call takes one and leaves the pointer at the next."""
    buffer = ctypes.create_string_buffer(text.encode())
    rest = ctypes.c_void_p(ctypes.addressof(buffer))
    clauses: list[str] = []
    while rest.value:
        clauses.append(library.espeak_TextToPhonemes(ctypes.byref(rest), _CHARS_UTF8, _IPA).decode("utf-8", "replace"))
    return " ".join(filter(None, clauses))


def _open() -> Any:
    import espeakng_loader

    library = ctypes.CDLL(espeakng_loader.get_library_path())
    data = espeakng_loader.get_data_path()
    rate = library.espeak_Initialize(_AUDIO_OUTPUT_SYNCHRONOUS, 0, data.encode(), _INITIALIZE_PHONEME_EVENTS)
    if rate != SAMPLE_RATE:
        raise RuntimeError(f"espeak-ng did not start with the data in {data} (code {rate})")
    library.espeak_ng_SetRandSeed(1)
    return library


def _close(library: Any) -> None:
    from _ctypes import dlclose

    dlclose(library._handle)


def _take_voice(library: Any, identifier: str) -> None:
    if library.espeak_SetVoiceByName(identifier.encode()) != 0:
        raise RuntimeError(f"espeak-ng did not load its voice {identifier!r}")


def _speak(library: Any, text: str, identifier: str, words_per_minute: int, flags: int) -> Spoken:
    parts: list[bytes] = []
    words: list[WordEvent] = []
    phonemes: list[PhonemeEvent] = []

    def collect(samples: Any, count: int, events: Any) -> int:
        if samples and count > 0:
            parts.append(ctypes.string_at(samples, count * 2))
        index = 0
        while (event := events[index]).type != _EVENT_LIST_TERMINATED:
            if event.type == _EVENT_WORD:
                words.append(WordEvent(event.sample, event.text_position - 1, event.length))
            elif event.type == _EVENT_PHONEME:
                phonemes.append(PhonemeEvent(event.sample, event.id.string.decode("utf-8", "replace")))
            index += 1
        return 0

    callback = _SynthCallback(collect)
    library.espeak_SetSynthCallback(callback)
    _take_voice(library, identifier)
    library.espeak_SetParameter(_PARAMETER_RATE, words_per_minute, 0)
    data = text.encode()
    code = library.espeak_Synth(data, len(data) + 1, 0, _POS_CHARACTER, 0, flags, None, None)
    if code != 0:
        raise RuntimeError(f"espeak-ng failed on {text!r} (code {code})")
    return Spoken(np.frombuffer(b"".join(parts), np.int16), words, phonemes)
