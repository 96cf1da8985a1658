"""function: any Python function answers the turns, plain or async, with text or with sound.

    agent:
      kind: turn_based
      responder: {kind: function, call: "my_agent:answer"}

    def answer(turn, history):      # HeardTurn and the Messages before it (simulator/speaking/dialogue.py)
        return "Certainly."         # or (samples, sample_rate), or a Reply, or any of these one after the other

One that takes a third argument gets the tools of the session's world:

    def answer(turn, history, tools):
        status = tools.call("look_up", order="12345")      # an async function awaits tools.ask(...)
        return f"It was {status}."

A plain function runs in a thread of its own, so it may take its time. It may answer None: silence. One that asks a far
end and gets no answer from it says so, and its turn counts as failed and not as unanswered:

        return Reply(events=[("response_failed", {"reason": "the quota is used up"})])
"""

import inspect
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

import anyio
import msgspec
import numpy as np

from agents.remote.failure import FAILED, STARTED, failed_fields
from simulator.errors import ActorError, ScenarioError
from simulator.plugins import function_named
from simulator.speaking.dialogue import HeardTurn, Message, Reply, ResponderContext, ResponderSpec
from simulator.traits import PartyTraits
from simulator.world.port import ToolPort
from simulator.world.tool import Tool


class FunctionSpec(ResponderSpec, frozen=True, kw_only=True, tag="function"):
    """A function by its name: `{kind: function, call: "package.module:function"}`.

    folder: where the module lies, if it is not installed; relative to the scenario. call: the function, as
    `package.module:function`.
    """

    call: str
    folder: Path | None = None

    def check(self, where: str) -> None:
        """Refuse a function that is not there."""
        try:
            self.function()
        except ScenarioError as error:
            raise ScenarioError(f"{where}.call: {error}") from error

    def traits(self) -> PartyTraits:
        """Whether it calls tools, the function alone can say."""
        return PartyTraits(calls_tools=True)

    def build(self) -> "Function":
        """Make the responder."""
        return Function(self)

    def function(self) -> Callable[..., Any]:
        """Import and give the function. ScenarioError: no module, nothing of that name in it, or not callable."""
        return function_named(self.call, self.folder)


class Function:
    """Calls the function once per turn."""

    def __init__(self, spec: FunctionSpec) -> None:
        self._spec = spec
        self._text = ""
        self._asked = 0

    async def start(self, context: ResponderContext) -> None:
        """Import the function."""
        self._context = context
        self._call = self._spec.function()
        self._takes = 3 if _takes_tools(self._call) else 2

    async def respond(self, turn: HeardTurn, history: Sequence[Message]) -> AsyncGenerator[Reply, None]:
        """Give what the function answers, piece by piece. ActorError: it answered with something else."""
        self._text = turn.text or ""
        self._asked += 1
        tools = TurnTools(self._context.port, turn.at)
        name = f"response-{self._asked}"
        self._context.emit(turn.at, STARTED, id=name)
        async with aclosing(self._answers(turn, history, tools)) as pieces:
            async for piece, at in pieces:
                if piece is not None:
                    reply = _with_failures(_reply(piece, self._spec.call), name)
                    yield msgspec.structs.replace(reply, not_before=max(at, reply.not_before))

    def understood(self) -> str:
        """The text of the turn, where it came with one."""
        return self._text

    async def close(self) -> None:
        """Nothing to let go of."""

    async def _answers(
        self, turn: HeardTurn, history: Sequence[Message], tools: "TurnTools"
    ) -> AsyncGenerator[tuple[Any, int], None]:
        """Give each piece with the sample from which it may be said: calls that came before it take their time."""
        given = (turn, history, tools)[: self._takes]
        if inspect.isasyncgenfunction(self._call):
            async with aclosing(self._call(*given)) as pieces:
                async for piece in pieces:
                    yield piece, tools.at
            return
        if inspect.iscoroutinefunction(self._call):
            answer = [(await self._call(*given), tools.at)]
        else:
            answer = await anyio.to_thread.run_sync(_whole, self._call, given, tools)
        for one, at in answer:
            for piece in one if isinstance(one, list) else [one]:
                yield piece, at


class TurnTools:
    """What a function calls the world's tools by while it answers a turn. at: the sample its last answer was there."""

    def __init__(self, port: ToolPort, at: int) -> None:
        self._port = port
        self.at = at

    @property
    def offered(self) -> Sequence[Tool]:
        """The tools there are, with what a model would be told of them."""
        return self._port.tools

    @property
    def mcp_url(self) -> str:
        """Where an MCP client finds them, where the world is served: it holds the session's token; else ""."""
        return f"{self._port.address}/mcp" if self._port.address else ""

    def call(self, name: str, /, **arguments: Any) -> Any:
        """Call a tool from a plain function, and wait; gives its answer, `{"error": ...}` where it has none."""
        return anyio.from_thread.run(self._ask, name, arguments)

    async def ask(self, name: str, /, **arguments: Any) -> Any:
        """The same from an async function."""
        return await self._ask(name, arguments)

    async def _ask(self, name: str, arguments: dict[str, Any]) -> Any:
        answer = await self._port.call(name, arguments, self.at)
        self.at = max(self.at, answer.at)
        return answer.result.answer


def _takes_tools(call: Callable[..., Any]) -> bool:
    """Whether a function has a third argument to be given."""
    try:
        parameters = inspect.signature(call).parameters.values()
    except (TypeError, ValueError):  # one that is not written in Python
        return False
    places = [item for item in parameters if item.kind in (item.POSITIONAL_ONLY, item.POSITIONAL_OR_KEYWORD)]
    return len(places) > 2 or any(item.kind is item.VAR_POSITIONAL for item in parameters)


def _whole(call: Callable[..., Any], given: Sequence[Any], tools: TurnTools) -> list[tuple[Any, int]]:
    """Call a plain function in this thread, and run it to its end if it is a generator."""
    answer = call(*given)
    if inspect.isgenerator(answer):
        return [(piece, tools.at) for piece in answer]
    return [(answer, tools.at)]


def _reply(piece: Any, call: str) -> Reply:
    if isinstance(piece, Reply):
        return piece
    if isinstance(piece, str):
        return Reply(text=piece)
    if isinstance(piece, tuple) and len(piece) == 2 and isinstance(piece[1], int):
        samples = np.asarray(piece[0], np.float32)
        if samples.ndim == 1 and np.isfinite(samples).all() and 4_000 <= piece[1] <= 192_000:
            return Reply(samples=samples, sample_rate=piece[1])
    raise ActorError(f"{call} answered with {_shown(piece)}; a text, (samples float32 (n,), rate), a Reply or None "
                     "are allowed")  # fmt: skip


def _with_failures(reply: Reply, name: str) -> Reply:
    """Give the reply; what it tells of a failure in the form of all other kinds, with its response's name."""
    events = [
        (type_, {**fields, **failed_fields("function", fields.get("reason"), id=name)}) if type_ == FAILED
        else (type_, fields) for type_, fields in reply.events
    ]  # fmt: skip
    return msgspec.structs.replace(reply, events=events)


def _shown(piece: Any) -> str:
    return type(piece).__name__ + (f" of {len(piece)}" if isinstance(piece, tuple) else "")
