"""The frames of Pipecat's WebSockets: one protobuf message each, package pipecat, `Frame`, a oneof of five.

    no  kind           fields
    1   text           id 1, name 2, text 3
    2   audio          id 1, name 2, audio 3 (PCM16), sample_rate 4, num_channels 5, pts 6
    3   transcription  id 1, name 2, text 3, user_id 4, timestamp 5
    4   message        data 1: JSON, of RTVI
    5   interruption   id 1, name 2

Source: pipecat-ai 1.14's frames.proto. id, name, timestamp and pts are neither written nor looked at; fields that are
not known are passed over, as protobuf asks.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec
import numpy as np

from agents.remote.wire_audio import WireFormat
from simulator.errors import RemoteError
from simulator.frame import Samples, freeze

FrameKind = Literal["text", "audio", "transcription", "message", "interruption"]

_NUMBERS: Mapping[int, FrameKind] = {1: "text", 2: "audio", 3: "transcription", 4: "message", 5: "interruption"}
_TEXT_FIELD = {"text": 3, "transcription": 3, "message": 1}
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_LONGEST_VARINT = 10
_PCM = WireFormat()
_HEADER = 12
"""Bytes of a RIFF file before its first chunk."""


class PipecatFrame(msgspec.Struct, frozen=True, kw_only=True):
    """A frame. text: of text, transcription and message. audio: PCM16 little endian, channels interleaved."""

    kind: FrameKind
    text: str = ""
    audio: bytes = b""
    sample_rate: int = 0
    channels: int = 0

    def samples(self) -> Samples:
        """Give the sound, channels averaged: float32 (n,). RemoteError: no whole samples of so many channels."""
        data = _without_header(self.audio)
        channels = self.channels or 1
        if len(data) % (2 * channels):
            raise RemoteError(f"sent {len(data)} bytes of audio in {channels} channels; samples have 16 bits")
        sound = _PCM.unpack(data)
        return sound if channels == 1 else freeze(sound.reshape(-1, channels).mean(axis=1, dtype=np.float32))


def encode_audio(samples: Samples, sample_rate: int) -> bytes:
    """Write sound, float32 (n,) in one channel, as a frame."""
    return encode_pcm(_PCM.pack(samples), sample_rate)


def encode_pcm(pcm: bytes, sample_rate: int) -> bytes:
    """Write PCM16 in one channel as a frame."""
    return _bytes(2, _bytes(3, pcm) + _number(4, sample_rate) + _number(5, 1))


def encode_message(message: Any) -> bytes:
    """Write a message of RTVI as a frame."""
    return _bytes(4, _bytes(1, msgspec.json.encode(message)))


def encode_text(text: str) -> bytes:
    """Write a text as a frame."""
    return _bytes(1, _bytes(3, text.encode()))


def encode_interruption() -> bytes:
    """Write an interruption: whoever gets it drops the sound that waits to be heard."""
    return _bytes(5, b"")


def decode_frame(data: bytes) -> PipecatFrame:
    """Read a frame. RemoteError, a predicate: no protobuf, or none of the five kinds."""
    found: tuple[FrameKind, bytes] | None = None
    for number, value in _fields(data):
        kind = _NUMBERS.get(number)
        if kind is not None and isinstance(value, bytes):
            found = (kind, value)  # of a oneof the last one counts
    if found is None:
        raise RemoteError(
            f"sent {len(data)} bytes that are no frame of Pipecat's (text, audio, transcription, message)"
        )
    kind, body = found
    fields = dict(_fields(body))
    return PipecatFrame(
        kind=kind,
        text=_read(fields, _TEXT_FIELD.get(kind, 0), b"").decode("utf-8", "replace"),
        audio=_read(fields, 3, b"") if kind == "audio" else b"",
        sample_rate=_read(fields, 4, 0) if kind == "audio" else 0,
        channels=_read(fields, 5, 0) if kind == "audio" else 0,
    )


def _read(fields: Mapping[int, Any], number: int, default: Any) -> Any:
    value = fields.get(number, default)
    if not isinstance(value, type(default)):
        raise RemoteError(f"sent a frame whose field {number} is of the wrong type")
    return value


def _without_header(data: bytes) -> bytes:
    """Give the samples alone where every chunk is a WAV file of its own (add_wav_header)."""
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        return data
    at = _HEADER
    while at + 8 <= len(data):
        name, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8
        if name == b"data":
            return data[at : at + length]
        at += length + length % 2
    raise RemoteError("sent a WAV file without samples")


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Go through the fields of a message: number and value. RemoteError where they break off."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, form = tag >> 3, tag & 7
        if form == _VARINT:
            value, at = _varint(data, at)
            yield number, value
            continue
        if form == _BYTES:
            length, at = _varint(data, at)
        elif form in (_FIXED64, _FIXED32):
            length = 8 if form == _FIXED64 else 4
        else:
            raise RemoteError(f"sent {len(data)} bytes that are no protobuf; is its serializer the protobuf one?")
        if not number or at + length > len(data):
            raise RemoteError(f"sent {len(data)} bytes that are no protobuf; is its serializer the protobuf one?")
        yield number, data[at : at + length]
        at += length


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for count in range(_LONGEST_VARINT):
        if at + count >= len(data):
            break
        byte = data[at + count]
        value |= (byte & 0x7F) << (7 * count)
        if byte < 0x80:
            return value, at + count + 1
    raise RemoteError(f"sent {len(data)} bytes of protobuf that break off inside a number")


def _number(field: int, value: int) -> bytes:
    return _packed(field << 3 | _VARINT) + _packed(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _packed(field << 3 | _BYTES) + _packed(len(value)) + value


def _packed(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
