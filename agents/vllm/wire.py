"""The connection to a duplex server: one JSON object per text frame.

The model is not named in the address: a server that finds it there opens a session with its defaults before it has read
what the session is to be.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from agents.remote.far_end import dialling_told
from agents.remote.json_wire import LARGEST_MESSAGE, JsonWire, json_wire
from agents.remote.peer_connection import GOODBYE_S


class DuplexAddress(msgspec.Struct, frozen=True, kw_only=True):
    """Where to dial, secrets expanded. key: sent as a Bearer header, None sends none."""

    base_url: str
    key: str | None
    connect_s: float = 15.0


@asynccontextmanager
async def dial_duplex(address: DuplexAddress) -> AsyncIterator[JsonWire]:
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
    async with json_wire(connection, connection.send, lambda: connection.recv(decode=False)) as wire:
        yield wire


def realtime_url(base_url: str) -> str:
    """Give the WebSocket's address of a base URL: `http://host:8099/v1` -> `ws://host:8099/v1/realtime`."""
    scheme, separator, rest = base_url.partition("://")
    return {"http": "ws", "https": "wss"}.get(scheme.lower(), scheme) + separator + rest.rstrip("/") + "/realtime"
