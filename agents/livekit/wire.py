"""A LiveKit room by the official SDK: its callbacks become messages, messages become its calls.

joined {identity}, participant {identity, kind, attributes}, attributes {identity, attributes}, left {identity, reason}
track, track_gone {identity, track}                              its sid
audio {identity, track, audio, pts}                              PCM16 in base64, at 48 kHz
text_opened {stream, topic, identity, attributes}, text {stream, text}, text_closed {stream, attributes}
data {identity, topic, data}, dtmf {identity, digit}
"""

import base64
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib import import_module
from typing import Any

import anyio
import anyio.abc
import msgspec

from agents.livekit.protocol import ROOM_LEFT, TRANSCRIPTION
from agents.remote.peer_connection import GOODBYE_S
from agents.remote.peer_core import Message
from agents.webrtc.protocol import RATE_HZ
from simulator.errors import RemoteError, ScenarioError
from simulator.texts import install_of

QUEUE_MS = 200
"""Sound that the SDK holds back at most: the session's pace is kept by the session."""
FRAME_MS = 20
CHAT = "lk.chat"


class RoomAddress(msgspec.Struct, frozen=True, kw_only=True):
    """Where to join, secrets expanded."""

    url: str
    token: str


class RoomWire:
    """A room that was joined; `receive` raises RemoteError with a predicate when it is gone."""

    def __init__(self, sdk: Any, room: Any, tasks: anyio.abc.TaskGroup) -> None:
        self._sdk = sdk
        self._room = room
        self._tasks = tasks
        self._put, self._inbox = anyio.create_memory_object_stream[Message | RemoteError](math.inf)
        self._source = sdk.AudioSource(RATE_HZ, 1, QUEUE_MS)

    async def send(self, message: Message) -> None:
        """Send sound, or a digit."""
        if message["type"] == "audio":
            pcm = base64.b64decode(message["audio"])
            await self._source.capture_frame(self._sdk.AudioFrame(pcm, RATE_HZ, 1, len(pcm) // 2))
        elif message["type"] == "dtmf":
            await self._room.local_participant.publish_dtmf(code=message["code"], digit=message["digit"])

    async def receive(self) -> Message:
        """Wait for the next message. RemoteError: gone."""
        found = await self._inbox.receive()
        if isinstance(found, RemoteError):
            raise found
        return found

    def listen(self) -> None:
        """Have the room tell what happens from now on."""
        told = {
            "participant_connected": self._seen,
            "participant_disconnected": lambda who: self._tell("left", who, reason=_reason(who)),
            "participant_attributes_changed": lambda new, who: self._tell("attributes", who, attributes=dict(new)),
            "track_subscribed": self._track,
            "track_unsubscribed": lambda _, publication, who: self._tell("track_gone", who, track=publication.sid),
            "data_received": self._data,
            "sip_dtmf_received": lambda dtmf: self._tell("dtmf", dtmf.participant, digit=str(dtmf.digit)),
            "disconnected": lambda reason: self.put(RemoteError(f"{ROOM_LEFT}: {_word(reason)}")),
        }
        for event, callback in told.items():
            self._room.on(event, callback)
        for topic in (TRANSCRIPTION, CHAT):
            self._room.register_text_stream_handler(topic, self._text)

    async def publish(self) -> None:
        """Publish one microphone, and tell who is there already."""
        track = self._sdk.LocalAudioTrack.create_audio_track("microphone", self._source)
        options = self._sdk.TrackPublishOptions(source=self._sdk.TrackSource.SOURCE_MICROPHONE)
        await self._room.local_participant.publish_track(track, options)
        self.put({"type": "joined", "identity": self._room.local_participant.identity})
        for who in self._room.remote_participants.values():
            self._seen(who)

    def put(self, message: Message | RemoteError) -> None:
        """Have something come in."""
        with suppress(anyio.ClosedResourceError, anyio.BrokenResourceError):
            self._put.send_nowait(message)

    def close(self) -> None:
        """Let go of what waits."""
        self._put.close()
        self._inbox.close()

    def _tell(self, type_: str, who: Any, **fields: Any) -> None:
        self.put({"type": type_, "identity": getattr(who, "identity", None), **fields})

    def _seen(self, who: Any) -> None:
        agent = who.kind == self._sdk.ParticipantKind.PARTICIPANT_KIND_AGENT
        self._tell("participant", who, kind="agent" if agent else "other", attributes=dict(who.attributes))

    def _track(self, track: Any, publication: Any, who: Any) -> None:
        if track.kind == self._sdk.TrackKind.KIND_AUDIO:
            self._seen(who)  # tracks may come before the room has told of who is there
            self._tell("track", who, track=publication.sid)
            self._tasks.start_soon(self._hear, track, publication.sid, who)

    async def _hear(self, track: Any, sid: str, who: Any) -> None:
        stream = self._sdk.AudioStream.from_track(
            track=track, sample_rate=RATE_HZ, num_channels=1, frame_size_ms=FRAME_MS
        )
        pts = 0
        try:
            async for event in stream:
                data = bytes(event.frame.data)
                self._tell("audio", who, track=sid, audio=base64.b64encode(data).decode("ascii"), pts=pts)
                pts += len(data) // 2
        finally:
            with anyio.CancelScope(shield=True):
                await stream.aclose()

    def _data(self, packet: Any) -> None:
        text = bytes(packet.data).decode("utf-8", "replace")
        self._tell("data", packet.participant, topic=packet.topic, data=text)

    def _text(self, reader: Any, identity: str) -> None:
        self._tasks.start_soon(self._read, reader, identity)

    async def _read(self, reader: Any, identity: str) -> None:
        stream, info = reader.info.stream_id, reader.info
        attributes = dict(info.attributes or {})
        self.put({"type": "text_opened", "stream": stream, "topic": info.topic, "identity": identity,
                  "attributes": attributes})  # fmt: skip
        with suppress(Exception):  # a stream that its sender broke off ends where it ends
            async for text in reader:
                self.put({"type": "text", "stream": stream, "text": text})
        self.put({"type": "text_closed", "stream": stream, "attributes": dict(reader.info.attributes or {})})


@asynccontextmanager
async def dial_room(address: RoomAddress) -> AsyncIterator[RoomWire]:
    """Join a room. RemoteError, a predicate: refused, unreachable."""
    sdk = await need_sdk()
    room = sdk.Room()
    wire = None
    try:
        async with anyio.create_task_group() as tasks:
            wire = RoomWire(sdk, room, tasks)
            wire.listen()
            failed = await _join(sdk, room, address)
            if failed is None:
                await wire.publish()
                yield wire
            tasks.cancel_scope.cancel()
        if failed is not None:
            raise RemoteError(failed)
    finally:
        if wire is not None:
            wire.close()
        with anyio.CancelScope(shield=True), anyio.move_on_after(2 * GOODBYE_S):
            await room.disconnect()


async def need_sdk() -> Any:
    """Import and give LiveKit's SDK, in a thread: it loads a library. ScenarioError with the line that installs it."""
    try:
        return await anyio.to_thread.run_sync(import_module, "livekit.rtc")
    except ImportError:
        raise ScenarioError(f"livekit needs its SDK: {install_of('connect')}") from None


async def _join(sdk: Any, room: Any, address: RoomAddress) -> str | None:
    """Join, and say what went wrong, if anything did."""
    try:
        await room.connect(address.url, address.token, sdk.RoomOptions(auto_subscribe=True))
    except sdk.ConnectError as error:
        # A server may quote the token; cut off in its middle it would not be known for what it is.
        told = " ".join(str(error.message).replace(address.token, "***").split())[:200]
        refused = any(word in told.lower() for word in ("401", "403", "unauthorized", "forbidden", "invalid token"))
        why = "refused the token; are key and secret the server's own?" if refused else "cannot be joined:"
        return f"{why} {told}".strip()
    return None


def _reason(who: Any) -> str:
    return _word(getattr(who, "disconnect_reason", None))


def _word(reason: Any) -> str:
    return "no reason given" if reason is None else f"reason {reason}" if isinstance(reason, int) else str(reason)
