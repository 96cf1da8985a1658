"""A WebRTC connection by aiortc: agreed on over HTTP, sound as Opus at 48 kHz, a data channel beside it.

    {"type": "opened", "call": "pc-1"}                   the connection stands, and the channel is open; comes first
    {"type": "audio", "audio": "<base64>", "pts": 960}   PCM16, 20 ms as decoded, channels averaged; pts in samples
    {"type": <theirs>, "json": {...}}, {"text": "..."}   a message of the channel

aiortc puts packets in order and decodes; one that is lost is missing here, which its pts shows. It gathers no loopback
address, so an agent on this machine is offered one besides.
"""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

import anyio
import msgspec

from agents.remote.peer_connection import GOODBYE_S
from agents.remote.peer_core import Message
from agents.remote.socket_wire import OPENED, told_apart
from agents.webrtc.opus import mouth_of, only_opus, sound_message
from agents.webrtc.protocol import CLOSED
from agents.webrtc.signalling import (
    Agreed,
    OfferAddress,
    candidates_request,
    candidates_taken,
    end_request,
    offer_request,
    read_answer,
    start_request,
    started,
    without_candidates,
)
from simulator.errors import RemoteError, ScenarioError
from simulator.remote.http_exchange import exchange
from simulator.remote.server import host_of
from simulator.texts import install_of

if TYPE_CHECKING:
    from aiortc import MediaStreamTrack, RTCDataChannel, RTCPeerConnection

LOOPBACK = "127.0.0.1"
SHARE = 0.8
"""Of the patience for a connection: what goes wrong below is told before the patience above is over."""


class RtcAddress(msgspec.Struct, frozen=True, kw_only=True):
    """Where to offer. channel: its label; None opens none. stun: servers. trickle: candidates follow by PATCH."""

    offer: OfferAddress
    channel: str | None
    stun: tuple[str, ...] = ()
    trickle: bool = False
    connect_s: float = 15.0


class RtcWire:
    """An open connection; `receive` raises RemoteError with a predicate when it is gone."""

    def __init__(self, connection: "RTCPeerConnection", channel: "RTCDataChannel | None") -> None:
        self._channel = channel
        # aiortc is asyncio's alone, and a queue of asyncio's takes a third of what a stream of anyio's takes.
        self._inbox: asyncio.Queue[Message | RemoteError] = asyncio.Queue()
        self.sound: asyncio.Queue[bytes] = asyncio.Queue()
        self.connected = anyio.Event()
        self.failed = ""
        self._connection = connection
        connection.on("connectionstatechange", self._state_changed)
        if channel is not None:
            channel.on("open", self._state_changed)
            channel.on("message", self._told)
            channel.on("close", self._state_changed)

    async def send(self, message: Message) -> None:
        """Send a message."""
        self.post(message)

    def post(self, message: Message) -> None:
        """Put down sound, or a message for the channel; aiortc's own tasks send it."""
        if message.get("type") == "audio":
            self.sound.put_nowait(base64.b64decode(message["audio"]))
        elif self._channel is not None and self._channel.readyState == "open":
            text = message["text"] if "text" in message else msgspec.json.encode(message["json"]).decode()
            self._channel.send(text)

    async def receive(self) -> Message:
        """Wait for the next message. RemoteError: gone."""
        found = await self._inbox.get()
        if isinstance(found, RemoteError):
            raise found
        return found

    def put(self, message: Message | RemoteError) -> None:
        """Have something come in."""
        self._inbox.put_nowait(message)

    async def listen(self, track: "MediaStreamTrack") -> None:
        """Take sound until there is none any more."""
        from aiortc.mediastreams import MediaStreamError

        with suppress(MediaStreamError):
            while True:
                self.put(sound_message(await track.recv()))

    def _told(self, data: str | bytes) -> None:
        try:
            self.put(told_apart(data))
        except RemoteError as error:
            self.put(error)

    def _state_changed(self) -> None:
        state = self._connection.connectionState
        channel = "open" if self._channel is None else self._channel.readyState
        if state == "failed":
            self.failed = "lost the connection: its candidates are not reached any more (ICE)"
        elif state == "closed" or channel == "closed":
            self.failed = CLOSED
        elif state == "connected" and channel == "open":
            self.connected.set()
        if self.failed:
            self.connected.set()
            self.put(RemoteError(self.failed))


