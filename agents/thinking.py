"""Thinking beside a call: on the wall clock a party goes on hearing while an answer is made."""

from collections.abc import Awaitable, Callable

import anyio
import anyio.abc


class Thinking:
    """One thought at a time, which may be dropped."""

    def __init__(self) -> None:
        self._scope: anyio.CancelScope | None = None

    @property
    def under_way(self) -> bool:
        """Whether a thought is neither over nor dropped."""
        return self._scope is not None

    def begin(self, tasks: anyio.abc.TaskGroup | None, think: Callable[[], Awaitable[None]]) -> None:
        """Begin a thought; the one before it is dropped."""
        self.stop()
        scope = self._scope = anyio.CancelScope()

        async def beside() -> None:
            with scope:
                await think()
            if self._scope is scope:
                self._scope = None

        if tasks is not None:
            tasks.start_soon(beside)

    def stop(self) -> None:
        """Drop the thought that is under way."""
        if self._scope is not None:
            self._scope.cancel()
            self._scope = None
