"""The network's side of Twilio Media Streams (`<Connect><Stream>`), without I/O: we are Twilio.

    state    what happens                     what is done                                                 next
    dialled  `opened`                         connected, start                                             open
    open     20 ms are heard                  media: 160 bytes of mu-law, its chunk and timestamp          open
             media                            its sound waits to be heard, in order                        open
             mark                             given back when all media before it was heard                open
             clear                            what waits is dropped at the sample heard, marks come back   open
             keys pressed by the caller       dtmf, one message a digit                                    open
             the socket is closed by it       what waits is heard, then the call is over                   leaving
    open     the session is over              stop                                                         closed

sequenceNumber, chunk and timestamp are texts; one sequence over all messages behind connected. A message of the agent's
must name the stream, whose name it learns from start: one that talks earlier has no name to give.

Source: Twilio's "Media Streams - WebSocket Messages".
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from agents.remote.chunks import Chunks
from agents.remote.far_end import left_politely
from agents.remote.foreign_json import inner
from agents.remote.peer_core import Message
from agents.remote.socket_wire import OPENED
from agents.remote.stream_core import StreamCore
from agents.remote.wire_audio import wire_format
from simulator.errors import RemoteError
from simulator.frame import Samples
from simulator.texts import quoted

MULAW = wire_format("mulaw")
CHUNK_MS = 20
CHUNK = MULAW.rate * CHUNK_MS // 1000
"""Samples, and bytes, of a media message."""
MEDIA_FORMAT = {"encoding": "audio/x-mulaw", "sampleRate": MULAW.rate, "channels": 1}


class StreamSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the core needs to know. billed_as: None tells no usage."""

    jitter_s: float = 0.0
    billed_as: str | None = None


class MediaStreamCore(StreamCore):
    """One call's stream. The names of stream, call and account, and the parameters, come with `opened`."""

    protocol = "twilio"

    def __init__(self, settings: StreamSettings) -> None:
        super().__init__(
            MULAW.rate, MULAW.rate,
            form="mulaw at 8000 Hz", jitter_s=settings.jitter_s, billed_as=settings.billed_as,
        )  # fmt: skip
        self.ready = False
        self.call: Mapping[str, Any] = {}
        self._chunks = Chunks(CHUNK)
        self._sequence = 0
        self._chunk = 0

    def receive(self, message: Message, at: int) -> None:
        """Act on a message. RemoteError: it is none of Twilio's, or names another stream."""
        if message.get("type") == OPENED and "json" not in message:
            self._start(message["call"], at)
            return
        if "json" not in message:
            raise RemoteError("sent a message that is no JSON object; Twilio takes media, mark and clear as JSON text")
        told = message["json"]
        handler = _HANDLERS.get(str(told.get("event")))
        if handler is None:
            sentence = f"it sent {quoted(told.get('event'))}; Twilio knows media, mark and clear"
            self.actions.note(at, "remote_error", code="31951", message=sentence)
            return
        named = told.get("streamSid")
        if named != self.call["streamSid"]:
            raise RemoteError(
                f"sent {told['event']} for the stream {quoted(named)}, which is not this call's; it speaks before it "
                "has read `start`, or forgets the streamSid that stands in it"
            )
        handler(self, told, at)

    def lost(self, reason: str, at: int) -> None:
        """The socket is closed: the agent has hung up. RemoteError: broken, or closed before it said anything."""
        if not (self.ready and self.queue.received and left_politely(reason)):
            raise RemoteError(reason)
        self.leave(reason, at)

    def hear(self, samples: Samples, at: int) -> None:
        """Send what is heard in messages of 20 ms, and give marks back whose sound was heard."""
        for name in self.queue.passed():
            self.send("mark", mark={"name": name})
        for piece in self._chunks.cut(samples):
            place = {"chunk": str(self._chunk + 1), "timestamp": str(self._chunk * CHUNK_MS)}
            self._chunk += 1
            self.send("media", heard=True, media={"track": "inbound", **place, "payload": MULAW.encode(piece)})
        self.usage.heard(len(samples), len(samples), at)

    def close(self, at: int) -> None:
        """The call is over: account for what is being said, tell the agent."""
        self.account(at, "; it has to send `media` with the streamSid of `start`")
        if self.ready:
            self.send("stop", stop={name: self.call[name] for name in ("accountSid", "callSid")})

    def press(self, digits: str, at: int) -> None:
        """Tell the agent of keys that the caller pressed."""
        for digit in digits:
            self.send("dtmf", dtmf={"track": "inbound_track", "digit": digit})

    def send(self, event: str, *, heard: bool = False, **fields: Any) -> None:
        """Send a message in the stream's sequence, unless nobody is there."""
        if not self.leaving:
            self._sequence += 1
            place = {"sequenceNumber": str(self._sequence), "streamSid": self.call["streamSid"]}
            self.actions.send({"type": event, "json": {"event": event, **place, **fields}}, heard=heard)

    def _start(self, call: Mapping[str, Any], at: int) -> None:
        self.call = call
        connected = {"event": "connected", "protocol": "Call", "version": "1.0.0"}
        self.actions.send({"type": "connected", "json": connected})
        told = {name: call[name] for name in ("streamSid", "accountSid", "callSid")}
        parameters = dict(call["customParameters"])
        self.send("start", start={**told, "tracks": ["inbound"], "customParameters": parameters,
                                  "mediaFormat": MEDIA_FORMAT})  # fmt: skip
        self.ready = True
        self.actions.note(at, "remote_ready", server="twilio")


def _media(core: MediaStreamCore, message: Mapping[str, Any], at: int) -> None:
    core.came(MULAW.decode(inner(message, "media").get("payload")), at)


def _mark(core: MediaStreamCore, message: Mapping[str, Any], _at: int) -> None:
    core.queue.mark(str(inner(message, "mark").get("name", "")))


def _clear(core: MediaStreamCore, _message: Mapping[str, Any], at: int) -> None:
    passed = core.queue.passed()
    for name in [*passed, *core.queue.clear(at).marks]:
        core.send("mark", mark={"name": name})


_HANDLERS: Mapping[str, Callable[[MediaStreamCore, Mapping[str, Any], int], None]] = {
    "media": _media,
    "mark": _mark,
    "clear": _clear,
}
