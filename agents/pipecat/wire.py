"""The connection to a Pipecat WebSocket: frames become messages that a trace can be read by, and the other way round.

{"type": "audio", "audio": "<base64 of PCM16>", "sample_rate": 24000, "channels": 1}
{"type": "message", "json": {...}}    RTVI
{"type": "text", "text": "..."}, {"type": "transcription", "text": "..."}, {"type": "interruption"}
"""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from agents.pipecat.frames import PipecatFrame, decode_frame, encode_message, encode_pcm
from agents.remote.foreign_json import told_object
from agents.remote.peer_core import Message
from agents.remote.socket_wire import OPENED, SocketAddress, SocketWire, dial_socket
from agents.remote.wire_audio import sound_bytes
from simulator.errors import RemoteError


class PipecatWire:
    """An open connection; both methods raise RemoteError with a predicate when it is gone, or no frames come."""

    def __init__(self, socket: SocketWire) -> None:
        self._socket = socket

    async def send(self, message: Message) -> None:
        """Send a message."""
        await self._socket.send({"binary": base64.b64encode(frame_of(message)).decode("ascii")})

    async def receive(self) -> Message:
        """Wait for the next message."""
        found = await self._socket.receive()
        if found.get("type") == OPENED and "json" not in found:
            return found
        if "binary" not in found:
            raise RemoteError(
                "sent a text message where frames in protobuf are expected; is its serializer the protobuf one? any "
                "other is described with `kind: websocket`"
            )
        return told_of(sound_bytes(found["binary"]))


@asynccontextmanager
async def dial_pipecat(address: SocketAddress) -> AsyncIterator[PipecatWire]:
    """Open a connection. RemoteError, a predicate."""
    async with dial_socket(address) as socket:
        yield PipecatWire(socket)


def told_of(data: bytes) -> Message:
    """Read a frame as a message. RemoteError, a predicate: it is none, or its JSON is none."""
    frame = decode_frame(data)
    if frame.kind == "audio":
        sound = base64.b64encode(frame.audio).decode("ascii")
        return {"type": "audio", "audio": sound, "sample_rate": frame.sample_rate, "channels": frame.channels}
    if frame.kind == "message":
        return {"type": "message", "json": json_of(frame)}
    return {"type": frame.kind, **({"text": frame.text} if frame.kind != "interruption" else {})}


def json_of(frame: PipecatFrame) -> Message:
    """Read the JSON of a message's frame. RemoteError: it is no object."""
    return told_object(frame.text, "sent a message that is")


def frame_of(message: Message) -> bytes:
    """Write a message, audio or of RTVI, as a frame."""
    if message["type"] == "audio":
        return encode_pcm(base64.b64decode(message["audio"]), message["sample_rate"])
    return encode_message(message["json"])
