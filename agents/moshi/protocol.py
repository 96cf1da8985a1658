"""The Moshi protocol, both ends, without I/O: messages and sound in, messages and events out.

One WebSocket, binary messages: the first byte is the kind, the rest its payload. Audio is one Ogg/Opus stream
per direction, 24 kHz mono, in frames of 1920 samples (80 ms). There is no clock in it: a server answers
frames with frames, so both ends count frames and never look at the time.

    kind  0x00 handshake s->c   0x01 audio both ways   0x02 text piece s->c   0x03 control c->s   0x04 metadata s->c
          0x05 error text s->c  0x06 ping              others: ignored

    Client    may do                                     goes on with
    waiting   receive                                    0x00 -> open; 0x04 and unknown kinds are fine before it;
                                                         0x01 or 0x02 before it is a RemoteProtocolError
    open      send, receive, finish                      finish -> finished
    finished  receive                                    complete once the owed frames are in
    failed    nothing                                    a RemoteProtocolError brought it here, or `lost` too early

    Server    may do                                     goes on with
    waiting   greet, receive (kept for later)            greet -> open
    open      receive, say, text                         a broken stream -> failed
    failed    nothing

What differs between servers is in `DIALECTS`: how many frames they owe for N frames sent, how many stay on
their way while both sides wait for each other, and whether a text piece follows the audio it belongs to.
`auto` decides by bytes: a handshake of nine bytes, or metadata, is the Rust server; anything else is served
by the rule that holds for both Python servers (at least N - 1 owed, one in flight).
"""

from typing import Literal

import msgspec
import numpy as np

from simulator.errors import RemoteError
from simulator.frame import Samples, freeze
from simulator.sound.opus import OpusDecoder, OpusEncoder

FRAME = 1920
"""Samples per model frame: 80 ms at 24 kHz."""

HANDSHAKE, AUDIO, TEXT, CONTROL, METADATA, ERROR, PING = range(7)

KINDS = ("handshake", "audio", "text", "control", "metadata", "error", "ping")

MOST_AHEAD = 25
"""A server that sent two seconds more than it was sent keeps a time of its own, or none: its frames have no place."""

LONGEST_TROUBLE = 300
"""Characters of an error text that are quoted when the server then leaves."""

Server = Literal["auto", "moshi", "personaplex", "rust"]


def kind_name(message: bytes) -> str:
    """Give the word for a message's kind, for traces."""
    return KINDS[message[0]] if message and message[0] < len(KINDS) else "unknown"


class LocalProtocolError(Exception):
    """Our own code used a core out of order."""


class RemoteProtocolError(RemoteError):
    """The far end broke the protocol; the message is a predicate (`sent audio before its handshake`)."""


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """How a server counts. first: the first input frame that is answered. in_flight: unanswered in lock-step.

    text_follows: a text piece belongs to the audio frame before it, else to the one after it.
    """

    first: int
    in_flight: int
    text_follows: bool


DIALECTS = {
    "moshi": Dialect(first=1, in_flight=1, text_follows=True),
    "personaplex": Dialect(first=0, in_flight=1, text_follows=False),
    "rust": Dialect(first=2, in_flight=2, text_follows=True),
}


class Ready(msgspec.Struct, frozen=True):
    """The handshake came; dialect: the key of DIALECTS that is counted by from now on."""

    dialect: str


class Sound(msgspec.Struct, frozen=True):
    """Sound came: float32 (n,) at 24 kHz, any n."""

    samples: Samples


class Text(msgspec.Struct, frozen=True):
    """A text piece came. frame: the model's own frame for it, so it belongs at `frame * 80 ms`."""

    text: str
    frame: int


class Metadata(msgspec.Struct, frozen=True):
    """The server told its settings, as JSON text."""

    json: str


class Trouble(msgspec.Struct, frozen=True):
    """The server sent an error text; it may go on."""

    text: str


Event = Ready | Sound | Text | Metadata | Trouble


