"""Sound files of strangers as one signal: what they hold is known from their headers before anything is decoded.

A small file may hold days of silence, in eight channels, at 192 kHz. So a request has a budget, of seconds and of
samples (frames x channels) over all its files, that the headers are held against first; then the files are decoded a
block at a time, each block mixed to one channel and resampled before the next is read.
"""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
import numpy as np

from agents.serve.http_json import RefusedError
from agents.serve.presence import Check
from simulator.frame import Samples, freeze

BLOCK = 2**16
LOWEST_HZ, HIGHEST_HZ, MOST_CHANNELS = 4_000, 192_000, 8
SAMPLES_PER_S = 96_000
"""What a second of a request may hold: two channels at 48 kHz, or one at 96 kHz."""


class SoundBudget(msgspec.Struct, frozen=True, kw_only=True):
    """What the files of a turn may hold together, in seconds; its samples are counted too."""

    longest_s: float

    def check(self, seconds: float, samples: int) -> None:
        """Refuse what is too much: RefusedError (400)."""
        if seconds > self.longest_s:
            raise RefusedError(400, f"the audio is {seconds:.0f} s long; {self.longest_s:g} s are allowed")
        most = int(self.longest_s * SAMPLES_PER_S)
        if samples > most:
            raise RefusedError(400, f"the audio holds {samples} samples in all channels; {most} are allowed")


def joined_sound(files: Sequence[bytes], sample_rate: int, budget: SoundBudget, check: Check) -> Samples:
    """Give files one after the other, channels averaged: float32 (n,) at sample_rate Hz.

    RefusedError (400): a file that does not decode or holds nothing, more than the budget allows.
    """
    seconds, samples = 0.0, 0
    for data in files:
        with opened_sound(data) as file:
            seconds += file.frames / file.samplerate
            samples += file.frames * file.channels
            budget.check(seconds, samples)
    return freeze(np.concatenate([block for data in files for block in _blocks(data, sample_rate, check)]))


@contextmanager
def opened_sound(data: bytes) -> Iterator[Any]:
    """Give an open soundfile.SoundFile. RefusedError (400): it is none, or reading it shows that it is broken."""
    import soundfile

    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            if not LOWEST_HZ <= file.samplerate <= HIGHEST_HZ or file.channels > MOST_CHANNELS:
                found = f"audio at {file.samplerate} Hz in {file.channels} channels"
                raise RefusedError(400, f"{found}; {LOWEST_HZ} to {HIGHEST_HZ} Hz, up to {MOST_CHANNELS} are read")
            yield file
    except (soundfile.SoundFileError, OSError, ValueError, TypeError, MemoryError, AssertionError):
        raise RefusedError(400, "the audio does not decode: it is no sound file") from None


def _blocks(data: bytes, sample_rate: int, check: Check) -> Iterator[Samples]:
    import soxr

    with opened_sound(data) as file:
        rate, left = file.samplerate, file.frames
        stream = None if rate == sample_rate else soxr.ResampleStream(rate, sample_rate, 1, quality="HQ")
        if not left:
            raise RefusedError(400, "the audio is empty")
        while left > 0:
            check()
            block = file.read(min(BLOCK, left), dtype="float32", always_2d=True)
            left = left - len(block) if len(block) == min(BLOCK, left) else 0  # ends sooner than its header says
            mono = _mono(block)
            yield mono if stream is None else stream.resample_chunk(mono, last=not left)


def _mono(block: Samples) -> Samples:
    mono = block.mean(axis=1, dtype=np.float32) if block.shape[1] > 1 else block[:, 0]
    if not np.isfinite(mono).all():
        raise RefusedError(400, "the audio holds values that are not finite")
    return np.clip(mono, -1.0, 1.0).astype(np.float32)
