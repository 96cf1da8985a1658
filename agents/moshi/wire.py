"""The connection to a Moshi server: dialling, and an inbox that is always read.

No keep-alive pings, at any time: a client that waits behind another one is not read, and a server that
computes answers none, so a ping would end sessions that are well. A server that is gone is found by the stall
timeout.
"""

import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

import anyio
import msgspec

from agents.remote.far_end import refusal, system_told
from agents.remote.tls import tls_of
from simulator.errors import RemoteError

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

INBOX = 256
"""Messages that may wait: in lock-step a server has two on their way."""

BACKLOG = 128
"""Messages: ten seconds of frames that a server left unread."""

LARGEST_MESSAGE = 2**20
TOO_BIG = 1009
GOODBYE_S = 2.0


class Closed(NamedTuple):
    """The connection ended: the close code (1006 without any goodbye) and the reason given."""

    code: int
    reason: str


class MoshiArrival(NamedTuple):
    """What came in, and when, in session samples."""

    message: bytes | Closed
    arrived: int


class MoshiWire:
    """An open connection. now(): session time in samples."""

    def __init__(self, connection: "ClientConnection", now: Callable[[], int]) -> None:
        self._connection = connection
        self._now = now
        self._arrivals, self._inbox = anyio.create_memory_object_stream[MoshiArrival](INBOX)
        self._waiting, self._outbox = anyio.create_memory_object_stream[bytes](BACKLOG)
        self._overflowed = False

    async def send(self, message: bytes) -> None:
        """Send a message now; a connection that is lost shows at the next `receive`."""
        from websockets.exceptions import ConnectionClosed

        with suppress(ConnectionClosed):
            await self._connection.send(message)

    def send_later(self, message: bytes) -> None:
        """Hand a message to the writer; RemoteError when the server has left ten seconds unread."""
        try:
            self._waiting.send_nowait(message)
        except anyio.WouldBlock:
            raise RemoteError(f"takes no audio: {BACKLOG} messages are waiting to be sent") from None

    async def receive(self) -> MoshiArrival:
        """Wait for the next message, or for the end of the connection; RemoteError when too many wait."""
        self._check()
        try:
            return await self._inbox.receive()
        except anyio.EndOfStream:
            return self._closed()

    def receive_nowait(self) -> MoshiArrival | None:
        """Give the next message, None while there is none; RemoteError when too many wait."""
        self._check()
        try:
            return self._inbox.receive_nowait()
        except anyio.WouldBlock:
            return None
        except anyio.EndOfStream:
            return self._closed()

    async def read(self) -> None:
        """Fill the inbox until the connection ends; runs as a task, and may be cancelled and started again."""
        from websockets.exceptions import ConnectionClosed

        if self._overflowed:
            return  # nothing that comes behind a flood is taken in
        try:
            while True:
                message = await self._connection.recv()
                if isinstance(message, bytes):  # text frames mean nothing in this protocol
                    self._arrivals.send_nowait(MoshiArrival(message, self._now()))
        except ConnectionClosed:
            self._arrivals.close()
        except anyio.WouldBlock:
            self._overflowed = True
            self._arrivals.close()

    async def write(self) -> None:
        """Send what was handed to `send_later`; runs as a task."""
        async for message in self._outbox:
            await self.send(message)

    async def close(self) -> None:
        """Say goodbye (1000), for a while, and let go."""
        with anyio.CancelScope(shield=True):
            with anyio.move_on_after(GOODBYE_S):
                await self._connection.close()
            # A far end that goes on sending is not waited for.
            self._connection.transport.abort()
            await self._connection.wait_closed()
        for stream in (self._waiting, self._outbox, self._arrivals, self._inbox):
            stream.close()

    def _check(self) -> None:
        if self._overflowed:
            raise RemoteError(f"sends too fast: {INBOX} messages came before one of them was due")

    def _closed(self) -> MoshiArrival:
        self._check()
        sent = self._connection.protocol.close_sent
        if self._connection.protocol.close_rcvd is None and sent is not None and sent.code == TOO_BIG:
            raise RemoteError(f"sent a message of more than {LARGEST_MESSAGE >> 20} MiB")
        code, reason = self._connection.close_code or 1006, self._connection.close_reason or ""
        return MoshiArrival(Closed(code, reason), self._now())


class MoshiAddress(msgspec.Struct, frozen=True, kw_only=True):
    """Where to dial, secrets in it: never shown. verify: whether a TLS certificate must be trusted."""

    url: str
    token: str | None = None
    verify: bool = True
    connect_s: float = 10.0


async def dial(address: MoshiAddress, now: Callable[[], int]) -> MoshiWire:
    """Open a connection; RemoteError with a predicate (`refused the key (HTTP 401)`) when that fails."""
    from websockets.asyncio.client import connect
    from websockets.exceptions import InvalidHandshake, InvalidStatus, InvalidURI

    headers = {"Authorization": f"Bearer {address.token}"} if address.token else None
    try:
        with anyio.fail_after(address.connect_s):
            connection = await connect(
                address.url, ssl=tls_of(address.url, verify=address.verify), additional_headers=headers,
                compression=None, ping_interval=None,
                open_timeout=None, close_timeout=None, max_size=LARGEST_MESSAGE,
            )  # fmt: skip
            return MoshiWire(connection, now)
    except InvalidStatus as error:
        if error.response.status_code == 404:
            raise RemoteError("has no Moshi protocol at that path (HTTP 404); it is usually /api/chat") from error
        raise RemoteError(refusal(error.response.status_code, bytes(error.response.body or b""))) from error
    except (InvalidHandshake, InvalidURI, EOFError) as error:
        raise RemoteError(f"does not speak WebSocket: {error}") from error
    except TimeoutError as error:
        raise RemoteError(
            f"did not answer within {address.connect_s:g} s: it is not there, or busy with another client"
        ) from error
    except ssl.SSLCertVerificationError as error:
        raise RemoteError(
            f"has a certificate that is not trusted ({error.verify_message}); `verify: false` takes a self-signed one"
        ) from error
    except OSError as error:
        raise RemoteError(f"cannot be reached: {system_told(error)}") from error
