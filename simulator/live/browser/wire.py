"""What goes over the WebSocket of a live page: sound in binary messages, everything else in JSON texts.

Sound: a head of 12 bytes (kind u8, three zero bytes, frame u64, little-endian), then mono PCM16 at the page's native
rate (kind 1, both ways), or one Opus packet (kind 2, up only). Up, `frame` is the AudioContext's frame number of the
first sample; down, it counts what was sent.
"""

import struct

import numpy as np

from simulator.errors import RemoteError
from simulator.frame import Samples, from_pcm16, to_pcm16

PCM16, OPUS = 1, 2
LONGEST_BYTES = 65_536
"""A longer message is refused: a third of a second at the highest rate, or 100 times what a page sends."""

_HEAD = struct.Struct("<B3xQ")


def pack(frame: int, samples: Samples) -> bytes:
    """Make a message of float32 (n,), full scale 1.0."""
    return _HEAD.pack(PCM16, frame) + to_pcm16(samples).astype("<i2").tobytes()


def unpack(message: bytes, kind: int) -> tuple[int, bytes]:
    """Read a message of this kind: its frame number and the sound behind its head. RemoteError when it is none."""
    if not _HEAD.size <= len(message) <= LONGEST_BYTES:
        allowed = f"{_HEAD.size} to {LONGEST_BYTES}"
        raise RemoteError(f"the page sent a sound message of {len(message)} bytes; allowed are {allowed}")
    found, frame = _HEAD.unpack_from(message)
    if found != kind:
        raise RemoteError(f"the page sent sound of kind {found}; it announced kind {kind}")
    return frame, message[_HEAD.size :]


def unpack_pcm16(message: bytes) -> tuple[int, Samples]:
    """Read a message of PCM16: its frame number and float32 (n,). RemoteError when it is none."""
    frame, sound = unpack(message, PCM16)
    if len(sound) % 2:
        raise RemoteError(f"the page sent {len(sound)} bytes of PCM16; allowed is an even number")
    return frame, from_pcm16(np.frombuffer(sound, "<i2"))
