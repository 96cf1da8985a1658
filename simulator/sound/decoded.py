"""Compressed sound as far as it can be decoded: what its header promises is only known to be there once it was read."""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np
import soundfile

from simulator.frame import Pcm16

COMPRESSED = ("FLAC", "OGG", "MP3")
"""Containers, as soundfile calls them, whose length is a promise."""
BLOCK = 4096
"""Frames read at a time: what a FLAC encoder packs together, and so what one damaged byte costs."""


def readable_frames(path: Path, promised: int) -> int:
    """Give how many frames can be decoded from the first one on, `promised` of them at most."""
    stat = path.stat()
    return _readable(path, promised, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=4096)  # a session is opened several times in a run: for its notes, its scores, its page
def _readable(path: Path, promised: int, _changed: int, _size: int) -> int:
    return sum(map(len, _blocks(path, promised)))


def decoded(path: Path, frames: int) -> Pcm16:
    """Decode the first frames one after the other, as a search in a damaged file may fail: int16 (n, width)."""
    whole = np.zeros((frames, soundfile.info(path).channels), np.int16)
    at = 0
    for block in _blocks(path, frames):
        whole[at : at + len(block)] = block
        at += len(block)
    return whole


def _blocks(path: Path, frames: int) -> Iterator[Pcm16]:
    left = frames
    try:
        with soundfile.SoundFile(path) as file:
            while left and len(block := file.read(min(BLOCK, left), dtype="int16", always_2d=True)):
                left -= len(block)
                yield block
    except soundfile.LibsndfileError:
        return
