"""Voices on disk: what has been said once is not synthesised again, in this process or another.

An utterance is kept under a hash of everything it depends on: the voice's spec and its engine's version, the
text, the speed. Of more than 1 GB (SIMULATOR_VOICES_MB says otherwise) the files go that were written first.
"""

from functools import cache, lru_cache
from pathlib import Path

import msgspec
import numpy as np

from simulator.cassettes.recording import kept_calls
from simulator.engines import Utterance, Word
from simulator.engines.kinds import VoiceSpec
from simulator.engines.store import Store, cache_folder, key_of
from simulator.files import allowed_bytes
from simulator.frame import Samples, freeze
from simulator.spec import encode_struct

_FORMAT = 3
# Some 60 MB of speech at most: what one scenario says, over and over.
_REMEMBERED = 256
_LARGEST_MB = 1000


class _Entry(msgspec.Struct, frozen=True, kw_only=True):
    """An utterance as it is stored; samples: float32, little-endian."""

    text: str
    sample_rate: int
    words: tuple[Word, ...]
    samples: bytes


def cached(voice: VoiceSpec, text: str, words_per_minute: int) -> Utterance:
    """Give what a voice says, from memory, from the user's cache folder, or by synthesis.

    Errors are those of the engine: an unknown voice, a speed it does not have.
    """
    return _shared().get(voice, text, words_per_minute)


class UtteranceCache:
    """Utterances in memory before a folder before the engines; processes may share the folder."""

    def __init__(self, folder: Path | None) -> None:
        """Keep utterances in `folder`, which is made when needed; None keeps them in memory only."""
        self._store = Store(folder, "utterance", largest_bytes)
        self.get = lru_cache(maxsize=_REMEMBERED)(self._get)

    def _get(self, voice: VoiceSpec, text: str, words_per_minute: int) -> Utterance:
        synthesizer = voice.shared()
        key = key_of((_FORMAT, encode_struct(voice), synthesizer.version, text, words_per_minute))
        recorded = kept_calls() is not None and getattr(synthesizer, "far", False)  # then the run keeps it
        body = None if recorded else self._store.get(key)
        found = _read(body) if body is not None else None
        if found is None:
            found = synthesizer.synthesize(text, words_per_minute)
            if not recorded:
                self._store.put(key, _written(found))
        return found


def largest_bytes() -> int:
    """Give how much speech is kept on disk: SIMULATOR_VOICES_MB of the environment, else 1 GB."""
    return allowed_bytes("SIMULATOR_VOICES_MB", _LARGEST_MB)


@cache
def _shared() -> UtteranceCache:
    folder = cache_folder()
    return UtteranceCache(folder / "voices" if folder else None)


def _read(body: bytes) -> Utterance | None:
    """Read an utterance; None when it is of another form."""
    try:
        entry = msgspec.msgpack.decode(body, type=_Entry)
    except msgspec.MsgspecError:
        return None
    samples: Samples = freeze(np.frombuffer(entry.samples, "<f4").astype(np.float32, copy=False))
    return Utterance(text=entry.text, samples=samples, sample_rate=entry.sample_rate, words=entry.words)


def _written(utterance: Utterance) -> bytes:
    return msgspec.msgpack.encode(
        _Entry(
            text=utterance.text,
            sample_rate=utterance.sample_rate,
            words=utterance.words,
            samples=utterance.samples.astype("<f4", copy=False).tobytes(),
        )
    )
