"""WAV headers held against their files: how much sound one promises, how much is there, and how to read all of it.

A header is written before the sound: who was killed, or streamed, leaves a length of nothing, of the largest number or
of what there was at the time. Every reader of ours takes the length from the file then, and says so.

What is sent as a WAV is written here, too.
"""

import io
import os
import struct
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np
from numpy.typing import NDArray

from simulator.errors import SessionError
from simulator.frame import to_pcm16

_UNKNOWN = 0xFFFFFFFF
_MOST = 2**32 - 1024
_WRITTEN_AT_ONCE = 2**16  # samples: written in one go, ten minutes hold up every other thread for 200 ms
# PCM, float, A-law, mu-law, extensible: whole samples side by side. Of all others the length in bytes says little.
_PLAIN = (1, 3, 6, 7, 0xFFFE)
_KNOWN = (b"LIST", b"id3 ", b"ID3 ", b"bext", b"cue ", b"fact", b"smpl", b"JUNK", b"PEAK", b"iXML", b"afsp", b"PAD ")
"""Chunks that follow the sound: one of them may itself be cut off."""


class WavData(msgspec.Struct, frozen=True, kw_only=True):
    """Where the samples of a WAV are. promised, held: bytes of sound, by the header and by the file.

    start: the first byte of the samples. block: bytes of one sample of all channels. plain: whether samples are stored
    as they are, not in compressed blocks. rate: Hz; byte_rate: what the header says of bytes a second.
    """

    start: int
    promised: int
    held: int
    block: int
    plain: bool
    rate: int
    byte_rate: int

    @property
    def lies(self) -> bool:
        """Whether the header tells another length than the file has."""
        return self.plain and self.promised != self.held and self.held >= self.block > 0

    @property
    def note(self) -> str:
        """What is to be said of a header that lies, a sentence without the file's name."""
        length = f", {self.held / self.block / self.rate:.2f} s" if self.rate else ""
        if self.promised in (0, _UNKNOWN):
            return f"its header promises no length; it holds {self.held} bytes of sound{length}"
        return f"holds {self.held} of the {self.promised} bytes of sound that its header promises{length}"


def wav_data(path: Path) -> WavData | None:
    """Find the samples of a WAV; None for another file or one whose header breaks off. SessionError: unreadable."""
    try:
        with path.open("rb") as file:
            return _found(file, path.stat().st_size)
    except OSError as error:
        raise SessionError(f"{path}: cannot be read: {error.strerror}") from error


def _found(file: BinaryIO, size: int) -> WavData | None:
    head = file.read(12)
    if (head[:4], head[8:]) != (b"RIFF", b"WAVE"):
        return None
    form = block = rate = byte_rate = 0
    while len(head := file.read(8)) == 8:
        (length,) = struct.unpack("<I", head[4:])
        if head[:4] == b"data":
            start = file.tell()
            held = _held(file, start, length, size, max(1, block))
            return WavData(
                start=start,
                promised=length,
                held=held,
                block=block,
                plain=form in _PLAIN,
                rate=rate,
                byte_rate=byte_rate,
            )
        if head[:4] == b"fmt ":
            start = file.tell()
            form, _, rate, byte_rate, block = struct.unpack("<HHIIH", file.read(14).ljust(14, b"\0"))
            file.seek(start)
        file.seek(length + length % 2, io.SEEK_CUR)
    return None


def _held(file: BinaryIO, start: int, promised: int, size: int, block: int) -> int:
    """How many bytes of sound there are: as promised where other chunks, or fewer bytes than a chunk has, follow."""
    there = size - start
    if promised == there or (0 < promised < there and _chunks_follow(file, start + promised + promised % 2, size)):
        return promised
    return there // block * block


def _chunks_follow(file: BinaryIO, at: int, size: int) -> bool:
    """Whether the rest of a file from `at` on is chunks to the end, or nothing but padding."""
    while size - at >= 8:
        file.seek(at)
        name = file.read(4)
        (length,) = struct.unpack("<I", file.read(4))
        if name not in _KNOWN and (not name.isalnum() or at + 8 + length > size):
            return False
        at += 8 + length + length % 2
    return True


class MendedWav(io.RawIOBase):
    """A WAV whose header lies, as a file that says the truth; for libsndfile, which believes headers."""

    def __init__(self, path: Path, data: WavData) -> None:
        super().__init__()
        self._file = path.open("rb")
        self._size = data.start + min(data.held, _MOST // data.block * data.block)
        self._patches = (
            (4, struct.pack("<I", self._size - 8)),
            (data.start - 4, struct.pack("<I", self._size - data.start)),
        )
        self._at = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a byte."""
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        return self._at

    def tell(self) -> int:
        """Give the next byte's place."""
        return self._at

    def readinto(self, buffer: Any, /) -> int:  # the type of buffers has a name from Python 3.12 on
        """Read what fits, with the lengths put right."""
        view = memoryview(buffer).cast("B")
        self._file.seek(self._at)
        count = self._file.readinto(view[: max(0, min(len(view), self._size - self._at))])
        for place, right in self._patches:
            for index, byte in enumerate(right):
                if 0 <= place + index - self._at < count:
                    view[place + index - self._at] = byte
        self._at += count
        return int(count)

    def close(self) -> None:
        """Close the file under it."""
        self._file.close()
        super().close()


def wav_header(sample_rate: int, channels: int, data_bytes: int) -> bytes:
    """Give the 44 bytes that stand before so many bytes of PCM16."""
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF", 36 + data_bytes, b"WAVE", b"fmt ", 16, 1, channels, sample_rate, 2 * channels * sample_rate,
        2 * channels, 16, b"data", data_bytes,
    )  # fmt: skip


def encode_wav(samples: NDArray[np.float32], sample_rate: int) -> bytes:
    """Write float32 (n,) or (n, channels), full scale 1.0, as a PCM16 WAV file."""
    starts = range(0, len(samples), _WRITTEN_AT_ONCE)
    pieces = [to_pcm16(samples[start : start + _WRITTEN_AT_ONCE]).astype("<i2", copy=False) for start in starts]
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    return b"".join([wav_header(sample_rate, channels, 2 * samples.size), *(piece.tobytes() for piece in pieces)])
