"""Opus in Ogg, as Moshi's clients and servers speak it (24 kHz mono), through sphn (extra `moshi`).

Encoding and decoding keep the sample count exactly and shift sound later by 6.5 ms per pass (156 samples): sphn trims
no pre-skip. One encoder and one decoder per direction of a connection.
"""

import struct
from importlib.util import find_spec
from typing import Any

import numpy as np

from simulator.errors import RemoteError, ScenarioError
from simulator.frame import Samples, freeze
from simulator.sound.ogg import OPUS_HZ, OggError, PageReader

RATE_HZ = 24_000

LOOKAHEAD = 312
"""By how many samples at 48 kHz libopus delays sound, in all its modes but the restricted low-delay one."""

LONGEST_MESSAGE_S = 20.0
"""A message that holds more sound than this is refused before it is decoded: no live peer sends that much at once."""


def have_sphn() -> bool:
    """Say whether sphn is installed, without importing it."""
    return find_spec("sphn") is not None


def need_sphn() -> Any:
    """Import and give sphn; ScenarioError with the line that installs it."""
    try:
        import sphn
    except ImportError:
        raise ScenarioError("Opus needs sphn: pip install 'sphn>=0.2,<0.3'") from None
    return sphn


class OpusEncoder:
    """Sound to Ogg/Opus bytes: 40 ms packets, a page each; the header pages come before the first one."""

    def __init__(self) -> None:
        self._stream = need_sphn().OpusStreamWriter(RATE_HZ)

    def encode(self, samples: Samples) -> bytes:
        """Encode float32 (n,) at 24 kHz and give the pages that are ready: all of them when n is a whole 40 ms."""
        return bytes(self._stream.append_pcm(samples))


class OpusDecoder:
    """Ogg/Opus bytes to sound, whatever the packets' length and wherever pages are cut. rate: Hz, one of Opus's."""

    def __init__(self, rate: int = RATE_HZ) -> None:
        self._stream = need_sphn().OpusStreamReader(rate)
        self._pages = PageReader()

    def decode(self, data: bytes) -> Samples:
        """Decode the next bytes: float32 (n,), n what they completed, read-only.

        RemoteError: no Ogg, no Opus, more than 20 s of sound at once. The stream is over then.
        """
        pages = self._pages.feed(data)
        duration = sum(page.duration() for page in pages)
        if duration > LONGEST_MESSAGE_S * OPUS_HZ:
            held_s = duration / OPUS_HZ
            raise OggError(f"one message holds {held_s:.0f} s of sound; {LONGEST_MESSAGE_S:g} s are allowed")
        if not pages:
            return _NOTHING
        if any(piece == b"" for page in pages for piece in page.pieces):
            # The codec would make up five seconds of sound for it.
            raise OggError("the audio holds an Opus packet of no bytes")
        try:
            samples = np.asarray(self._stream.append_bytes(b"".join(page.raw for page in pages)), np.float32)
        except ValueError as error:
            raise RemoteError(f"the audio is no Opus that can be decoded: {error}") from error
        return freeze(samples)


def header_packets() -> tuple[bytes, bytes]:
    """Give the two packets that begin a mono stream in Ogg (RFC 7845, section 5)."""
    head = struct.pack("<8sBBHIhB", b"OpusHead", 1, 1, LOOKAHEAD, OPUS_HZ, 0, 0)
    return head, struct.pack("<8sII", b"OpusTags", 0, 0)


_NOTHING = freeze(np.zeros(0, np.float32))
