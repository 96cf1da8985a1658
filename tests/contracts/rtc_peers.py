"""The other end of a WebRTC connection: a real one of aiortc in a thread of its own, behind an endpoint for offers."""

import asyncio
import base64
import json
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from aiortc import MediaStreamTrack, RTCDataChannel, RTCPeerConnection, RTCSessionDescription
from aiortc.sdp import candidate_from_sdp
from anyio.from_thread import BlockingPortal, start_blocking_portal

from agents.webrtc.opus import mouth_of, sound_message
from agents.webrtc.wire import add_loopback
from simulator.frame import Samples
from tests.contracts.http_peers import Got, scripted

PACKET = 960


class Asked(NamedTuple):
    """A request of the offering side: its method, path, content type, headers and body."""

    method: str
    path: str
    headers: dict[str, str]
    body: str


class RtcFarEnd:
    """An agent for tests: says what it is given, or back what it hears.

    leaves_after: so many packets. asked: requests in order. told: what came over the channel. heard: PCM16.
    """

    def __init__(
        self, sound: Samples | None, told: Callable[[str], list[str]] = lambda text: [], *, leaves_after: int = 0
    ) -> None:
        self.asked: list[Asked] = []
        self.told: list[str] = []
        self.heard: list[Any] = []
        self.connections: list[RTCPeerConnection] = []
        self._sound = sound
        self._answer = told
        self._leaves_after = leaves_after
        self._leaving: asyncio.Task[None] | None = None

    async def answer(self, sdp: str, greetings: list[str]) -> str:
        """Answer an offer."""
        import aiortc

        connection = RTCPeerConnection()
        self.connections.append(connection)
        box: list[Any] = []

        async def next_sound() -> bytes:
            return await box[0]()

        @connection.on("datachannel")
        def _opened(channel: RTCDataChannel) -> None:
            for greeting in greetings:
                channel.send(greeting)

            @channel.on("message")
            def _told(text: str) -> None:
                self.told.append(text)
                for answer in self._answer(text):
                    channel.send(answer)

        @connection.on("track")
        def _heard(track: MediaStreamTrack) -> None:
            box.append(self._echo(track))

        connection.addTrack(mouth_of(aiortc, next_sound))
        await connection.setRemoteDescription(RTCSessionDescription(sdp=sdp, type="offer"))
        add_loopback(connection)
        await connection.setLocalDescription(await connection.createAnswer())
        return connection.localDescription.sdp

    async def candidates(self, told: list[dict[str, Any]]) -> None:
        """Take candidates that follow the offer."""
        for one in told:
            candidate = candidate_from_sdp(one["candidate"].removeprefix("candidate:"))
            candidate.sdpMid, candidate.sdpMLineIndex = one["sdp_mid"], one["sdp_mline_index"]
            await self.connections[-1].addIceCandidate(candidate)

    async def leave(self) -> None:
        """Close all connections."""
        for connection in self.connections:
            await connection.close()

    def _echo(self, track: MediaStreamTrack) -> Callable[[], Awaitable[bytes]]:
        pcm = [] if self._sound is None else list(np.rint(self._sound * 32_767).astype("<i2").reshape(-1, PACKET))

        async def next_sound() -> bytes:
            message: Any = sound_message(await track.recv())  # its pace is that of what is heard
            data = base64.b64decode(message["audio"])
            self.heard.append(np.frombuffer(data, "<i2"))
            if len(self.heard) == self._leaves_after:
                self._leaving = asyncio.create_task(self.leave())
            if self._sound is None:
                return data
            return (pcm.pop(0) if pcm else np.zeros(PACKET, "<i2")).tobytes()

        return next_sound


@contextmanager
def rtc_far_end(
    far: RtcFarEnd, dialect: str = "plain", greetings: list[str] | None = None
) -> Iterator[tuple[str, BlockingPortal]]:
    """Serve it behind /offer; gives the address, and a portal into its thread."""
    with start_blocking_portal() as portal:

        def script(got: Got) -> None:
            body = got.body.decode()
            far.asked.append(Asked(got.method, got.path, got.headers, body))
            if got.method == "DELETE":
                got.answer(b"")
            elif got.method == "PATCH":
                portal.call(far.candidates, json.loads(body)["candidates"])
                got.answer({"status": "success"})
            elif got.path.endswith("/start"):
                got.answer({"sessionId": "s-1"})
            elif dialect in ("whip", "openai"):
                found = re.search(r"v=0.*?(?=\r\n--|\Z)", body, re.DOTALL)
                assert found is not None
                sdp = portal.call(far.answer, found[0] + "\r\n", greetings or [])
                got.answer(sdp.encode(), 201, Location="/calls/rtc_1")
            else:
                sdp = portal.call(far.answer, json.loads(body)["sdp"], greetings or [])
                got.answer({"sdp": sdp, "type": "answer", "pc_id": "pc-1"})

        try:
            with scripted(script) as (url, _):
                yield url, portal
        finally:
            portal.call(far.leave)
