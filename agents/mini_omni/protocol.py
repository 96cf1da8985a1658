"""The protocol of Mini-Omni's server, without I/O.

POST /chat with `{"audio": <a whole WAV file in base64>, "stream_stride": 4, "max_tokens": 2048}`. The answer says that
it is audio/wav and is not: it is int16, little-endian, one channel at 24 kHz, without a header, a chunk per stride of
frames. It has no text. A failure is a 500, or a body that just ends: an answer without a sample is one.

Source: gpt-omni/mini-omni@26c31d5, its server module.
"""

import base64
from typing import Any

import msgspec

from agents.remote.far_end import refused_path
from simulator.engines.far_sound import read_sound
from simulator.errors import RemoteError
from simulator.frame import Samples
from simulator.sound.wav import encode_wav

PATH = "/chat"
WIRE_HZ = 24_000
ASKED_HZ = 16_000


class MiniOmniAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a server said: float32 (n,) at sample_rate Hz."""

    samples: Samples
    sample_rate: int


class MiniOmniCore:
    """One server; it has no memory of earlier turns."""

    def __init__(self, stride: int = 4, max_tokens: int = 2048) -> None:
        self._stride = stride
        self._max_tokens = max_tokens

    def ask(self, samples: Samples) -> dict[str, Any]:
        """Give the body that asks for an answer to a turn, float32 (n,) at ASKED_HZ."""
        audio = base64.b64encode(encode_wav(samples, ASKED_HZ)).decode("ascii")
        return {"audio": audio, "stream_stride": self._stride, "max_tokens": self._max_tokens}

    def receive(self, status: int, body: bytes) -> MiniOmniAnswer:
        """Read an answer. RemoteError, a predicate: the server refused, failed, or sent what is no sound."""
        if status != 200:
            raise RemoteError(refused_path(PATH, status, body))
        # A stream that breaks off may end within a sample; what came before it was said.
        torn = len(body) % 2 == 1 and body[:4] != b"RIFF" and body[:1] not in (b"{", b"<")
        samples, rate = read_sound(body[:-1] if torn else body, asked="pcm", sample_rate=WIRE_HZ)
        return MiniOmniAnswer(samples=samples, sample_rate=rate)
