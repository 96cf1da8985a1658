"""Whether the client of a request is still there: who has left is worked for no longer."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio

from simulator.errors import SimulatorError, single
from simulator.serving.service import Service

if TYPE_CHECKING:
    from starlette.requests import Request

Check = Callable[[], None]
"""Raises ClientLeftError when the client has left; asked now and then by what takes long, in whatever thread."""


class ClientLeftError(SimulatorError):
    """The client of a request has left, or the server cannot wait for it any longer."""


@asynccontextmanager
async def watched(request: "Request", service: Service) -> AsyncIterator[Check]:
    """Watch the client of a request whose body is read, and give what tells whether it is still there."""
    left = False

    async def watch() -> None:
        nonlocal left
        while (await request.receive())["type"] != "http.disconnect":
            pass
        left = True

    def check() -> None:
        if left or service.cut:
            raise ClientLeftError("the client left" if left else "the server is stopping")

    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(watch)
            yield check
            tasks.cancel_scope.cancel()
    except Exception as group:  # noqa: BLE001 - what the block raised, without the task group around it
        error = single(group)
        raise error from error.__cause__
