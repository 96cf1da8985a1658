"""Headers of sound files held against the files, whatever the container: AU, AIFF and CAF lie about lengths as WAVs do.

W64 is read by the file's length by libsndfile itself; what is compressed is decoded as far as it goes (decoded.py).
"""

import io
import struct
from pathlib import Path
from typing import BinaryIO

from simulator.errors import SessionError
from simulator.sound.wav import UNKNOWN, SoundData, held_bytes, most_read, wav_data

_AU_BYTES = {1: 1, 2: 1, 3: 2, 4: 3, 5: 4, 6: 4, 7: 8, 27: 1}
"""Bytes of a sample by the encodings of AU that store samples as they are: mu-law, PCM, float, A-law."""
_PLAIN = (b"", b"NONE", b"twos", b"sowt", b"fl32", b"FL32", b"fl64", b"FL64", b"ulaw", b"alaw", b"lpcm")


def sound_data(path: Path) -> SoundData | None:
    """Find the samples of a WAV, AU, AIFF or CAF; None: another file, a broken header. SessionError: unreadable."""
    found = wav_data(path)
    if found is not None:
        return found
    try:
        with path.open("rb") as file:
            head = file.read(24)
            if head[:4] in (b".snd", b"dns.") and len(head) == 24:
                return _au(head, path.stat().st_size)
            if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
                return _aiff(file)
            return _caf(file) if head[:4] == b"caff" else None
    except OSError as error:
        raise SessionError(f"{path}: cannot be read: {error.strerror}") from error


def _au(head: bytes, size: int) -> SoundData:
    order = ">" if head[:4] == b".snd" else "<"
    start, promised, encoding, rate, width = struct.unpack(f"{order}4x5I", head)
    block = _AU_BYTES.get(encoding, 0) * width
    there = max(0, size - start)
    held = there // block * block if block else there
    lengths = ((8, struct.pack(f"{order}I", most_read(held, block))),)
    return SoundData(
        start=start, promised=promised, held=held, block=block, plain=block > 0, rate=rate, lengths=lengths
    )


def _aiff(file: BinaryIO) -> SoundData | None:
    file.seek(12)
    block = rate = frames_at = 0
    plain = False
    while len(head := file.read(8)) == 8:
        (length,) = struct.unpack(">I", head[4:])
        at = file.tell()
        if head[:4] == b"COMM":
            width, bits, exponent, mantissa, form = struct.unpack(">H4xHHQ4s", file.read(22).ljust(22, b"\0"))
            block, rate, plain = width * ((bits + 7) // 8), mantissa >> max(0, 16446 - exponent), form in _PLAIN
            plain, frames_at = plain or length < 22, at + 2
        elif head[:4] == b"SSND" and block:
            start = at + 8
            held = held_bytes(file, start, max(0, length - 8), block, ">I")
            there = most_read(held, block)
            lengths = (
                (4, struct.pack(">I", start + there - 8)),
                (frames_at, struct.pack(">I", there // block)),
                (at - 4, struct.pack(">I", there + 8)),
            )
            promised = UNKNOWN if length == UNKNOWN else max(0, length - 8)
            return SoundData(
                start=start, promised=promised, held=held, block=block, plain=plain, rate=rate, lengths=lengths
            )
        file.seek(at + length + length % 2)
    return None


def _caf(file: BinaryIO) -> SoundData | None:
    file.seek(8)
    block = rate = 0
    plain = False
    while len(head := file.read(12)) == 12:
        (length,) = struct.unpack(">q", head[4:])
        if head[:4] == b"desc":
            described = file.read(32).ljust(32, b"\0")
            pace, form, block = struct.unpack(">d4s4xI", described[:20])
            rate, plain = int(pace), form in _PLAIN
            file.seek(-32, io.SEEK_CUR)
        elif head[:4] == b"data":
            start = file.tell() + 4  # a count of edits stands before the samples
            promised = length - 4
            held = held_bytes(file, start, promised, max(1, block), ">q")
            lengths = ((start - 12, struct.pack(">q", most_read(held, block) + 4)),)
            promised = UNKNOWN if length < 0 else promised
            return SoundData(
                start=start, promised=promised, held=held, block=block, plain=plain, rate=rate, lengths=lengths
            )
        if length < 0:
            return None
        file.seek(length, io.SEEK_CUR)
    return None
