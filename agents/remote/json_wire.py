"""A connection that carries one JSON object per message, whichever client holds it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import msgspec

from agents.remote.far_end import closing_told
from agents.remote.foreign_json import decode_foreign
from agents.remote.peer_connection import GOODBYE_S
from agents.remote.peer_core import Message
from simulator.errors import RemoteError

LARGEST_MESSAGE = 16 * 2**20

Send = Callable[[str], Awaitable[None]]
Receive = Callable[[], Awaitable[bytes]]


class JsonWire:
    """An open connection; both methods raise RemoteError with a predicate when it is gone."""

    def __init__(self, send: Send, receive: Receive) -> None:
        self._send = send
        self._receive = receive

    async def send(self, message: Message) -> None:
        """Send a message."""
        with closing_told():
            await self._send(msgspec.json.encode(message).decode())

    async def receive(self) -> Message:
        """Wait for the next message. RemoteError: gone, or no JSON object."""
        with closing_told():
            data = await self._receive()
        return read_message(data)


@asynccontextmanager
async def json_wire(connection: Any, send: Send, receive: Receive) -> AsyncIterator[JsonWire]:
    """Give an open connection as a wire, and close it when the block is over. send, receive: the connection's own."""
    try:
        yield JsonWire(send, receive)
    finally:
        with anyio.CancelScope(shield=True), anyio.move_on_after(2 * GOODBYE_S):
            await connection.close()


def read_message(data: bytes) -> Message:
    """Read a JSON object; RemoteError when it is none."""
    try:
        message = decode_foreign(data)
    except ValueError as error:
        raise RemoteError(f"sent a message that is no JSON object: {error}") from error
    if not isinstance(message, dict):
        raise RemoteError(f"sent a message that is no JSON object but {type(message).__name__}")
    return message
