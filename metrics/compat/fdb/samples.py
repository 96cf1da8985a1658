"""Full-Duplex-Bench sample folders as they are read: words, labels and sound, each refused with a sentence.

A folder holds input.wav (the user), output.wav (the agent), word files made by recognition, and the label
file of its task. Times are seconds from the start of input.wav.
"""

import json
import math
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np

from simulator.errors import SessionError
from simulator.frame import Samples

T = TypeVar("T")
MOST_HELD = 2**28
"""Samples in all channels of a file that is held whole: 1 GB, an hour and a half at 48 kHz. A sample lasts a minute."""

Time = float | None
Span = tuple[float, float]


class Chunk(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A recognised word: timestamp (start, end) in seconds; an end (rarely a start) may be missing."""

    text: str | None = ""
    timestamp: tuple[Time, Time]

    @property
    def start(self) -> Time:
        """Seconds, None when the recogniser gave none."""
        return _number(self.timestamp[0])

    @property
    def end(self) -> Time:
        """Seconds, None when the recogniser gave none."""
        return _number(self.timestamp[1])


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """A word file: the whole text and its words in file order."""

    text: str | None = None
    chunks: tuple[Chunk, ...]


class Interruption(msgspec.Struct, frozen=True, kw_only=True):
    """A line of interrupt.json: what the user said first, what interrupted, and when."""

    context: str = ""
    interrupt: str = ""
    timestamp: Span


class Label(msgspec.Struct, frozen=True, kw_only=True):
    """A line of pause.json or turn_taking.json."""

    timestamp: Span


class Overlap(msgspec.Struct, frozen=True, kw_only=True):
    """metadata.json: when the second voice (interruption, backchannel, aside, background) spoke."""

    timestamps: Span


SPEAKING_WINDOW_S = 0.5
SPEAKING_DBFS = -45.0
_SPEAKING_FRAME_S = 0.02


class FdbSample:
    """One sample folder; files are read when asked for, SessionError when they cannot be used."""

    def __init__(self, folder: Path, files: frozenset[str] | None = None) -> None:
        self.folder = folder
        self.files = frozenset(item.name for item in folder.iterdir()) if files is None else files

    def words(self, name: str = "output.json") -> Words:
        """Read a word file."""
        return self.read(name, Words)

    @cached_property
    def pauses(self) -> list[Span]:
        """The user's pauses, from pause.json; empty without the file."""
        if "pause.json" not in self.files:
            return []
        return [label.timestamp for label in self.read("pause.json", list[Label])]

    @cached_property
    def turn_end_s(self) -> float:
        """Where the user's turn ends: the start of the first gap in turn_taking.json."""
        return self._first("turn_taking.json", self.read("turn_taking.json", list[Label])).timestamp[0]

    @cached_property
    def interruption(self) -> Interruption:
        """The first interruption of interrupt.json."""
        return self._first("interrupt.json", self.read("interrupt.json", list[Interruption]))

    @cached_property
    def overlaps(self) -> list[Span]:
        """When a second voice spoke, from metadata.json: one span; empty without the file."""
        return [self.read("metadata.json", Overlap).timestamps] if "metadata.json" in self.files else []

    def agent_speaks_at(self, moment_s: float) -> bool | None:
        """Say whether output.wav is loud in the half second before a moment; None without the file."""
        if "output.wav" not in self.files:
            return None
        return _loud_before(self.folder / "output.wav", moment_s)

    def read(self, name: str, kind: type[T]) -> T:
        """Read a JSON file of the folder as `kind`."""
        return read_json(self.folder / name, kind)

    def sound(self, name: str) -> tuple[Samples, int]:
        """Read a sound file: float32 (n, channels), full scale 1.0, and its rate in Hz."""
        return read_sound(self.folder / name)

    def mono(self, name: str) -> tuple[Samples, int]:
        """Read a mono sound file: float32 (n,), its rate in Hz; SessionError when it has several channels."""
        samples, rate = self.sound(name)
        if samples.shape[1] != 1:
            raise SessionError(f"{name}: has {samples.shape[1]} channels; the original reads mono files only")
        return samples[:, 0], rate

    def _first(self, name: str, labels: list[T]) -> T:
        if not labels:
            raise SessionError(f"{name}: is empty; expected one label")
        return labels[0]


def read_json(path: Path, kind: type[T]) -> T:
    """Read a JSON file, Python's NaN and Infinity included; SessionError names the file and what is wrong."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise SessionError(f"{path.name}: missing") from None
    except OSError as error:
        raise SessionError(f"{path.name}: cannot be read: {error.strerror}") from error
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.ValidationError as error:
        raise SessionError(f"{path.name}: {_lower(str(error))}") from error
    except msgspec.DecodeError:
        return _loose_json(path, content, kind)


def _loose_json(path: Path, content: bytes, kind: type[T]) -> T:
    try:
        return msgspec.convert(json.loads(content), kind)
    except msgspec.ValidationError as error:
        raise SessionError(f"{path.name}: {_lower(str(error))}") from error
    except ValueError as error:
        raise SessionError(f"{path.name}: is not JSON: {_lower(str(error))}") from error


def read_sound(path: Path) -> tuple[Samples, int]:
    """Read a whole sound file: float32 (n, channels), full scale 1.0, and its rate in Hz."""
    import soundfile

    if not path.is_file():
        raise SessionError(f"{path.name}: missing")
    try:
        with soundfile.SoundFile(path) as file:
            rate, held = file.samplerate, file.frames * file.channels
            if held > MOST_HELD:
                raise SessionError(f"{path.name}: holds {held} samples in all channels; {MOST_HELD} are read")
            samples = file.read(dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        raise SessionError(f"{path.name}: not a sound file that can be read") from error
    if len(samples) == 0:
        raise SessionError(f"{path.name}: is empty")
    if not np.isfinite(samples).all():
        raise SessionError(f"{path.name}: holds values that are not numbers (NaN or infinity)")
    return samples, int(rate)


def _loud_before(path: Path, moment_s: float) -> bool:
    """Say whether some 20 ms before the moment reach -45 dBFS; only that stretch of the file is read."""
    import soundfile

    try:
        with soundfile.SoundFile(path) as file:
            end = min(file.frames, round(max(0.0, moment_s) * file.samplerate))
            start = max(0, end - round(SPEAKING_WINDOW_S * file.samplerate))
            file.seek(start)
            samples = file.read(end - start, dtype="float32", always_2d=True).mean(axis=1)
            frame = round(_SPEAKING_FRAME_S * file.samplerate)
    except (soundfile.LibsndfileError, OSError) as error:
        raise SessionError(f"{path.name}: not a sound file that can be read") from error
    whole = samples[: len(samples) // frame * frame].reshape(-1, frame)
    return bool(len(whole)) and float(np.max(np.mean(whole * whole, axis=1))) >= 10 ** (SPEAKING_DBFS / 10)


def disorder(words: Words) -> list[str]:
    """Say what is odd about the times of words: one sentence per kind, with where it was first seen."""
    odd: dict[str, str] = {}
    before = -math.inf
    for index, chunk in enumerate(words.chunks):
        start, end = chunk.start, chunk.end
        if start is None:
            odd.setdefault("start", f"word {index + 1} has no start")
            continue
        if end is None:
            odd.setdefault("end", f"word {index + 1} has no end")
        elif end < start:
            odd.setdefault("backwards", f"word {index + 1} ends before it starts")
        if start < before:
            odd.setdefault("order", f"word {index + 1} starts before word {index}")
        before = start
    return list(odd.values())


def as_words(items: list[tuple[str, float, float]], text: str | None = None) -> Words:
    """Make words of (text, start, end) in seconds."""
    chunks = tuple(Chunk(text=word, timestamp=(start, end)) for word, start, end in items)
    return Words(text=" ".join((chunk.text or "").strip() for chunk in chunks) if text is None else text, chunks=chunks)


def _number(value: Any) -> Time:
    return None if value is None or math.isnan(value) else float(value)


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
