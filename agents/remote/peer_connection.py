"""The connection behind a peer: one task that dials, reads, writes, and dials again when asked.

    dialling ──open──> talking ──message──> inbox
       │                 │ gone ──> inbox: the reason; wait for redial
       └─ refused ───────┘ redial ──> dialling
                         │ session over ──> farewell, at most GOODBYE_S; closed

A full inbox makes the far end wait. What is queued when a connection is left goes out on the next one.
"""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple, Protocol, TypeVar, runtime_checkable

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream

from agents.remote.peer_core import Message
from simulator.errors import RemoteError

T = TypeVar("T")

BACKLOG_S = 10.0
"""A far end that leaves this much heard sound untaken has stalled."""

GOODBYE_S = 2.0
INBOX = 512


class Wire(Protocol):
    """An open connection. Both methods raise RemoteError with a predicate when it is gone."""

    async def send(self, message: Message) -> None:
        """Send a message."""
        ...

    async def receive(self) -> Message:
        """Wait for the next message."""
        ...


@runtime_checkable
class Posting(Protocol):
    """A wire that only puts down what it is to send: no task of ours is woken for it, fifty times a second."""

    def post(self, message: Message) -> None:
        """Take a message; never waits, and raises nothing."""
        ...


Dial = Callable[[], AbstractAsyncContextManager[Wire]]
"""Opens a connection; entering raises RemoteError with a predicate (`refused the key (HTTP 401)`)."""


class Arrival(NamedTuple):
    """What came in: a message, or the reason why nothing comes any more; and when, in session samples."""

    message: Message | None
    arrived: int
    reason: str = ""


class Connection:
    """A far end's connection, or the next one.

    now(): the session sample of an arrival. backlog: how many messages may wait to be sent. opening(): what
    is sent first on every connection. farewell(wire): the last words, when the session is over and the
    connection stands.
    """

    def __init__(
        self,
        dial: Dial,
        *,
        now: Callable[[], int],
        backlog: int,
        opening: Callable[[], list[Message]],
        farewell: Callable[[Wire], Awaitable[None]],
    ) -> None:
        self._dial = dial
        self._now = now
        self._opening = opening
        self._farewell = farewell
        self._in, self.inbox = anyio.create_memory_object_stream[Arrival](INBOX)
        self._out, self._queued = anyio.create_memory_object_stream[Message](backlog)
        self._posting: Posting | None = None
        self._leave = anyio.CancelScope()
        self._redial = anyio.Event()
        self._scope = anyio.CancelScope()
        self._ended = anyio.Event()

    def arrivals(self) -> Iterator[Arrival]:
        """Give what came in since the last time."""
        yield from _waiting(self.inbox)

    def unsent(self) -> Iterator[Message]:
        """Give what is queued and was not sent."""
        yield from _waiting(self._queued)

    def send(self, message: Message) -> None:
        """Queue a message, unless the connection is closed; RemoteError when the far end leaves too much untaken."""
        if self._posting is not None:
            self._posting.post(message)
            return
        try:
            self._out.send_nowait(message)
        except anyio.ClosedResourceError:
            return  # a goodbye behind a connection that failed: nobody is there to read it
        except anyio.WouldBlock:
            raise RemoteError(f"takes no sound: {BACKLOG_S:g} s of it are waiting to be sent") from None

    def redial(self) -> None:
        """Leave the connection and open another one."""
        self._redial.set()
        self._leave.cancel()

    async def stay_connected(self) -> None:
        """Run until cancelled or closed."""
        try:
            with self._scope:
                while True:
                    reason = await self._connect()
                    if not self._redial.is_set():
                        await self._in.send(Arrival(None, self._now(), reason))
                    await self._redial.wait()
                    self._redial = anyio.Event()
        finally:
            self._ended.set()

    async def close(self) -> None:
        """End the task and the connection. A task that was cancelled before it began has nothing to end."""
        self._scope.cancel()
        with anyio.move_on_after(2 * GOODBYE_S):
            await self._ended.wait()
        for stream in (self._in, self.inbox, self._out, self._queued):
            stream.close()

    async def _connect(self) -> str:
        """Live through one connection and give the reason why it ended."""
        reason = ""
        with anyio.CancelScope() as self._leave:
            try:
                async with self._dial() as wire:
                    reason = await self._talk(wire)
            except RemoteError as error:
                reason = str(error)
        return reason

    async def _talk(self, wire: Wire) -> str:
        reason = ""
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._write, wire)
                reason = await self._read(wire)
                tasks.cancel_scope.cancel()
        except anyio.get_cancelled_exc_class():
            if not self._redial.is_set():
                await self._part(wire)
            raise
        finally:
            self._posting = None
        return reason

    async def _read(self, wire: Wire) -> str:
        try:
            while True:
                arrival = Arrival(await wire.receive(), self._now())
                try:
                    self._in.send_nowait(arrival)  # `send` takes a turn of the loop even where there is room
                except anyio.WouldBlock:
                    await self._in.send(arrival)
        except RemoteError as error:
            return str(error)

    async def _write(self, wire: Wire) -> None:
        try:
            for message in self._opening():
                await wire.send(message)
            if isinstance(wire, Posting):
                for message in self.unsent():
                    wire.post(message)
                self._posting = wire
                return
            async for message in self._queued:
                await wire.send(message)
        except RemoteError:
            return  # the reader finds the same, and says so

    async def _part(self, wire: Wire) -> None:
        with anyio.CancelScope(shield=True), anyio.move_on_after(GOODBYE_S):
            try:
                await self._farewell(wire)
            except RemoteError:
                return  # nobody is left to hear it


def _waiting(stream: MemoryObjectReceiveStream[T]) -> Iterator[T]:
    while True:
        try:
            yield stream.receive_nowait()
        except anyio.WouldBlock:
            return
