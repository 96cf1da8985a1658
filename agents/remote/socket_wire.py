"""The connection to anybody's WebSocket: what comes is told apart as `json`, `text` or `binary`, and the opening told.

    {"type": "opened", "subprotocol": "voice.v1"}   the connection stands; the first message of every connection
    {"type": <theirs>, "json": {...}}               a text message that is a JSON object
    {"text": "..."}, {"binary": "<base64>"}         any other

Messages to send have the same three forms. `${NAME}` in what is marked `secret` is expanded when it is sent.
"""

import base64
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import anyio
import msgspec

from agents.remote.far_end import closing_told, dialling_told
from agents.remote.foreign_json import decode_foreign
from agents.remote.json_wire import LARGEST_MESSAGE
from agents.remote.peer_connection import GOODBYE_S
from agents.remote.peer_core import Message
from agents.remote.tls import tls_of, tls_told
from simulator.errors import RemoteError

OPENED = "opened"


class SocketAddress(msgspec.Struct, frozen=True, kw_only=True):
    """Where to dial, secrets expanded. ping_s: between keep-alive pings; None: none.

    expand: fills `${NAME}` in, in a whole message.
    """

    url: str
    headers: Mapping[str, str] = {}
    subprotocol: str | None = None
    verify: bool = True
    ping_s: float | None = None
    connect_s: float = 10.0
    expand: Callable[[Any], Any] = dict
    opened: Mapping[str, Any] = {}


class SocketWire:
    """An open connection; both methods raise RemoteError with a predicate when it is gone."""

    def __init__(self, connection: Any, address: SocketAddress) -> None:
        self._connection = connection
        self._expand = address.expand
        told = {"subprotocol": connection.subprotocol} if address.subprotocol else {}
        self._opened: Message | None = {"type": OPENED, **told, **address.opened}

    async def send(self, message: Message) -> None:
        """Send a message."""
        with closing_told():
            if "binary" in message:
                await self._connection.send(base64.b64decode(message["binary"]))
            else:
                body = message["text"] if "text" in message else message["json"]
                body = self._expand(body) if message.get("secret") else body
                await self._connection.send(body if "text" in message else msgspec.json.encode(body).decode())

    async def receive(self) -> Message:
        """Wait for the next message. RemoteError: gone."""
        if self._opened is not None:
            opened, self._opened = self._opened, None
            return opened
        with closing_told():
            data = await self._connection.recv()
        return told_apart(data)


def told_apart(data: str | bytes) -> Message:
    """Tell what a message is: JSON object, other text, or bytes. RemoteError: JSON that nobody should read."""
    if isinstance(data, bytes):
        return {"binary": base64.b64encode(data).decode("ascii")}
    if not data.lstrip().startswith("{"):
        return {"text": data}
    try:
        message = decode_foreign(data)
    except ValueError as error:
        raise RemoteError(f"sent a message that is no JSON object: {error}") from error
    return {"type": str(message.get("type") or message.get("event") or "json"), "json": message}


@asynccontextmanager
async def dial_socket(address: SocketAddress) -> AsyncIterator[SocketWire]:
    """Open a connection. RemoteError, a predicate: refused, unreachable, another sub-protocol, no TLS."""
    from websockets.asyncio.client import connect

    with dialling_told(shown_host(address.url)), tls_told(address.url):
        connection = await connect(
            address.url,
            additional_headers=dict(address.headers),
            subprotocols=[address.subprotocol] if address.subprotocol else None,  # type: ignore[list-item] # a NewType
            ssl=tls_of(address.url, verify=address.verify),
            max_size=LARGEST_MESSAGE,
            compression=None,
            open_timeout=address.connect_s,
            close_timeout=GOODBYE_S,
            ping_interval=address.ping_s,
            proxy=None,
        )
    try:
        if address.subprotocol and connection.subprotocol is None:
            raise RemoteError(f"does not speak the sub-protocol {address.subprotocol!r}")
        yield SocketWire(connection, address)
    finally:
        with anyio.CancelScope(shield=True), anyio.move_on_after(2 * GOODBYE_S):
            await connection.close()


def shown_host(url: str) -> str:
    """Give the host and port of an address: its path and query may hold keys."""
    return url.partition("://")[2].partition("/")[0].partition("?")[0].rpartition("@")[2]
