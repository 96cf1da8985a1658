"""Audio as remote services want it in their messages: PCM16 or G.711, in base64.

G.711 is the exact 8-bit code of ITU-T G.711 (mu-law with a bias of 132, A-law with its even bits inverted),
looked up in tables. Negative values are taken in one's complement, as ITU-T G.191 does: -1 lies in 0's step.
"""

import base64
from functools import cache
from typing import Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from agents.remote.base64_bytes import base64_bytes
from simulator.errors import RemoteError
from simulator.frame import Samples, from_pcm16, to_pcm16

Encoding = Literal["pcm16", "mulaw", "alaw"]

_BIAS = 132


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
        return _code_table(self.encoding)[pcm.astype(np.int32) + 32768].tobytes()

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
            return from_pcm16(_value_table(self.encoding)[np.frombuffer(data, np.uint8)])
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


@cache
def _value_table(law: Encoding) -> NDArray[np.int16]:
    """The int16 value of each of the 256 codes."""
    code = np.arange(256, dtype=np.int32)
    if law == "mulaw":
        code = ~code & 0xFF
        magnitude = ((((code & 0x0F) << 3) + _BIAS) << ((code & 0x70) >> 4)) - _BIAS
        return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)
    code ^= 0x55
    exponent, mantissa = (code & 0x70) >> 4, (code & 0x0F) << 4
    magnitude = np.where(exponent == 0, mantissa + 8, (mantissa + 0x108) << np.maximum(exponent - 1, 0))
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)


@cache
def _code_table(law: Encoding) -> NDArray[np.uint8]:
    """The code of each int16 value, from -32768 on."""
    value = np.arange(-32768, 32768, dtype=np.int32)
    code: NDArray[np.int32] = _mulaw_code(value) if law == "mulaw" else _alaw_code(value)
    return code.astype(np.uint8)


def _mulaw_code(value: NDArray[np.int32]) -> Any:
    magnitude = np.minimum(np.where(value < 0, ~value, value), 32635) + _BIAS
    exponent = np.floor(np.log2(magnitude)).astype(np.int32) - 7
    mantissa = (magnitude >> (exponent + 3)) & 0x0F
    return ~(np.where(value < 0, 0x80, 0) | (exponent << 4) | mantissa) & 0xFF


def _alaw_code(value: NDArray[np.int32]) -> Any:
    magnitude = np.where(value < 0, ~value, value) >> 3
    exponent = np.maximum(np.floor(np.log2(np.maximum(magnitude, 1))).astype(np.int32) - 4, 0)
    mantissa = np.where(exponent == 0, magnitude >> 1, magnitude >> exponent) & 0x0F
    return (np.where(value >= 0, 0x80, 0) | (exponent << 4) | mantissa) ^ 0x55