@asynccontextmanager
async def dial_rtc(address: RtcAddress) -> AsyncIterator[RtcWire]:
    """Offer, agree and connect. RemoteError, a predicate: refused, no SDP, no way to what it answered."""
    aiortc = await need_aiortc()
    servers = [aiortc.RTCIceServer(urls=list(address.stun))] if address.stun else []
    connection = aiortc.RTCPeerConnection(aiortc.RTCConfiguration(iceServers=servers))
    wire = None
    agreed: Agreed | None = None
    try:
        channel = connection.createDataChannel(address.channel) if address.channel else None
        wire = RtcWire(connection, channel)
        connection.addTransceiver(mouth_of(aiortc, wire.sound.get), direction="sendrecv")
        only_opus(aiortc, connection)
        agreed = await _agree(aiortc, connection, address)
        track = connection.getTransceivers()[0].receiver.track
        if track is None:
            raise RemoteError("answered with an SDP that sends no sound; it has to be sendrecv")
        await _connected(wire, address.connect_s)
        wire.put({"type": OPENED, **({"call": agreed.call} if agreed.call else {})})
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(wire.listen, track)
            yield wire
            tasks.cancel_scope.cancel()
    finally:
        with anyio.CancelScope(shield=True), anyio.move_on_after(2 * GOODBYE_S):
            await _leave(connection, address, agreed)


async def need_aiortc() -> Any:
    """Import and give aiortc, in a thread: it takes a while. ScenarioError with the line that installs it."""
    try:
        return await anyio.to_thread.run_sync(import_module, "aiortc")
    except ImportError:
        raise ScenarioError(f"webrtc needs aiortc: {install_of('connect')}") from None


def add_loopback(connection: Any) -> None:
    """Have this machine's loopback address among the candidates: aioice leaves it out, and has no option for it."""
    senders = [sender.transport for sender in connection.getSenders()]
    transports = [*senders, *([connection.sctp.transport] if connection.sctp else [])]
    for gatherer in {id(one.transport.iceGatherer): one.transport.iceGatherer for one in transports}.values():
        ice = gatherer._connection
        gather = ice.get_component_candidates

        async def with_loopback(component: int, addresses: list[str], timeout: int = 5, gather: Any = gather) -> Any:
            return await gather(component=component, addresses=[*addresses, LOOPBACK], timeout=timeout)

        ice.get_component_candidates = with_loopback


async def _agree(aiortc: Any, connection: Any, address: RtcAddress) -> Agreed:
    """Offer and take the answer."""
    offer = address.offer
    if host_of(offer.url) in ("localhost", LOOPBACK, "::1"):
        add_loopback(connection)
    await connection.setLocalDescription(await connection.createOffer())
    sdp, url = connection.localDescription.sdp, offer.url
    asked = start_request(offer)
    if asked is not None:
        url = started(offer, await exchange(asked))
    agreed = read_answer(
        offer, url, await exchange(offer_request(offer, url, without_candidates(sdp) if address.trickle else sdp))
    )
    try:
        await connection.setRemoteDescription(aiortc.RTCSessionDescription(sdp=agreed.sdp, type="answer"))
    except Exception as error:  # whatever its parser happens to run into
        told = " ".join(str(error).split())[:200]
        raise RemoteError(f"answered with an SDP that cannot be used: {told}; has it audio, with Opus?") from error
    if address.trickle and agreed.call:
        candidates_taken(await exchange(candidates_request(offer, url, agreed.call, sdp)))
    return agreed


async def _connected(wire: RtcWire, connect_s: float) -> None:
    with anyio.move_on_after(SHARE * connect_s):
        await wire.connected.wait()
    if wire.failed or not wire.connected.is_set():
        raise RemoteError(
            "agreed to a connection that does not come about: none of its candidates is reached (ICE); a firewall for "
            "UDP, or a server that needs `stun`?"
        )


async def _leave(connection: Any, address: RtcAddress, agreed: Agreed | None) -> None:
    await connection.close()
    asked = end_request(address.offer, agreed) if agreed is not None else None
    if asked is not None:
        with suppress(RemoteError):
            await exchange(asked)
