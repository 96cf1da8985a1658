"""Audio as remote services want it in their messages: PCM16 or G.711, in base64."""

import base64
from typing import Literal

import msgspec
import numpy as np

from agents.remote.base64_bytes import base64_bytes
from simulator.errors import RemoteError
from simulator.frame import Samples, from_pcm16, to_pcm16
from simulator.sound.g711 import code_table, value_table

Encoding = Literal["pcm16", "mulaw", "alaw"]


class WireFormat(msgspec.Struct, frozen=True, kw_only=True):
    """How sound is written in messages: encoding, and rate in Hz (8000 for both G.711 laws)."""

    encoding: Encoding = "pcm16"
    rate: int = 24_000

    def encode(self, samples: Samples) -> str:
        """Write float32 (n,), full scale 1.0, as base64."""
        return base64.b64encode(self.pack(samples)).decode("ascii")

    def pack(self, samples: Samples) -> bytes:
        """Write float32 (n,), full scale 1.0, as bytes."""
        pcm = to_pcm16(samples)
        if self.encoding == "pcm16":
            return pcm.astype("<i2").tobytes()
        return code_table(self.encoding)[pcm.astype(np.int32) + 32768].tobytes()

    @property
    def width(self) -> int:
        """Bytes of a sample."""
        return 2 if self.encoding == "pcm16" else 1

    def decode(self, text: object) -> Samples:
        """Read base64 of either alphabet: float32 (n,), full scale 1.0. RemoteError for anything else."""
        return self.unpack(sound_bytes(text))

    def unpack(self, data: bytes) -> Samples:
        """Read bytes: float32 (n,), full scale 1.0."""
        if self.encoding != "pcm16":
            return from_pcm16(value_table(self.encoding)[np.frombuffer(data, np.uint8)])
        if len(data) % 2:
            raise RemoteError(f"sent {len(data)} bytes of audio; 16-bit samples come in pairs of bytes")
        return from_pcm16(np.frombuffer(data, "<i2"))


def sound_bytes(text: object) -> bytes:
    """Read base64 of either alphabet. RemoteError for anything else."""
    if not isinstance(text, str):
        raise RemoteError(f"sent audio as {type(text).__name__}; base64 text is expected")
    try:
        return base64_bytes(text, url_alphabet=True)
    except ValueError as error:
        raise RemoteError(f"sent audio that is not base64: {error}") from error


class WirePieces:
    """Sound that comes in pieces cut anywhere: half a sample waits for the next piece of the same item."""

    def __init__(self, form: WireFormat) -> None:
        self._form = form
        self._item = ""
        self._rest = b""

    def decode(self, text: object, item: str = "") -> Samples:
        """Read the next piece of an item, base64: float32 (n,), full scale 1.0. RemoteError when it is none."""
        data = sound_bytes(text)
        if item != self._item:
            self._item, self._rest = item, b""
        data = self._rest + data
        whole = len(data) // self._form.width * self._form.width
        self._rest = data[whole:]
        return self._form.unpack(data[:whole])


def wire_format(encoding: Encoding, pcm_rate: int = 24_000) -> WireFormat:
    """Give the format of an encoding at its rate: PCM16 at `pcm_rate` Hz, G.711 at 8000."""
    return WireFormat(encoding=encoding, rate=pcm_rate if encoding == "pcm16" else 8000)
