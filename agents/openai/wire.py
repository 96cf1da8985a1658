"""Connections made by the official openai client, used for raw JSON.

The client opens the WebSocket, its address and its headers; messages go through it as raw JSON, because its
types lag behind what servers send and guess wrongly at what they do not know.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

import anyio
import msgspec

from agents.remote.far_end import dialling_told
from agents.remote.json_wire import LARGEST_MESSAGE, JsonWire, json_wire
from agents.remote.peer_connection import GOODBYE_S

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from openai.types.websocket_connection_options import WebSocketConnectionOptions


class OpenAIAddress(msgspec.Struct, frozen=True, kw_only=True):
    """Where to dial, secrets expanded. model: named in the URL where the protocol wants that."""

    base_url: str
    key: str
    model: str = ""
    connect_s: float = 15.0


@asynccontextmanager
async def dial_realtime(address: OpenAIAddress) -> AsyncIterator[JsonWire]:
    """Open a Realtime connection."""
    async with _dial(
        address,
        lambda client, options: client.realtime.connect(model=address.model, websocket_connection_options=options),
    ) as wire:
        yield wire


@asynccontextmanager
async def dial_live(address: OpenAIAddress) -> AsyncIterator[JsonWire]:
    """Open a Live connection."""
    async with _dial(
        address, lambda client, options: client.live.connect(websocket_connection_options=options)
    ) as wire:
        yield wire


@asynccontextmanager
async def _dial(
    address: OpenAIAddress, connect: "Callable[[AsyncOpenAI, WebSocketConnectionOptions], Any]"
) -> AsyncIterator[JsonWire]:
    # A second of importing: in a thread, so that other sessions on the wall clock keep their time.
    client_type: type[AsyncOpenAI] = (await anyio.to_thread.run_sync(import_module, "openai")).AsyncOpenAI
    # close_timeout is websockets' own: the client hands unknown options through.
    options = {
        "max_size": LARGEST_MESSAGE,
        "compression": None,
        "open_timeout": address.connect_s,
        "close_timeout": GOODBYE_S,
    }
    async with client_type(api_key=address.key, base_url=http_url(address.base_url), max_retries=0) as client:
        with dialling_told(address.base_url):
            connection = await connect(client, cast("WebSocketConnectionOptions", options)).enter()
        async with json_wire(connection, connection.send_raw, connection.recv_bytes) as wire:
            yield wire


def http_url(url: str) -> str:
    """Give the http form of a base URL: the client makes the WebSocket's address from it."""
    scheme, separator, rest = url.partition("://")
    return {"ws": "http", "wss": "https"}.get(scheme.lower(), scheme) + separator + rest
