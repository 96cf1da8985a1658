"""The protocol of Bittensor-style voice servers, without I/O: what to POST where, and what an answer means.

Every body is `{"audio_data": <numpy file in base64>, "sample_rate": Hz}`; answers code their sound the same way. Three
generations of servers differ in path and shape:

    generation   POSTs to                                sends             reads
    v1           /api/v1/inference                       float32 (1, n)    audio_data, at the request's rate
    v2           /api/v1/v2t                             float32 (n,)      audio_data where there is some, and text
    v4           /api/v1/v2v                             float32 (1, n)    audio_data; text when it is there
    auto         v4; v1 from the first 404 on            float32 (1, n)    as these

Who wants text alone (`modality: text`) POSTs to /api/v1/v2t what v2 sends, whatever the generation, and reads `text`:
none, or an empty one, is an empty answer and no failure; sound that comes with it is not looked at. v1 has no such
path.

`mode: compat` takes sound as v4's validator does: of shape (n,) or (1, n), else it fails, and at the request's rate
whatever the answer says of its own. `liberal` averages channels and believes the answer.

States of a turn:  idle --ask--> asked --404, auto--> asked again (v1)
                                 asked --200--> idle        asked --any other status, nonsense--> RemoteError
"""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from agents.http_voice.npy_wire import NpyError, decode_npy, encode_npy
from agents.remote.far_end import answered_object, refused_path
from simulator.errors import RemoteError
from simulator.frame import Samples

Generation = Literal["auto", "v1", "v2", "v4"]
Modality = Literal["voice", "text"]
AnswerMode = Literal["liberal", "compat"]

PATHS: Mapping[str, str] = {"v1": "/api/v1/inference", "v2": "/api/v1/v2t", "v4": "/api/v1/v2v"}
TIMEOUTS_S: Mapping[str, float] = {"v1": 30.0, "v2": 60.0, "v4": 200.0}
"""How long the validators of each generation wait."""
TEXT_PATH = "/api/v1/v2t"
TEXT_TIMEOUT_S = 30.0
"""v4's validator asks for text with 80 s, inside an alarm of 30 s; v2's waits as for sound."""

HEALTH_PATHS = ("/api/v1/health", "/health", "/")
WIRE_HZ = 16_000
LONGEST_S = 1800


class VoiceAsk(msgspec.Struct, frozen=True, kw_only=True):
    """What to POST: path below the base URL, body as plain data, how long an answer may take."""

    path: str
    body: dict[str, Any]
    timeout_s: float


class VoiceAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a server answered: float32 (n,) at sample_rate Hz, and the text of it where it gave one.

    samples: None where text alone was asked for.
    """

    samples: Samples | None
    sample_rate: int
    text: str = ""

    @property
    def sound_s(self) -> float:
        """How long its sound is, in seconds."""
        return 0.0 if self.samples is None else len(self.samples) / self.sample_rate


class HttpVoiceCore:
    """Knows which generation the server turned out to be."""

    def __init__(self, generation: Generation = "auto", timeout_s: float | None = None, *,
                 modality: Modality = "voice", mode: AnswerMode = "liberal") -> None:  # fmt: skip
        self._generation: str = "v4" if generation == "auto" else generation
        self._wants_text = modality == "text"
        self._compat = mode == "compat"
        self._may_fall_back = generation == "auto" and not self._wants_text
        self._timeout_s = timeout_s

    @property
    def generation(self) -> str:
        """The generation that is asked for now."""
        return self._generation

    @property
    def path(self) -> str:
        """The path that is asked now."""
        return TEXT_PATH if self._wants_text else PATHS[self._generation]

    def ask(self, samples: Samples) -> VoiceAsk:
        """Ask for an answer to a turn, float32 (n,) at WIRE_HZ."""
        flat = self._wants_text or self._generation == "v2"
        patience_s = TEXT_TIMEOUT_S if self._wants_text and self._generation == "v4" else TIMEOUTS_S[self._generation]
        timeout_s = patience_s if self._timeout_s is None else self._timeout_s
        body = {"audio_data": encode_npy(samples if flat else samples[None, :]), "sample_rate": WIRE_HZ}
        return VoiceAsk(path=self.path, body=body, timeout_s=timeout_s)

    def receive(self, status: int, body: bytes) -> VoiceAnswer | None:
        """Read an answer; None: ask again. RemoteError: the server failed, refused, or answered nonsense."""
        if status == 404 and self._may_fall_back and self._generation == "v4":
            self._generation = "v1"
            return None
        self._may_fall_back = False
        if status != 200:
            raise RemoteError(refused_path(self.path, status, body))
        return self._read(body)

    def _read(self, body: bytes) -> VoiceAnswer:
        path = self.path
        data = answered_object(path, body)
        text = data.get("text")
        told = text.strip() if isinstance(text, str) else ""
        if self._wants_text:
            return VoiceAnswer(samples=None, sample_rate=WIRE_HZ, text=told)
        if data.get("audio_data") is None:
            raise RemoteError(f"answered {path} without audio_data")
        rate = WIRE_HZ if self._compat else data.get("sample_rate") or WIRE_HZ
        rate = int(rate) if isinstance(rate, float) and rate.is_integer() else rate
        if not isinstance(rate, int) or not 4_000 <= rate <= 192_000:
            raise RemoteError(f"answered {path} with a sample_rate of {rate!r}; 4000 to 192000 are allowed")
        try:
            one_channel = self._compat and self._generation == "v4"
            samples = decode_npy(data["audio_data"], longest=LONGEST_S * rate, one_channel=one_channel)
        except NpyError as error:
            raise RemoteError(f"answered {path} with audio_data that {error}") from error
        return VoiceAnswer(samples=samples, sample_rate=rate, text=told)
