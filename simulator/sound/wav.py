"""WAV headers held against their files: how much sound one promises, how much is there, and how to read all of it.

A header is written before the sound: who was killed, or streamed, leaves a length of nothing, of the largest number or
of what there was at the time. Every reader of ours takes the length from the file then, and says so.

What is sent as a WAV is written here, too.
"""

import io
import os
import re
import struct
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np
from numpy.typing import NDArray

from simulator.errors import SessionError
from simulator.frame import to_pcm16

UNKNOWN = 0xFFFFFFFF
"""What stands for a length that was not known when the header was written."""
_MOST = 2**32 - 1024
_WRITTEN_AT_ONCE = 2**16  # samples: written in one go, ten minutes hold up every other thread for 200 ms
# PCM, float, A-law, mu-law, extensible: whole samples side by side. Of all others the length in bytes says little.
_PLAIN = (1, 3, 6, 7, 0xFFFE)
_KNOWN = (b"LIST", b"id3 ", b"ID3 ", b"bext", b"cue ", b"fact", b"smpl", b"JUNK", b"PEAK", b"iXML", b"afsp", b"PAD ")
"""Chunks that follow the sound: one of them may itself be cut off."""
_NAME = re.compile(rb"[\x20-\x7e]{4}")
"""Names of chunks are written in ASCII (`_PMX`, `MD5 `); samples hardly ever look so, with a fitting length behind."""
_FILLED_UP = 4096
"""Bytes of nothing that may fill up a file to the end of a sector."""
_ORDERS = {b"RIFF": "<", b"RIFX": ">", b"RF64": "<", b"BW64": "<"}
"""In which order the bytes of a number stand. RF64 and its heir state lengths in 64 bits, in a chunk of their own."""


class SoundData(msgspec.Struct, frozen=True, kw_only=True):
    """Where the samples of a sound file are. promised, held: bytes of sound, by the header and by the file.

    start: the first byte of the samples. block: bytes of one sample of all channels. plain: whether samples are stored
    as they are, not in compressed blocks. rate: Hz; byte_rate: what the header says of bytes a second, 0 where it says
    none. lengths: the bytes that have to stand in the header, and where, for it to promise what is held.
    """

    start: int
    promised: int
    held: int
    block: int
    plain: bool
    rate: int
    byte_rate: int = 0
    lengths: tuple[tuple[int, bytes], ...] = ()

    @property
    def lies(self) -> bool:
        """Whether the header tells another length than the file has."""
        return self.plain and self.promised != self.held and self.held >= self.block > 0

    @property
    def note(self) -> str:
        """What is to be said of a header that lies, a sentence without the file's name."""
        length = f", {self.held / self.block / self.rate:.2f} s" if self.rate else ""
        if self.promised in (0, UNKNOWN):
            return f"its header promises no length; it holds {self.held} bytes of sound{length}"
        return f"holds {self.held} of the {self.promised} bytes of sound that its header promises{length}"


def wav_data(path: Path) -> SoundData | None:
    """Find the samples of a WAV; None for another file or one whose header breaks off. SessionError: unreadable."""
    try:
        with path.open("rb") as file:
            return _found(file)
    except OSError as error:
        raise SessionError(f"{path}: cannot be read: {error.strerror}") from error


def _found(file: BinaryIO) -> SoundData | None:
    head = file.read(12)
    if head[8:] != b"WAVE" or head[:4] not in _ORDERS:
        return None
    order = _ORDERS[head[:4]]
    form = block = rate = byte_rate = wide = in_wide = 0
    while len(head := file.read(8)) == 8:
        (length,) = struct.unpack(f"{order}I", head[4:])
        if head[:4] == b"data":
            start = file.tell()
            length = in_wide if wide and length == UNKNOWN else length
            held = held_bytes(file, start, length, max(1, block), f"{order}I")
            there = most_read(held, block)
            lengths = (
                ((wide, struct.pack("<QQQ", start + there - 8, there, there // max(1, block))),)
                if wide
                else ((4, struct.pack(f"{order}I", start + there - 8)), (start - 4, struct.pack(f"{order}I", there)))
            )
            return SoundData(
                start=start,
                promised=length,
                held=held,
                block=block,
                plain=form in _PLAIN,
                rate=rate,
                byte_rate=byte_rate,
                lengths=lengths,
            )
        if head[:4] == b"ds64":
            wide = file.tell()
            (in_wide,) = struct.unpack("<8xQ", file.read(16).ljust(16, b"\0"))
            file.seek(wide)
        if head[:4] == b"fmt ":
            start = file.tell()
            form, _, rate, byte_rate, block = struct.unpack(f"{order}HHIIH", file.read(14).ljust(14, b"\0"))
            file.seek(start)
        file.seek(length + length % 2, io.SEEK_CUR)
    return None


def held_bytes(file: BinaryIO, start: int, promised: int, block: int, form: str) -> int:
    """Say how many bytes of sound there are: as promised where other chunks, or bytes that fill up, follow.

    start: the first byte of sound. block: bytes of one sample of all channels. form: how a chunk
    states its length (struct); chunks begin at even bytes where that has four.
    """
    size = file.seek(0, io.SEEK_END)
    there = size - start
    even = 2 if struct.calcsize(form) == 4 else 1
    if promised == there or (0 < promised < there and _chunks_follow(file, start + promised, size, form, even)):
        return promised
    return there // block * block


def most_read(held: int, block: int) -> int:
    """Give how many bytes of those held can be read, in whole samples: a header counts no more."""
    return min(held, _MOST // max(1, block) * max(1, block))


def _chunks_follow(file: BinaryIO, at: int, size: int, form: str, even: int) -> bool:
    """Whether the rest of a file from `at` on is chunks to the end, or nothing but padding."""
    at += at % even
    head = 4 + struct.calcsize(form)
    while size - at >= head:
        file.seek(at)
        name = file.read(4)
        (length,) = struct.unpack(form, file.read(head - 4))
        if name == bytes(4) and size - at <= _FILLED_UP:
            file.seek(at)
            return not any(file.read())
        if name not in _KNOWN and (not _NAME.fullmatch(name) or at + head + length > size):
            return False
        at += head + length + length % even
    return True


class MendedFile(io.RawIOBase):
    """A sound file whose header lies, as one that says the truth; for libsndfile, which believes headers."""

    def __init__(self, path: Path, data: SoundData) -> None:
        super().__init__()
        self._file = path.open("rb")
        self._size = data.start + most_read(data.held, data.block)
        self._patches = data.lengths
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
