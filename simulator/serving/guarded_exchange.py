"""One HTTP request behind the guard: its body counted as it comes, its answer delivered even while it still comes.

A server that answers before it has read the whole body, and then closes, is not heard: the client's machine throws the
answer away when its sending fails. So the answer goes out at once and whole, what still comes is read and dropped, and
only then is the exchange over: when the body ends, when nothing comes for `QUIET_S`, or after `LINGER_S`.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import anyio
import msgspec

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

TOO_LONG = "the body is longer than {} bytes"
TOO_MANY = "the bodies of all requests hold more than {} bytes together; try again when some are answered"
LINGER_S = 10.0
QUIET_S = 1.0
GIVEN_UP = 408


class BodyLimits(msgspec.Struct, frozen=True, kw_only=True):
    """most_bytes: the longest body of an HTTP request. piece_s: how long its next piece may take."""

    most_bytes: int = 64 * 2**20
    piece_s: float = 30.0


class BodiesInFlight:
    """What all requests under way have sent of their bodies. most_bytes: how much of it a server holds."""

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self.held_bytes = 0

    def overfull(self) -> bool:
        """Whether they sent more than that."""
        return self.held_bytes > self.most_bytes


class GuardedExchange:
    """A request's two streams, as an ASGI app is given them. bodies: what all of them hold together."""

    def __init__(self, limits: BodyLimits, bodies: BodiesInFlight, receive: Receive, send: Send) -> None:
        self._limits = limits
        self._bodies = bodies
        self._held = 0
        self._receive = receive
        self._send = send
        self._received = 0
        self._complete = False
        self._status = 0

    async def receive(self) -> Message:
        """Give the next piece of the body.

        HTTPException: too long (413), too much beside the others (503), no piece in time (408).
        """
        if self._complete:  # what comes now is the client's leaving, for which there is no time limit
            return await self._receive()
        with anyio.move_on_after(self._limits.piece_s):
            message = await self._next()
            self._hold(len(message.get("body", b"")))
            if self._bodies.overfull():
                self.let_go()  # what still comes is heard out and dropped
                raise _http_error(503, TOO_MANY.format(self._bodies.most_bytes))
            if self._received > self._limits.most_bytes:
                raise _http_error(413, TOO_LONG.format(self._limits.most_bytes))
            return message
        raise _http_error(GIVEN_UP, f"nothing of the body came for {self._limits.piece_s:g} s")

    async def send(self, message: Message) -> None:
        """Answer; where the body is not read to its end, hear it out before the last word."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
            if not self._complete:
                message = {**message, "headers": [*message.get("headers", ()), (b"connection", b"close")]}
        last = message["type"] == "http.response.body" and not message.get("more_body", False)
        if last and not self._complete and self._status != GIVEN_UP:
            await self._send({**message, "more_body": True})
            await self._hear_out()
            message = {"type": "http.response.body", "body": b""}
        await self._send(message)

    def let_go(self) -> None:
        """The body is needed no more."""
        self._hold(-self._held)

    def _hold(self, count: int) -> None:
        self._held += count
        self._bodies.held_bytes += count

    async def _next(self) -> Message:
        message = await self._receive()
        self._received += len(message.get("body", b""))
        self._complete = not message.get("more_body", False)
        return message

    async def _hear_out(self) -> None:
        with anyio.move_on_after(LINGER_S):
            while not self._complete:
                with anyio.move_on_after(QUIET_S) as quiet:
                    await self._next()
                if quiet.cancelled_caught:
                    return


def has_body(headers: dict[bytes, bytes]) -> bool:
    """Whether a request announces a body."""
    return b"transfer-encoding" in headers or headers.get(b"content-length", b"0") != b"0"


def _http_error(status: int, detail: str) -> Exception:
    from starlette.exceptions import HTTPException

    return HTTPException(status, detail)
