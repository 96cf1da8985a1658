"""A page's line: one WebSocket of a human's page, its sound and its messages, both ways.

The page speaks first: {"type": "hello", "rate", "codec", "block_ms", "microphone_ms", "loudspeaker_ms"}. Then sound in
binary messages, and: ready, hang_up, press {key}, echo_test, looped {on}, ping {sent}, playback {playback_ms, ...},
and when it is over: rival {number}.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import anyio
import msgspec

from simulator.errors import RemoteError
from simulator.frame import AudioFrame
from simulator.live.browser import wire
from simulator.live.browser.page_messages import (
    AskRival,
    EchoTest,
    HangUp,
    Hello,
    Looped,
    PageReady,
    Ping,
    Playback,
    Press,
    decode,
    sane,
)
from simulator.live.browser.uplink import Uplink, uplink_for
from simulator.live.handset import Handset
from simulator.live.lobby import Lobby
from simulator.live.room import Message, Room
from simulator.live.together import together

if TYPE_CHECKING:
    from starlette.websockets import WebSocket

HELLO_S = 20.0
WAITING = 512
"""Messages that may wait for a slow page: five seconds of sound. More, and the page is let go."""

LOOP_S = 3.0


class PageLine:
    """Serves one page until it leaves, is told to, or breaks a rule (RemoteError)."""

    def __init__(self, socket: "WebSocket", room: Room, handset: Handset) -> None:
        self._socket = socket
        self._room = room
        self._handset = handset
        self._lobby = Lobby(handset)
        self._out, self._queued = anyio.create_memory_object_stream[bytes | str](WAITING)
        self._looped = anyio.Event()
        self._testing = False
        self._scope = anyio.CancelScope()

    async def serve(self) -> None:
        """Live through the connection."""
        with self._out, self._queued:
            await self._attach(await self._hello())

    async def _attach(self, hello: Hello) -> None:
        """Hold the handset until the page goes."""
        uplink = uplink_for(hello)
        self._handset.attach(uplink.rate, self._play)
        self._player = player(hello.rate, self._handset.sample_rate, self._send)
        parts = self._handset.parts
        parts.block, parts.microphone = sane(hello.block_ms), sane(hello.microphone_ms)
        parts.loudspeaker = sane(hello.loudspeaker_ms)
        forget = self._room.listen(self._tell)
        try:
            async with together() as tasks:
                with self._scope:
                    tasks.start_soon(self._write)
                    if not self._handset.talking:
                        tasks.start_soon(self._lobby.run)
                        tasks.start_soon(self._try_line)
                    await self._read(uplink, tasks)
                tasks.cancel_scope.cancel()
        finally:
            forget()
            self._handset.detach()

    async def _hello(self) -> Hello:
        with anyio.move_on_after(HELLO_S):
            received = await self._socket.receive()
            message = decode(received.get("text") or "")
            if isinstance(message, Hello):
                return message
        raise RemoteError("the page did not say hello first")

    async def _read(self, uplink: Uplink, tasks: anyio.abc.TaskGroup) -> None:
        while True:
            received = await self._socket.receive()
            if received["type"] == "websocket.disconnect":
                return
            if received.get("bytes") is not None:
                self._handset.feed(*uplink.read(received["bytes"]))
            else:
                self._take(decode(received.get("text") or ""), tasks)

    def _take(self, message: Any, tasks: anyio.abc.TaskGroup) -> None:
        match message:
            case PageReady():
                self._room.ready(self._handset.party)
            case HangUp():
                self._handset.hang_up()
            case Press(key=key):
                self._room.press(key)
            case AskRival(number=number):
                self._room.ask_rival(number)
            case Looped():
                self._looped.set()
            case Ping(sent=sent):
                self._tell({"type": "pong", "sent": sent})
            case Playback():
                self._note_playback(message)
            case EchoTest() if not (self._handset.talking or self._testing):
                self._testing = True
                tasks.start_soon(self._echo_test)

    def _note_playback(self, message: Playback) -> None:
        parts = self._handset.parts
        parts.playback, parts.loudspeaker = sane(message.playback_ms), sane(message.loudspeaker_ms)
        parts.network = sane(message.network_ms)
        for what, size_ms in (("underrun", message.dropouts_ms), ("late", message.skipped_ms)):
            if size_ms > 0 and self._handset.talking:
                size = round(sane(size_ms) * self._handset.sample_rate / 1000)
                self._handset.tell(f"playback_{what}", size=size)
        self._room.tell_delay()

    async def _try_line(self) -> None:
        """Measure the way through both buffers with the page's ends joined; tell the page."""
        try:
            await self._loop(on=True)
            parts = self._handset.parts
            await self._lobby.click_test(parts.microphone + parts.loudspeaker)
            await self._loop(on=False)
        except RemoteError:
            return  # the page went, or began to talk at once
        self._room.tell_delay()
        self._tell({"type": "tried", "measured": self._handset.measured_ms})

    async def _loop(self, *, on: bool) -> None:
        self._looped = anyio.Event()
        self._tell({"type": "loop", "on": on})
        with anyio.move_on_after(LOOP_S):
            await self._looped.wait()

    async def _echo_test(self) -> None:
        try:
            leak = await self._lobby.echo_test()
        except RemoteError:
            return
        finally:
            self._testing = False
        self._tell({"type": "echo", "verdict": leak.verdict(), "level_db": leak.level_db, "delay_ms": leak.delay_ms})

    def _play(self, frame: AudioFrame) -> None:
        self._player(frame)

    def _tell(self, message: Message) -> None:
        self._send(msgspec.json.encode(message).decode())

    def _send(self, message: bytes | str) -> None:
        try:
            self._out.send_nowait(message)
        except (anyio.WouldBlock, anyio.ClosedResourceError, anyio.BrokenResourceError):
            self._scope.cancel()  # a page that takes nothing for seconds is as good as gone

    async def _write(self) -> None:
        from starlette.websockets import WebSocketDisconnect

        try:
            async for message in self._queued:
                if isinstance(message, bytes):
                    await self._socket.send_bytes(message)
                else:
                    await self._socket.send_text(message)
        except (WebSocketDisconnect, RuntimeError, OSError):
            self._scope.cancel()


def player(rate: int, session_rate: int, send: Callable[[bytes], None]) -> Callable[[AudioFrame], None]:
    """Give what plays session frames on a page: resampled to its native rate, in messages."""
    import soxr

    stream = soxr.ResampleStream(session_rate, rate, 1, dtype="float32", quality="HQ")
    sent = 0

    def play(frame: AudioFrame) -> None:
        nonlocal sent
        samples = stream.resample_chunk(frame.samples)
        if len(samples):
            send(wire.pack(sent, samples))
            sent += len(samples)

    return play
