"""What goes over the WebSocket of a live page: sound in binary messages, everything else in JSON texts.

Sound, both ways: a head of 12 bytes (kind u8, three zero bytes, frame u64, little-endian) and mono PCM16 at the page's
native rate. Up, `frame` is the AudioContext's frame number of the first sample; down, it counts what was sent.
"""

import struct

import numpy as np

from simulator.errors import RemoteError
from simulator.frame import Samples, from_pcm16, to_pcm16

PCM16 = 1
LONGEST_BYTES = 65_536
"""A longer message is refused: a third of a second at the highest rate, or 100 times what a page sends."""

_HEAD = struct.Struct("<B3xQ")


def pack(frame: int, samples: Samples) -> bytes:
    """Make a message of float32 (n,), full scale 1.0."""
    return _HEAD.pack(PCM16, frame) + to_pcm16(samples).astype("<i2").tobytes()


def unpack(message: bytes) -> tuple[int, Samples]:
    """Read a message: its frame number and float32 (n,). RemoteError when it is none."""
    if len(message) % 2 or not _HEAD.size <= len(message) <= LONGEST_BYTES:
        allowed = f"an even number from {_HEAD.size} to {LONGEST_BYTES}"
        raise RemoteError(f"the page sent a sound message of {len(message)} bytes; allowed is {allowed}")
    kind, frame = _HEAD.unpack_from(message)
    if kind != PCM16:
        raise RemoteError(f"the page sent sound of kind {kind}; allowed is {PCM16} (PCM16)")
    return frame, from_pcm16(np.frombuffer(message, "<i2", offset=_HEAD.size))
