"""Serves an actor as a Bittensor-style voice server, every request a session of its own.

    GET  /api/v1/health  (and /health, /)   200 when sessions can start, else 503
    POST /api/v1/inference                  sound and text back, at the request's rate
    POST /api/v1/v2t                        the same: some clients of this path read the text, some the sound
    POST /api/v1/v2v                        sound and text back, at 16 kHz

Bodies and answers are `{"audio_data": <numpy file in base64>, "sample_rate": Hz}`; answers are float32 (n,), never
empty, with a text that is never empty.

    400  audio_data that is no sound (see npy_wire.py), or longer than allowed
    413  a body longer than the door lets in     422  a field missing or of the wrong type
    500  the actor failed                        503  no place, not ready
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

import msgspec

from agents.http_voice.npy_wire import NpyError, decode_npy, npy_bytes
from agents.serve.http_json import (
    RefusedError,
    Sent,
    json_pieces,
    json_response,
    pieces_response,
    read_body,
    read_object,
)
from agents.serve.presence import watched
from agents.serve.turn import ServedTurn, TurnServerSpec, take_turn
from simulator.engines.moonshine import MoonshineSpec
from simulator.errors import SimulatorError
from simulator.frame import Samples
from simulator.serving.service import Service
from simulator.sound import recordings

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

V2V_HZ = 16_000
MOST_HZ = 48_000
"""Sound of a higher rate may not be as long as the longest turn: it is decoded whole."""
SESSION_HZ = 24_000
UNKNOWN = "(speech)"
"""The text of a reply whose words nobody knows or recognises."""


class HttpVoiceServerSpec(TurnServerSpec, frozen=True, kw_only=True, tag="http_voice"):
    """Voice over plain HTTP, for Bittensor-style validators.

    recognize: find out the words of a reply that comes without text.
    """

    recognize: bool = True

    def __post_init__(self) -> None:
        if not self.fallback.strip():
            raise ValueError("fallback is empty; it is what is said instead of nothing")

    def routes(self, service: Service) -> "Sequence[BaseRoute]":
        """The paths of the three generations."""
        from starlette.routing import Route

        async def health(_request: "Request") -> "Response":
            ready = service.ready and not service.stopping
            loaded = {"model_loaded": ready, "error": None}
            body = {"status": "healthy" if ready else "initializing", "initialization_status": loaded}
            return json_response(body, 200 if ready else 503)

        return [
            *(Route(path, health) for path in ("/api/v1/health", "/health", "/")),
            Route("/api/v1/inference", self._endpoint(service, None), methods=["POST"]),
            Route("/api/v1/v2t", self._endpoint(service, None), methods=["POST"]),
            Route("/api/v1/v2v", self._endpoint(service, V2V_HZ), methods=["POST"]),
        ]

    def _endpoint(self, service: Service, answer_hz: int | None) -> "Callable[[Request], Awaitable[Response]]":
        rules = self.rules()

        async def answer(request: "Request") -> "Response":
            body = await read_body(request, service)
            async with watched(request, service) as check:
                try:
                    asked = await service.in_thread(read_ask, body, float(self.longest_turn))
                except RefusedError as error:
                    return json_response({"detail": str(error)}, error.status)
                async with service.place(), service.session(sample_rate=SESSION_HZ) as session:
                    turn = await take_turn(session, asked.samples, rules, check)
                return pieces_response(await service.in_thread(self._told, turn, answer_hz or asked.sample_rate))

        return answer

    def _told(self, turn: ServedTurn, sample_rate: int) -> list[bytes]:
        samples = recordings.resample(turn.reply, turn.sample_rate, sample_rate)
        text = turn.text.strip() or (_recognised(turn) if self.recognize else "") or UNKNOWN
        sound = Sent(npy_bytes(samples))
        return json_pieces({"text": text, "audio_data": sound.mark, "sample_rate": sample_rate}, sound)


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request's turn: float32 (n,) at the session's rate; sample_rate: what the request said, in Hz."""

    samples: Samples
    sample_rate: int


def read_ask(body: bytes, longest_s: float) -> Asked:
    """Read a request's body. RefusedError: 400, 413 or 422 with a sentence."""
    data = read_object(body, 422)
    missing = [name for name in ("audio_data", "sample_rate") if data.get(name) is None]
    if missing:
        raise RefusedError(422, f"{missing[0]} is missing")
    rate = data["sample_rate"]
    if isinstance(rate, bool) or not isinstance(rate, int | float) or rate not in range(4_000, 192_001):
        raise RefusedError(422, f"sample_rate: expected an integer from 4000 to 192000, found {str(rate)[:40]}")
    try:
        samples = decode_npy(data["audio_data"], longest=int(longest_s * min(rate, MOST_HZ)))
    except NpyError as error:
        raise RefusedError(400, f"audio_data {error}") from None
    return Asked(samples=recordings.resample(samples, int(rate), SESSION_HZ), sample_rate=int(rate))


def _recognised(turn: ServedTurn) -> str:
    """What a reply's sound says; empty where recognition is not installed or hears no words."""
    try:
        return MoonshineSpec().shared().recognize(turn.reply, turn.sample_rate).text.strip()
    except (SimulatorError, ImportError):
        return ""
