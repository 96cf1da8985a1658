"""An agent's side of Twilio Media Streams, without I/O: the client is Twilio, or whoever speaks as it does.

    connected  nothing; start: the stream's name and parameters; media: a frame of 20 ms for every 160 bytes, answered
    with media; dtmf: keys; mark: given back; stop: over. Behind every utterance of the agent's goes a mark.

Nothing is said before start: nobody would know on which stream.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from agents.remote.chunks import Chunks
from agents.remote.foreign_json import inner, told_object
from agents.serve.stream import ClientTold, Frames, Out, Over
from agents.twilio.protocol import CHUNK, MULAW
from simulator.errors import RemoteError
from simulator.events import Event
from simulator.frame import Samples
from simulator.texts import quoted


class MediaStreamWords:
    """One client's stream."""

    rate = MULAW.rate

    def __init__(self) -> None:
        self._stream_sid: str | None = None
        self._chunks = Chunks(CHUNK)

    def receive(self, message: Out) -> list[Frames | ClientTold | Over]:
        """Act on a message. RemoteError, a predicate: no JSON, an unknown event, media before start."""
        told = _read(message)
        event = told.get("event")
        try:
            return self._act(event, told)
        except TypeError as error:
            raise RemoteError(f"sent {quoted(event)}, but {error}") from error

    def _act(self, event: object, told: Mapping[str, Any]) -> list[Frames | ClientTold | Over]:
        if event == "start":
            return [self._start(told)]
        if event in ("connected", "stop"):
            return [Over()] if event == "stop" else []
        if event not in ("media", "dtmf", "mark"):
            raise RemoteError(f"sent {quoted(event)}; known are connected, start, media, dtmf, mark, stop")
        if self._stream_sid is None:
            raise RemoteError(f"sent {event} before start")
        body = inner(told, str(event))
        if event == "media":
            return [Frames(self._chunks.cut(MULAW.decode(body.get("payload"))))]
        if event == "dtmf":
            return [ClientTold("keys_pressed", {"digits": str(body.get("digit", "")), "band": "out"})]
        return [ClientTold("client_message", {"settings": {"mark": str(body.get("name", ""))}})]

    def say(self, samples: Samples) -> list[Out]:
        """A frame the agent says, as media."""
        return [self._message("media", payload=MULAW.encode(samples))]

    def tell(self, events: Iterable[Event], pieces: Iterable[str]) -> list[Out]:
        """A mark behind each utterance that is over."""
        return [self._message("mark", name=event.data["id"]) for event in events if event.type == "speech_end"]

    def _start(self, told: Mapping[str, Any]) -> ClientTold:
        start = inner(told, "start")
        sid = told.get("streamSid") or start.get("streamSid")
        if not isinstance(sid, str) or not sid:
            raise RemoteError("sent a start without a streamSid")
        form = inner(start, "mediaFormat")
        if form and (form.get("encoding"), form.get("sampleRate")) != ("audio/x-mulaw", MULAW.rate):
            raise RemoteError(f"sends {quoted(form.get('encoding'))} at {quoted(form.get('sampleRate'))} Hz; "
                              "audio/x-mulaw at 8000 Hz is spoken here")  # fmt: skip
        self._stream_sid = sid
        return ClientTold("client_message", {"settings": dict(inner(start, "customParameters"))})

    def _message(self, event: str, **body: Any) -> str:
        return msgspec.json.encode({"event": event, "streamSid": self._stream_sid, event: body}).decode()


def _read(message: Out) -> Mapping[str, Any]:
    if isinstance(message, bytes):
        raise RemoteError("sent a binary message; media goes as JSON text")
    return told_object(message, "sent a message that is")
