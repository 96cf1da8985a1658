"""Task groups whose errors come out as they are."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from simulator.errors import single


@asynccontextmanager
async def together() -> AsyncIterator[anyio.abc.TaskGroup]:
    """A task group; what goes wrong in it is raised without the group around it."""
    try:
        async with anyio.create_task_group() as tasks:
            yield tasks
    except Exception as group:  # noqa: BLE001 - raised again
        raise single(group) from None
