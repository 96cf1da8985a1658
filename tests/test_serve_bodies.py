"""What requests hold of the server's memory together, however many there are."""

from collections.abc import MutableMapping
from typing import Any

import anyio
import pytest
from starlette.exceptions import HTTPException

from simulator.serving.guard import AccessRules, Guard

Message = MutableMapping[str, Any]
MOST = 10


class Reader:
    """An app that reads a body to its end and holds it until it is told to let go."""

    def __init__(self) -> None:
        self.go = anyio.Event()
        self.answers: list[int] = []
        self.read = 0

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        try:
            while (await receive()).get("more_body"):
                pass
            self.read += 1
            await self.go.wait()
            self.answers.append(200)
        except HTTPException as error:
            self.answers.append(error.status_code)


async def ask(guard: Guard, *pieces: bytes) -> None:
    """Send a request whose body comes in these pieces."""
    waiting = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    waiting.append({"type": "http.request", "body": b"", "more_body": False})

    async def receive() -> Message:
        await anyio.lowlevel.checkpoint()
        return waiting.pop(0)

    async def send(message: Message) -> None:
        raise AssertionError("the app answers itself")

    headers = [(b"transfer-encoding", b"chunked")]
    await guard({"type": "http", "path": "/", "query_string": b"", "headers": headers}, receive, send)


@pytest.mark.anyio
async def test_bodies_are_bounded_together() -> None:
    """Four of the longest fit, a byte more does not and costs nobody else anything; when they are done it does."""
    reader = Reader()
    guard = Guard(reader, AccessRules(loopback=False, body_bytes=MOST))
    async with anyio.create_task_group() as tasks:
        for _ in range(4):
            tasks.start_soon(ask, guard, b"12345", b"67890")
        while reader.read < 4:
            await anyio.lowlevel.checkpoint()
        await ask(guard, b"1")
        assert reader.answers == [503]
        reader.go.set()
    assert reader.answers == [503, 200, 200, 200, 200]
    await ask(guard, b"1234567890")
    assert reader.answers[-1] == 200


@pytest.mark.anyio
async def test_one_body_is_bounded_as_before() -> None:
    """Too long for itself is 413, and leaves nothing behind: the longest one fits afterwards, again and again."""
    reader = Reader()
    reader.go.set()
    guard = Guard(reader, AccessRules(loopback=False, body_bytes=MOST))
    for _ in range(9):
        await ask(guard, b"12345", b"678901")
        await ask(guard, b"12345", b"67890")
    assert reader.answers == [413, 200] * 9
