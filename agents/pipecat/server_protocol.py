"""A bot's side of a Pipecat WebSocket, without I/O: the client is one of Pipecat's, or whoever speaks as it does.

    audio: frames of 20 ms, each answered with audio; message: client-ready is answered with bot-ready, from then on
    RTVI tells of speech and words; dtmf: keys; send-text: told; disconnect-bot: over; the other kinds: passed over

Speech of the agent's that is cut is an interruption for the client: it drops what it was sent and has not played.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from agents.pipecat.frames import PipecatFrame, decode_frame, encode_audio, encode_interruption, encode_message
from agents.pipecat.rtvi import LABEL, MAJORS, VERSION, rtvi
from agents.pipecat.wire import json_of
from agents.remote.chunks import Chunks
from agents.remote.foreign_json import inner
from agents.serve.stream import AtOnce, ClientTold, Frames, Out, Over
from simulator.errors import RemoteError
from simulator.events import Event
from simulator.frame import Samples, freeze
from simulator.texts import quoted

Found = Frames | ClientTold | Over | AtOnce
ABOUT = {"library": "duplex-simulator"}
LOWEST_HZ, HIGHEST_HZ = 8_000, 48_000


class PipecatWords:
    """One client's connection. rate: Hz of the session and of what is sent; what comes at another one is converted."""

    def __init__(self, rate: int, frame_ms: float) -> None:
        self.rate = rate
        self._chunks = Chunks(round(rate * frame_ms / 1000))
        self._client_rate = 0
        self._stream: Any = None
        self._version = ""
        """RTVI's, as the client speaks it; empty before client-ready."""
        self._count = 0

    def receive(self, message: Out) -> list[Found]:
        """Act on a message. RemoteError, a predicate: no frame, sound of no rate, another version of RTVI."""
        if isinstance(message, str):
            raise RemoteError("sent a text message; frames are in protobuf")
        frame = decode_frame(message)
        if frame.kind == "audio":
            return [Frames(self._chunks.cut(self._at_our_rate(frame)))]
        return self._told(json_of(frame)) if frame.kind == "message" else []

    def say(self, samples: Samples) -> list[Out]:
        """A frame the agent says, as audio."""
        return [encode_audio(samples, self.rate)]

    def tell(self, events: Iterable[Event], pieces: Iterable[str]) -> list[Out]:
        """Whether the agent speaks, what it says, and that it was cut."""
        told: list[Out] = []
        for event in events:
            if event.type == "speech_start":
                told += self._rtvi("bot-started-speaking")
                told += self._rtvi("bot-transcription", {"text": event.data["text"]}) if event.data.get("text") else []
            elif event.type == "speech_end":
                told += [encode_interruption(), *self._rtvi("bot-interrupted")] if event.data.get("cut") else []
                told += self._rtvi("bot-stopped-speaking")
        return told + [out for piece in pieces for out in self._rtvi("bot-tts-text", {"text": piece.strip()})]

    def _told(self, message: Mapping[str, Any]) -> list[Found]:
        if message.get("label") != LABEL:
            return []
        data = inner(message, "data")
        match message.get("type"):
            case "client-ready":
                return self._client_ready(str(message.get("id", "")), data)
            case "dtmf":
                buttons = data.get("buttons")
                digits = "".join(map(str, buttons)) if isinstance(buttons, list) else ""
                return [ClientTold("keys_pressed", {"digits": digits, "band": "out"})] if digits else []
            case "send-text":
                return [ClientTold("client_message", {"text": str(data.get("content", ""))})]
            case "disconnect-bot":
                return [Over()]
            case "client-message":
                return [ClientTold("client_message", {"settings": dict(data)})]
        refused = rtvi(
            "error-response", str(message.get("id", "")), {"error": f"Unsupported type {message.get('type')}"}
        )
        return [AtOnce([encode_message(refused)])]

    def _client_ready(self, id_: str, data: Mapping[str, Any]) -> list[Found]:
        version = str(data.get("version") or "")
        major = version.partition(".")[0]
        answers: list[Out] = []
        if major not in MAJORS:
            error = f"RTVI {quoted(version)} is not spoken here; versions {' and '.join(MAJORS)} are"
            answers.append(encode_message(rtvi("error-response", id_, {"error": error})))
        self._version = version if major in MAJORS else VERSION
        answers.append(encode_message(rtvi("bot-ready", id_, {"version": self._version, "about": ABOUT})))
        return [ClientTold("client_message", {"settings": {"about": data.get("about"), "version": version}}),
                AtOnce(answers)]  # fmt: skip

    def _rtvi(self, type_: str, data: Mapping[str, Any] | None = None) -> list[Out]:
        if not self._version:
            return []
        self._count += 1
        return [encode_message(rtvi(type_, f"bot-{self._count}", data))]

    def _at_our_rate(self, frame: PipecatFrame) -> Samples:
        samples, rate = frame.samples(), frame.sample_rate
        if not LOWEST_HZ <= rate <= HIGHEST_HZ:
            raise RemoteError(f"sent sound at {rate} Hz; {LOWEST_HZ} to {HIGHEST_HZ} Hz are taken")
        if rate == self.rate:
            return samples
        if rate != self._client_rate:
            import soxr

            self._client_rate, self._stream = rate, soxr.ResampleStream(rate, self.rate, 1, quality="HQ")
        return freeze(np.asarray(self._stream.resample_chunk(samples), np.float32))
