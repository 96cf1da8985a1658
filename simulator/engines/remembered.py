"""What engines of this machine heard, remembered: one sound gives one text, in this process, another, or tomorrow.

Trials repeat their sounds, and to recognise a second of speech takes some 30 ms, to align it 20. What was heard is
kept under the sha256 of the samples, their rate, who was asked and in which version; an engine that tells no version is
remembered by its process only. A hit is what the engine gave, to the bit.
"""

import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import msgspec

from simulator.engines import Recognition, Recognizer, Word, engine
from simulator.engines.store import Store, key_of, store_named
from simulator.frame import Samples

T = TypeVar("T")

_LARGEST_BYTES = 64_000_000
"""Some 16,000 texts or alignments: every file takes 4 kB of the disk."""
_REMEMBERED = 4096
"""Answers a process keeps: what a run of some hundred scenarios says, in about a megabyte."""


class SoundMemory(Generic[T]):
    """Answers about sounds: in memory before the disk before whoever is asked. of: the type that is kept."""

    def __init__(self, name: str, of: Any) -> None:
        self._name = name
        self._decoder: msgspec.json.Decoder[tuple[T]] = msgspec.json.Decoder(tuple[of])
        self._known: dict[str, T] = {}
        self._alone = threading.Lock()

    def get(self, asked: object, sound: Samples, ask: Callable[[], T], *, lasting: bool) -> T:
        """Give what is known of a sound, float32 (n,), asked in this way; else ask, whose errors are passed on.

        lasting: whether it holds for other processes too.
        """
        key = key_of(asked, sound.tobytes())
        with self._alone:
            if key in self._known:
                return self._known[key]
        kept = self._kept(key) if lasting else None
        (found,) = kept or (ask(),)
        if lasting and kept is None:
            self._store().put(key, msgspec.json.encode((found,)))
        with self._alone:
            if len(self._known) >= _REMEMBERED:
                self._known.pop(next(iter(self._known)), None)
            self._known[key] = found
        return found

    def _kept(self, key: str) -> tuple[T] | None:
        body = self._store().get(key)
        try:
            return None if body is None else self._decoder.decode(body)
        except msgspec.DecodeError:
            return None

    def _store(self) -> Store:
        return store_named(self._name, "answer", lambda: _LARGEST_BYTES)


_HEARD = SoundMemory[Recognition]("recognised", Recognition)
_ALIGNED = SoundMemory[list[Word] | None]("aligned", list[Word] | None)


class RememberingRecognizer:
    """A recogniser with a memory. asked_as: its spec as plain data, which tells it from others."""

    def __init__(self, recognizer: Recognizer, asked_as: object) -> None:
        self._recognizer = recognizer
        self._asked_as = asked_as

    @property
    def inner(self) -> Recognizer:
        """Who is asked."""
        return self._recognizer

    def warm(self) -> threading.Thread | None:
        """Begin to load what takes long; see Recognizer."""
        return self._recognizer.warm()

    def recognize(self, samples: Samples, sample_rate: int) -> Recognition:
        """Give what is heard in a stretch, float32 (n,) at any rate, unless it was heard before; see Recognizer."""
        version = getattr(self._recognizer, "version", "")
        return _HEARD.get(
            [self._asked_as, version, sample_rate],
            samples,
            lambda: self._recognizer.recognize(samples, sample_rate),
            lasting=bool(version),
        )


def aligned(aligner: str, samples: Samples, sample_rate: int, text: str) -> list[Word] | None:
    """Give the words of a text with their times in a sound, by an installed aligner or as it gave them before."""
    asked = engine(aligner)
    version = getattr(asked, "version", "")
    found: list[Word] | None = _ALIGNED.get(
        [aligner, version, sample_rate, text],
        samples,
        lambda: asked.align(samples, sample_rate, text),
        lasting=bool(version),
    )
    return found
