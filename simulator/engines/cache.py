"""Voices on disk: what has been said once is not synthesised again, in this process or another.

An utterance is kept under a hash of everything it depends on: the voice's spec and its engine's version, the
text, the speed. A file that cannot be read, or is damaged, counts as absent and is written again; a folder
that cannot be written is no error: the cache only saves time. Of more than 1 GB (SIMULATOR_VOICES_MB says otherwise)
the files go that were written first.
"""

import hashlib
import os
import sys
from contextlib import suppress
from functools import cache, lru_cache
from pathlib import Path

import msgspec
import numpy as np

from simulator.cassettes.recording import kept_calls
from simulator.engines import Utterance, Word
from simulator.engines.kinds import VoiceSpec
from simulator.files import write_whole
from simulator.frame import Samples, freeze
from simulator.spec import encode_struct

_FORMAT = 2
_DIGEST_BYTES = 32
# Some 60 MB of speech at most: what one scenario says, over and over.
_REMEMBERED = 256
_LARGEST_MB = 1000
# Looking through the folder takes some 30 ms for a full cache: it is done once a process, and then now and then.
_WRITES_BETWEEN = 200
# Room is made for a while at once.
_LEFT = 0.9


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


def cache_folder() -> Path | None:
    """Give the user's cache folder for this program (it may not exist yet); None when there is no home."""
    named = os.environ.get("XDG_CACHE_HOME", "")
    usual = "~/Library/Caches" if sys.platform == "darwin" else "~/.cache"
    with suppress(RuntimeError):
        root = Path(named) if Path(named).is_absolute() else Path(usual).expanduser()
        return root / "duplex-simulator"
    return None


class UtteranceCache:
    """Utterances in memory before a folder before the engines; processes may share the folder."""

    def __init__(self, folder: Path | None) -> None:
        """Keep utterances in `folder`, which is made when needed; None keeps them in memory only."""
        self._folder = folder
        self._writes = 0
        self.get = lru_cache(maxsize=_REMEMBERED)(self._get)

    def _get(self, voice: VoiceSpec, text: str, words_per_minute: int) -> Utterance:
        synthesizer = voice.shared()
        key = (_FORMAT, encode_struct(voice), synthesizer.version, text, words_per_minute)
        recorded = kept_calls() is not None and getattr(synthesizer, "far", False)  # then the run keeps it
        path = None if recorded else self._path(hashlib.sha256(msgspec.json.encode(key)).hexdigest())
        found = _read(path) if path else None
        if found is None:
            found = synthesizer.synthesize(text, words_per_minute)
            if path:
                self._keep(path, found)
        return found

    def _keep(self, path: Path, utterance: Utterance) -> None:
        with suppress(OSError):
            _write(path, utterance)
            if self._folder is not None and self._writes % _WRITES_BETWEEN == 0:
                trim(self._folder, largest_bytes())
            self._writes += 1

    def _path(self, digest: str) -> Path | None:
        return self._folder / digest[:2] / f"{digest}.utterance" if self._folder else None


def largest_bytes() -> int:
    """Give how much speech is kept on disk: SIMULATOR_VOICES_MB of the environment, else 1 GB."""
    named = os.environ.get("SIMULATOR_VOICES_MB", "")
    return (int(named) if named.isdecimal() else _LARGEST_MB) * 1_000_000


def trim(folder: Path, most_bytes: int) -> int:
    """Delete what was written first until a folder holds less than `most_bytes`; gives the bytes that went.

    A file that another process deletes meanwhile is no error.
    """
    found: list[tuple[int, int, Path]] = []
    for path in folder.rglob("*"):
        with suppress(OSError):
            if path.is_file():
                stat = path.stat()
                found.append((stat.st_mtime_ns, stat.st_size, path))
    held = sum(size for _, size, _ in found)
    gone = 0
    if held > most_bytes:
        for _, size, path in sorted(found, key=lambda item: item[:2]):
            if held - gone <= _LEFT * most_bytes:
                break
            with suppress(OSError):
                path.unlink()
                gone += size
    return gone


@cache
def _shared() -> UtteranceCache:
    folder = cache_folder()
    return UtteranceCache(folder / "voices" if folder else None)


def _read(path: Path) -> Utterance | None:
    """Read an utterance; None when the file is not there or not whole."""
    try:
        content = path.read_bytes()
        digest, body = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
        if hashlib.sha256(body).digest() != digest:
            return None
        entry = msgspec.msgpack.decode(body, type=_Entry)
    except (OSError, msgspec.MsgspecError):
        return None
    samples: Samples = freeze(np.frombuffer(entry.samples, "<f4").astype(np.float32, copy=False))
    return Utterance(text=entry.text, samples=samples, sample_rate=entry.sample_rate, words=entry.words)


def _write(path: Path, utterance: Utterance) -> None:
    """Write the file in one move, so that a reader never sees half of it."""
    samples = utterance.samples.astype("<f4", copy=False).tobytes()
    body = msgspec.msgpack.encode(
        _Entry(text=utterance.text, sample_rate=utterance.sample_rate, words=utterance.words, samples=samples)
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, hashlib.sha256(body).digest() + body)
