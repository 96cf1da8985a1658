"""The protocol of Bittensor-style voice servers, without I/O: what to POST where, and what an answer means.

Every body is `{"audio_data": <numpy file in base64>, "sample_rate": Hz}`; answers code their sound the same way. Three
generations of servers differ in path and shape:

    generation   POSTs to                                sends             reads
    v1           /api/v1/inference                       float32 (1, n)    audio_data, at the request's rate
    v2           /api/v1/v2t                             float32 (n,)      audio_data where there is some, and text
    v4           /api/v1/v2v                             float32 (1, n)    audio_data; text when it is there
    auto         v4; v1 from the first 404 on            float32 (1, n)    as these

States of a turn:  idle --ask--> asked --404, auto--> asked again (v1)
                                 asked --200--> idle        asked --any other status, nonsense--> RemoteError
"""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from agents.http_voice.npy_wire import NpyError, decode_npy, encode_npy
from agents.remote.far_end import told_by
from simulator.errors import RemoteError
from simulator.frame import Samples

Generation = Literal["auto", "v1", "v2", "v4"]

PATHS: Mapping[str, str] = {"v1": "/api/v1/inference", "v2": "/api/v1/v2t", "v4": "/api/v1/v2v"}
TIMEOUTS_S: Mapping[str, float] = {"v1": 30.0, "v2": 60.0, "v4": 200.0}
"""How long the validators of each generation wait."""

HEALTH_PATHS = ("/api/v1/health", "/health", "/")
WIRE_HZ = 16_000
LONGEST_S = 1800


class VoiceAsk(msgspec.Struct, frozen=True, kw_only=True):
    """What to POST: path below the base URL, body as plain data, how long an answer may take."""

    path: str
    body: dict[str, Any]
    timeout_s: float


class VoiceAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a server answered: float32 (n,) at sample_rate Hz, and the text of it where it gave one."""

    samples: Samples
    sample_rate: int
    text: str = ""


class HttpVoiceCore:
    """Knows which generation the server turned out to be."""

    def __init__(self, generation: Generation = "auto", timeout_s: float | None = None) -> None:
        self._generation: str = "v4" if generation == "auto" else generation
        self._may_fall_back = generation == "auto"
        self._timeout_s = timeout_s

    @property
    def generation(self) -> str:
        """The generation that is asked for now."""
        return self._generation

    def ask(self, samples: Samples) -> VoiceAsk:
        """Ask for an answer to a turn, float32 (n,) at WIRE_HZ."""
        shaped = samples if self._generation == "v2" else samples[None, :]
        timeout_s = TIMEOUTS_S[self._generation] if self._timeout_s is None else self._timeout_s
        body = {"audio_data": encode_npy(shaped), "sample_rate": WIRE_HZ}
        return VoiceAsk(path=PATHS[self._generation], body=body, timeout_s=timeout_s)

    def receive(self, status: int, body: bytes) -> VoiceAnswer | None:
        """Read an answer; None: ask again. RemoteError: the server failed, refused, or answered nonsense."""
        if status == 404 and self._may_fall_back and self._generation == "v4":
            self._generation = "v1"
            return None
        self._may_fall_back = False
        if status != 200:
            raise RemoteError(f"refused {PATHS[self._generation]} (HTTP {status}{_because(body)})")
        return self._read(body)

    def _read(self, body: bytes) -> VoiceAnswer:
        path = PATHS[self._generation]
        try:
            data = msgspec.json.decode(body, type=dict[str, Any])
        except msgspec.MsgspecError as error:
            raise RemoteError(f"answered {path} with what is no JSON object: {error}") from error
        if data.get("audio_data") is None:
            raise RemoteError(f"answered {path} without audio_data")
        rate = data.get("sample_rate") or WIRE_HZ
        rate = int(rate) if isinstance(rate, float) and rate.is_integer() else rate
        if not isinstance(rate, int) or not 4_000 <= rate <= 192_000:
            raise RemoteError(f"answered {path} with a sample_rate of {rate!r}; 4000 to 192000 are allowed")
        try:
            samples = decode_npy(data["audio_data"], longest=LONGEST_S * rate)
        except NpyError as error:
            raise RemoteError(f"answered {path} with audio_data that {error}") from error
        text = data.get("text")
        return VoiceAnswer(samples=samples, sample_rate=rate, text=text.strip() if isinstance(text, str) else "")


def _because(body: bytes) -> str:
    told = told_by(body)
    return f": {told}" if told else ""
