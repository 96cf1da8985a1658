"""The connection to a duplex server: one JSON object per text frame.

The model is not named in the address: a server that finds it there opens a session with its defaults before it has read
what the session is to be.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import msgspec

from agents.openai.wire import LARGEST_MESSAGE, read_message
from agents.remote.far_end import closing_told, dialling_told
from agents.remote.peer_connection import GOODBYE_S
from agents.remote.peer_core import Message


class DuplexAddress(msgspec.Struct, frozen=True, kw_only=True):
    """Where to dial, secrets expanded. key: sent as a Bearer header, None sends none."""

    base_url: str
    key: str | None
    connect_s: float = 15.0


class DuplexWire:
    """An open connection; both methods raise RemoteError with a predicate when it is gone."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def send(self, message: Message) -> None:
        """Send a message."""
        with closing_told():
            await self._connection.send(msgspec.json.encode(message).decode())

    async def receive(self) -> Message:
        """Wait for the next message. RemoteError: gone, or no JSON object."""
        with closing_told():
            data = await self._connection.recv(decode=False)
        return read_message(data)


@asynccontextmanager
async def dial_duplex(address: DuplexAddress) -> AsyncIterator[DuplexWire]:
    """Open a connection. RemoteError, a predicate: refused, unreachable."""
    from websockets.asyncio.client import connect

    headers = {"Authorization": f"Bearer {address.key}"} if address.key else {}
    with dialling_told(address.base_url):
        connection = await connect(
            realtime_url(address.base_url),
            additional_headers=headers,
            max_size=LARGEST_MESSAGE,
            compression=None,
            open_timeout=address.connect_s,
            close_timeout=GOODBYE_S,
            proxy=None,
        )
    try:
        yield DuplexWire(connection)
    finally:
        with anyio.CancelScope(shield=True), anyio.move_on_after(2 * GOODBYE_S):
            await connection.close()


def realtime_url(base_url: str) -> str:
    """Give the WebSocket's address of a base URL: `http://host:8099/v1` -> `ws://host:8099/v1/realtime`."""
    scheme, separator, rest = base_url.partition("://")
    return {"http": "ws", "https": "wss"}.get(scheme.lower(), scheme) + separator + rest.rstrip("/") + "/realtime"
