"""Ogg pages: cutting a byte stream into them, and making them. No I/O, no codec.

The reader is liberal: pages may be cut or joined anywhere, header pages may come alone, granule positions and
page numbers are never looked at (Moshi's servers count them in two different units) and checksums are not
verified, as TCP has done so. It is strict on one point: where a page must begin, `OggS` must stand. Nothing
longer than a page (65,307 bytes) ever waits inside it. What we write has right checksums and page numbers.

The reader stands in front of the decoder because a packet says its own length: a message of a megabyte can
hold hours of sound, and is refused before any of it is decoded.

Sources: RFC 3533 (pages, segment tables, checksum), RFC 6716 sections 3.1 and 3.2 (an Opus packet's
duration), RFC 7845 (header packets).
"""

import struct
from collections.abc import Sequence
from functools import cache

import msgspec

from simulator.errors import RemoteError

OPUS_HZ = 48_000
"""Opus counts time at 48 kHz, whatever rate is encoded or decoded."""

_HEAD = struct.Struct("<4sBBqIIIB")
_CAPTURE = b"OggS"
_CONTINUED, _FIRST = 1, 2
_LONGEST_PACKET = OPUS_HZ * 120 // 1000
_SILK = (480, 960, 1920, 2880)
_HYBRID = (480, 960)
_CELT = (120, 240, 480, 960)


class OggError(RemoteError):
    """The bytes are no Ogg stream."""


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One page. raw: all its bytes. pieces: the packets in it, or the parts of packets at its ends.

    continued: whether the first piece belongs to a packet begun on the page before.
    """

    raw: bytes
    granule: int
    sequence: int
    continued: bool
    pieces: tuple[bytes, ...]

    def duration(self) -> int:
        """How many samples at 48 kHz the Opus packets that begin here decode to; header packets have none."""
        return sum(packet_duration(packet) for packet in self.pieces[self.continued :])


class PageReader:
    """Cuts what arrives into pages."""

    def __init__(self) -> None:
        self._waiting = b""

    def feed(self, data: bytes) -> list[Page]:
        """Take the next bytes, any number, and give the pages they complete; OggError where no page begins."""
        data = self._waiting + data if self._waiting else data
        pages: list[Page] = []
        start = 0
        while (end := _page_end(data, start)) is not None:
            pages.append(_page(data[start:end]))
            start = end
        self._waiting = data[start:]
        return pages


def _page_end(data: bytes, start: int) -> int | None:
    """Find one past the page that begins at `start`; None while it is not whole."""
    if data[start : start + 4] != _CAPTURE[: len(data) - start]:
        found = data[start : start + 4].hex(" ")
        raise OggError(f"found the bytes {found} where an Ogg page must begin with 4f 67 67 53")
    if len(data) < start + _HEAD.size:
        return None
    body = start + _HEAD.size + data[start + 26]
    if len(data) < body:
        return None
    end = body + sum(data[start + _HEAD.size : body])
    return end if len(data) >= end else None


def _page(raw: bytes) -> Page:
    _, _, flags, granule, _, sequence, _, segments = _HEAD.unpack_from(raw)
    pieces: list[bytes] = []
    at = piece = _HEAD.size + segments
    for size in raw[_HEAD.size : _HEAD.size + segments]:
        at += size
        if size < 255:
            pieces.append(raw[piece:at])
            piece = at
    if piece < at:
        pieces.append(raw[piece:at])
    return Page(raw=raw, granule=granule, sequence=sequence, continued=bool(flags & _CONTINUED), pieces=tuple(pieces))


def packet_duration(packet: bytes) -> int:
    """Give an Opus packet's length in samples at 48 kHz, from its first two bytes; 0 for headers and empty packets."""
    if not packet or packet.startswith((b"OpusHead", b"OpusTags")):
        return 0
    config, code = packet[0] >> 3, packet[0] & 3
    frame = _SILK[config % 4] if config < 12 else _HYBRID[config % 2] if config < 16 else _CELT[config % 4]
    count = (1, 2, 2, packet[1] & 63 if len(packet) > 1 else 0)[code]
    return min(count * frame, _LONGEST_PACKET)


class PageWriter:
    """Makes pages with right checksums, numbers and flags. serial: the stream's number, any."""

    def __init__(self, serial: int = 1) -> None:
        self._serial = serial
        self._sequence = 0

    def page(self, packets: Sequence[bytes], granule: int = 0) -> bytes:
        """Make a page of whole packets; granule: samples at 48 kHz up to its end. ValueError over 255 segments."""
        table = b"".join(b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255]) for packet in packets)
        if len(table) > 255:
            raise ValueError(f"a page holds 255 segments, these packets need {len(table)}")
        flags = _FIRST if self._sequence == 0 else 0
        head = _HEAD.pack(_CAPTURE, 0, flags, granule, self._serial, self._sequence, 0, len(table))
        page = head + table + b"".join(packets)
        self._sequence += 1
        return page[:22] + checksum(page).to_bytes(4, "little") + page[26:]


def checksum(page: bytes) -> int:
    """Give the CRC-32 of a page (polynomial 0x04c11db7, not reflected, from 0), its checksum field taken as zero."""
    table = _crc_table()
    value = 0
    for byte in page[:22] + b"\0\0\0\0" + page[26:]:
        value = ((value << 8) & 0xFFFFFFFF) ^ table[(value >> 24) ^ byte]
    return value


@cache
def _crc_table() -> tuple[int, ...]:
    def entry(value: int) -> int:
        for _ in range(8):
            value = (value << 1) ^ (0x04C11DB7 if value & 0x80000000 else 0)
        return value & 0xFFFFFFFF

    return tuple(entry(index << 24) for index in range(256))
