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

from agents.remote.far_end import closing_told, dialling_told
from agents.remote.foreign_json import decode_foreign
from agents.remote.peer_connection import GOODBYE_S
from agents.remote.peer_core import Message
from simulator.errors import RemoteError

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from openai.types.websocket_connection_options import WebSocketConnectionOptions

LARGEST_MESSAGE = 16 * 2**20


class OpenAIAddress(msgspec.Struct, frozen=True, kw_only=True):
    """Where to dial, secrets expanded. model: named in the URL where the protocol wants that."""

    base_url: str
    key: str
    model: str = ""
    connect_s: float = 15.0


class OpenAIWire:
    """A connection of the openai client, used for raw JSON."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def send(self, message: Message) -> None:
        """Send a message."""
        with closing_told():
            await self._connection.send_raw(msgspec.json.encode(message).decode())

    async def receive(self) -> Message:
        """Wait for the next message."""
        with closing_told():
            data = await self._connection.recv_bytes()
        return read_message(data)


def read_message(data: bytes) -> Message:
    """Read a JSON object; RemoteError when it is none."""
    try:
        message = decode_foreign(data)
    except ValueError as error:
        raise RemoteError(f"sent a message that is no JSON object: {error}") from error
    if not isinstance(message, dict):
        raise RemoteError(f"sent a message that is no JSON object but {type(message).__name__}")
    return message


@asynccontextmanager
async def dial_realtime(address: OpenAIAddress) -> AsyncIterator[OpenAIWire]:
    """Open a Realtime connection."""
    async with _dial(
        address,
        lambda client, options: client.realtime.connect(model=address.model, websocket_connection_options=options),
    ) as wire:
        yield wire


@asynccontextmanager
async def dial_live(address: OpenAIAddress) -> AsyncIterator[OpenAIWire]:
    """Open a Live connection."""
    async with _dial(
        address, lambda client, options: client.live.connect(websocket_connection_options=options)
    ) as wire:
        yield wire


@asynccontextmanager
async def _dial(
    address: OpenAIAddress, connect: "Callable[[AsyncOpenAI, WebSocketConnectionOptions], Any]"
) -> AsyncIterator[OpenAIWire]:
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
        try:
            yield OpenAIWire(connection)
        finally:
            with anyio.CancelScope(shield=True), anyio.move_on_after(2 * GOODBYE_S):
                await connection.close()


def http_url(url: str) -> str:
    """Give the http form of a base URL: the client makes the WebSocket's address from it."""
    scheme, separator, rest = url.partition("://")
    return {"ws": "http", "wss": "https"}.get(scheme.lower(), scheme) + separator + rest
