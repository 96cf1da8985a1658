"""Ports: a party's way to its session's world. Each call is told with its times, and its answer is waited for.

A call is performed at once and counts as answered `delay` later. On the virtual clock whoever calls waits for that by
itself: what follows is said from then on. On the wall clock the port waits, unless who calls goes on meanwhile.
"""

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

from simulator.clock import Clock, VirtualClock, sleep
from simulator.events import Emit, Party
from simulator.world.tool import Tool
from simulator.world.world import CallResult, World, failed


class CallAnswer(NamedTuple):
    """A call's result, and the sample of the party's output stream at which it was there."""

    result: CallResult
    at: int


class ToolPort:
    """What one party calls. emit: notes events on its output stream; sample_rate: of that stream, in Hz.

    waits: whether a call takes its delay on the wall clock, too.
    """

    def __init__(
        self, world: World | None, party: Party, emit: Emit, clock: Clock, sample_rate: int, *, waits: bool = True
    ) -> None:
        self._world = world
        self._party = party
        self._emit = emit
        self._clock = clock
        self._rate = sample_rate
        self._waits = waits and clock.realtime
        self._numbers = itertools.count(1)

    @property
    def tools(self) -> Sequence[Tool]:
        """The tools that the party may call."""
        return self._world.tools(self._party) if self._world is not None else ()

    @property
    def instructions(self) -> str:
        """What the party is to know of the world beside its tools."""
        return self._world.instructions(self._party) if self._world is not None else ""

    @property
    def address(self) -> str:
        """Where the world is served, the session's token included; "" where it is not."""
        return self._world.address if self._world is not None else ""

    def moment(self, at: int) -> int:
        """Give the present sample of the output stream, which the wall clock knows better than who says `at`."""
        return self._clock.now() if self._clock.realtime else at

    async def call(self, name: str, arguments: object, at: int) -> CallAnswer:
        """Call a tool at a sample of the output stream."""
        call = f"call-{next(self._numbers)}"
        begun = self.moment(at)
        self._emit(begun, "tool_call", id=call, name=name, arguments=arguments)
        result = self.result_of(name, arguments)
        if self._waits:
            await sleep(result.delay)
        answered = self._clock.now() if self._waits else begun + result.delay.samples(self._rate)
        self._emit(answered, "tool_result", **result_fields(call, name, result))
        return CallAnswer(result, answered)

    def result_of(self, name: str, arguments: object) -> CallResult:
        """Give what a call comes to, without telling of it."""
        if self._world is None:
            return failed(f"there is no function {name!r}; there are: none", "unknown")
        return self._world.call(self._party, name, arguments)


def result_fields(call: str, name: str, result: CallResult) -> dict[str, Any]:
    """Give the fields of a `tool_result` event."""
    return {"id": call, "name": name, "answer": result.answer, **({"fault": result.fault} if result.fault else {})}


NOBODY: ToolPort = ToolPort(None, "agent", lambda *_args, **_fields: None, VirtualClock(), 24_000)
"""The port of whoever has no world."""
