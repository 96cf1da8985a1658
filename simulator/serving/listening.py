"""The web server itself: uvicorn as the door wants it, on a socket of our own.

No compression, no keep-alive pings, no log of requests (a token may stand in their query), no signal
handlers. A connection whose request head does not come within `patience_s` is closed: half-open sockets cost
a file descriptor each, and uvicorn alone would keep them for ever.
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from simulator.errors import ScenarioError
from simulator.serving.guard import is_loopback

if TYPE_CHECKING:
    import uvicorn

GOODBYE_S = 5.0
SILENT_S = 0.3
READ_AT_ONCE = 2**13
"""Bytes that a WebSocket takes in a round of the loop. asyncio's own 256 KiB may be 32,000 messages: a quarter of a
second in which nobody else is answered."""


class DoorSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Where to listen and whom to let in.

    port 0: any free one. cert, key: PEM files for TLS. patience_s: how long the head of a request, or the
    next piece of its body, may take. grace_s: how long those inside may take to leave.
    """

    host: str = "127.0.0.1"
    port: int = 0
    token: str | None = None
    open: bool = False
    cert: Path | None = None
    key: Path | None = None
    body_bytes: int = 64 * 2**20
    patience_s: float = 20.0
    grace_s: float = 5.0

    def check(self) -> list[str]:
        """Refuse what is not safe (ScenarioError); give the warnings to print."""
        if not 0 <= self.port <= 65535:
            raise ScenarioError(f"--port is {self.port}; allowed are 0 (any free one) to 65535")
        if self.token is not None and self.open:
            raise ScenarioError("--token and --open exclude each other")
        if self.token is not None and not self.token.strip():
            raise ScenarioError("--token is empty")
        if (self.cert is None) != (self.key is None):
            raise ScenarioError("--cert and --key go together")
        for file in (self.cert, self.key):
            if file is not None and not file.is_file():
                raise ScenarioError(f"{file} does not exist")
        return [] if is_loopback(self.host) else self._outside()

    def _outside(self) -> list[str]:
        if self.token is None and not self.open:
            raise ScenarioError(f"--host {self.host} can be reached by others; give a --token, or --open for anybody")
        warnings = [] if self.token else [f"anybody who reaches {self.host} can use this server (--open)"]
        if self.cert is None:
            warnings.append("without --cert and --key everything, the token included, goes over the network readable")
        return warnings


LOCAL = DoorSpec()
"""Loopback, any free port, no token."""


def web_server(app: Any, spec: DoorSpec, message_bytes: int = 2**20) -> "uvicorn.Server":
    """Make the server for an ASGI app; it stops when its `should_exit` is set."""
    import uvicorn

    class Server(uvicorn.Server):
        """uvicorn without its signal handlers: who stops it is decided here."""

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

    config = uvicorn.Config(
        app, lifespan="off", http=_impatient_protocol(spec.patience_s), ws=_resolute_protocol(),
        ws_max_size=message_bytes, ws_per_message_deflate=False, ws_ping_interval=None, ws_ping_timeout=None,
        log_config=None,
        log_level="critical", access_log=False, server_header=False, timeout_graceful_shutdown=1,
        ssl_certfile=spec.cert, ssl_keyfile=spec.key,
    )  # fmt: skip
    return Server(config)


def _resolute_protocol() -> Any:
    from uvicorn.protocols.utils import ClientDisconnected
    from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

    class ResoluteProtocol(WebSocketsSansIOProtocol):
        """A WebSocket that is really over some seconds after its close frame, whether the client reads or not.

        Who sends what is not allowed (too much, no UTF-8) is told why, and heard out until it falls silent: closed at
        once, its machine would throw our close frame away with all that it could not send.
        """

        broken: Any = None

        def connection_made(self, transport: Any) -> None:
            """Begin; on asyncio's own transport, whose size it is, with small reads."""
            if hasattr(transport, "max_size"):
                transport.max_size = READ_AT_ONCE
            super().connection_made(transport)

        async def send(self, message: Any) -> None:
            """Send a message; with a close frame, start to wait for the end. ClientDisconnected: nobody is there."""
            if message["type"] == "websocket.close":
                self.loop.call_later(GOODBYE_S, self.transport.abort)
            elif self.transport.is_closing():
                # asyncio would log every further write to a connection that the client has cut.
                raise ClientDisconnected
            await super().send(message)

        def data_received(self, data: bytes) -> None:
            """Take what came in, or drop it once the connection is broken."""
            if self.broken is None:
                super().data_received(data)
            else:
                self.broken.cancel()
                self.broken = self.loop.call_later(SILENT_S, self.transport.close)

        def handle_parser_exception(self) -> None:
            """Tell the client with a close frame what it did wrong."""
            assert self.conn.close_sent is not None
            code, reason = self.conn.close_sent.code, self.conn.close_sent.reason
            self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.close_sent = True
            self.close_timer = self.loop.call_later(GOODBYE_S, self.transport.abort)
            self.broken = self.loop.call_later(SILENT_S, self.transport.close)

    return ResoluteProtocol


def _impatient_protocol(patience_s: float) -> Any:
    from uvicorn.protocols.http.h11_impl import H11Protocol

    class ImpatientProtocol(H11Protocol):
        """HTTP/1.1 that closes a connection whose first request head does not come in time."""

        def connection_made(self, transport: Any) -> None:
            """Start to wait."""
            super().connection_made(transport)
            self.loop.call_later(patience_s, self._give_up)

        def _give_up(self) -> None:
            if self.cycle is None and self.transport.get_protocol() is self:
                self.transport.close()

    return ImpatientProtocol


@contextmanager
def listening(spec: DoorSpec) -> Iterator[socket.socket]:
    """Bind the address; ScenarioError when it cannot be bound."""
    try:
        family, *_, address = socket.getaddrinfo(spec.host, spec.port, type=socket.SOCK_STREAM)[0]
        listener = socket.create_server(address[:2], family=family, backlog=256)
    except OSError as error:
        raise ScenarioError(f"cannot listen on {spec.host}:{spec.port}: {error.strerror}") from error
    with listener:
        yield listener


def address_of(listener: socket.socket, *, tls: bool) -> str:
    """Give the base URL of a listening socket."""
    host, port = listener.getsockname()[:2]
    return f"{'https' if tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"