class MoshiClient:
    """The client's end. `sent` and `received` count frames; `samples_received` what was decoded."""

    def __init__(self, server: Server = "auto") -> None:
        self.state: Literal["waiting", "open", "finished", "failed"] = "waiting"
        self.dialect = DIALECTS["moshi" if server == "auto" else server]
        self.sent = 0
        self.samples_received = 0
        self._server: Server = server
        self._rust = False
        self._trouble = ""
        self._encoder = OpusEncoder()
        self._decoder = OpusDecoder()

    @property
    def received(self) -> int:
        """Whole frames received."""
        return self.samples_received // FRAME

    @property
    def owed(self) -> int:
        """How many frames the server owes at least for those sent."""
        return max(0, self.sent - self.dialect.first)

    @property
    def due(self) -> int:
        """How many frames must be in before the next may be sent in lock-step."""
        return max(0, self.sent - self.dialect.in_flight)

    @property
    def complete(self) -> bool:
        """Whether nothing more will be sent and what is owed is in."""
        return self.state == "finished" and self.received >= self.owed

    def send(self, samples: Samples) -> bytes:
        """Give the message for one frame, float32 (1920,). LocalProtocolError before the handshake."""
        if self.state != "open" or len(samples) != FRAME:
            raise LocalProtocolError(f"cannot send {len(samples)} samples while {self.state}")
        self.sent += 1
        return bytes([AUDIO]) + self._encoder.encode(samples)

    def finish(self) -> None:
        """Say that nothing more will be sent; the protocol has no message for it."""
        if self.state == "open":
            self.state = "finished"

    def receive(self, message: bytes | str) -> list[Event]:
        """Act on a message. RemoteProtocolError when the server broke the protocol; it is over then."""
        if self.state == "failed":
            raise LocalProtocolError("cannot receive after a failure")
        if isinstance(message, str) or not message:
            return []
        try:
            return self._message(message[0], message[1:])
        except RemoteError as error:
            self.state = "failed"
            raise RemoteProtocolError(str(error)) from error

    def lost(self, code: int, reason: str = "") -> None:
        """The connection is closed: RemoteProtocolError, which says what to check, unless everything owed is in."""
        if self.complete or self.state == "failed":
            return
        before, self.state = self.state, "failed"
        raise RemoteProtocolError(self._farewell(code, reason, early=before == "waiting"))

    def _message(self, kind: int, payload: bytes) -> list[Event]:
        if kind == HANDSHAKE:
            return self._handshake(payload)
        if kind == METADATA:
            self._rust = self._rust or self.state == "waiting"
            return [Metadata(payload.decode(errors="replace"))]
        if kind == ERROR:
            self._trouble = " ".join(payload.decode(errors="replace").split())[:LONGEST_TROUBLE]
            return [Trouble(payload.decode(errors="replace"))]
        if kind not in (AUDIO, TEXT):
            return []
        if self.state == "waiting":
            raise RemoteProtocolError(f"sent {'audio' if kind == AUDIO else 'text'} before its handshake (0x00)")
        return self._audio(payload) if kind == AUDIO else [Text(payload.decode(errors="replace"), self._text_frame())]

    def _handshake(self, payload: bytes) -> list[Event]:
        if self.state != "waiting":
            return []
        self.state = "open"
        name: str = self._server
        if name == "auto":
            name = "rust" if self._rust or len(payload) == 8 else "moshi"
        self.dialect = DIALECTS[name]
        return [Ready(name)]

    def _audio(self, payload: bytes) -> list[Event]:
        samples = self._decoder.decode(payload)
        self.samples_received += len(samples)
        if self.received > self.sent + MOST_AHEAD:
            raise RemoteProtocolError(
                f"sent {self.received} frames for {self.sent}: a Moshi server answers every frame of 80 ms with one"
            )
        return [Sound(samples)] if len(samples) else []

    def _text_frame(self) -> int:
        # The next frame to come answers input frame `first + received`; the one before it belongs one earlier.
        return max(0, self.dialect.first + self.received - self.dialect.text_follows)

    def _farewell(self, code: int, reason: str, *, early: bool) -> str:
        said = f" saying {reason!r}" if reason else ""
        said += f"; its last error was: {self._trouble}" if self._trouble else ""
        if early:
            return (
                f"closed the connection before its handshake (code {code}){said}; PersonaPlex does so without a "
                "voice_prompt and a text_prompt that it knows"
            )
        progress = f"after {self.received} of {self.owed} frames owed (code {code}){said}"
        if code == 1006:
            return f"dropped the connection {progress}; its own log says why"
        return (
            f"ended the session {progress}; PersonaPlex does so when its decoder fails, the Rust server after "
            "6 minutes, see its log"
        )


class MoshiServer:
    """The server's end: whole frames for what a client sends, messages for what the actor says."""

    def __init__(self) -> None:
        self.state: Literal["waiting", "open", "failed"] = "waiting"
        self._encoder = OpusEncoder()
        self._decoder = OpusDecoder()
        self._rest: list[Samples] = []
        self._resting = 0

    def greet(self) -> bytes:
        """Give the handshake: the client may send from now on."""
        if self.state != "waiting":
            raise LocalProtocolError(f"cannot greet while {self.state}")
        self.state = "open"
        return bytes([HANDSHAKE])

    def receive(self, message: bytes | str) -> list[Samples]:
        """Act on a message and give the whole frames it completes, float32 (1920,) each.

        Text, empty messages and every other kind are ignored, as Moshi's servers do. RemoteProtocolError for
        audio that is none: the stream cannot be picked up again.
        """
        if self.state == "failed":
            raise LocalProtocolError("cannot receive after a failure")
        if isinstance(message, str) or len(message) < 2 or message[0] != AUDIO:
            return []
        try:
            samples = self._decoder.decode(message[1:])
        except RemoteError as error:
            self.state = "failed"
            raise RemoteProtocolError(str(error)) from error
        return self._frames(samples)

    def say(self, samples: Samples) -> bytes:
        """Give the message for one frame said, float32 (1920,)."""
        return bytes([AUDIO]) + self._encoder.encode(samples)

    def text(self, piece: str) -> bytes:
        """Give the message for a text piece; it follows the audio it belongs to."""
        return bytes([TEXT]) + piece.encode()

    def _frames(self, samples: Samples) -> list[Samples]:
        self._rest.append(samples)
        self._resting += len(samples)
        if self._resting < FRAME:
            return []
        joined = self._rest[0] if len(self._rest) == 1 else freeze(np.concatenate(self._rest))
        whole = len(joined) // FRAME * FRAME
        self._rest, self._resting = [joined[whole:]], len(joined) - whole
        return [joined[start : start + FRAME] for start in range(0, whole, FRAME)]
