"""A session's world: its state as it stands, and what calls of its tools come to.

A world belongs to one session and begins as the scenario says, so that the same calls in the same order leave the same
state. Whatever is wrong with a call is answered as an API would answer it, and the state stays as it was.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import Any, Literal

import msgspec

from simulator.errors import ActorError, sentence
from simulator.events import Party
from simulator.plugins import function_named
from simulator.spec import Duration
from simulator.world.arguments import misfit, with_defaults
from simulator.world.template import assign, filled
from simulator.world.tool import Tool

Fault = Literal["", "unknown", "arguments", "refused"]
"""Why a call was answered by an error: nobody knows its name; not the tool's schema; the tool itself refused it."""


AT_ONCE = Duration(0.0)


class CallResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a call came to: its answer, `{"error": ...}` where there is a fault, after a delay."""

    answer: Any
    fault: Fault = ""
    delay: Duration = Duration(0.0)


class World:
    """What a session's parties call. A kind of world says which tools there are, and what a call of one comes to."""

    def __init__(self) -> None:
        self.address = ""
        """Where it is served, its token included: `http://127.0.0.1:8123/s/TOKEN`; "" where it is not."""
        self._lock = Lock()  # on the wall clock parties call from threads of their own

    def tools(self, party: Party) -> Sequence[Tool]:
        """The tools that a party may call."""
        raise NotImplementedError

    def state(self) -> Any:
        """The state as it stands, as plain data of its own."""
        raise NotImplementedError

    def perform(self, tool: Tool, arguments: dict[str, Any], party: Party) -> CallResult:
        """Do what a call whose arguments fit comes to."""
        raise NotImplementedError

    def close(self) -> None:
        """Let go of what it holds."""

    def call(self, party: Party, name: str, arguments: object) -> CallResult:
        """Take a call, whatever stands in it. arguments: read from JSON, which need not be an object."""
        with self._lock:
            offered = {tool.name: tool for tool in self.tools(party)}
            tool = offered.get(name)
            if tool is None:
                known = ", ".join(offered) or "none"
                return failed(f"there is no function {name!r}; there are: {known}", "unknown")
            if not isinstance(arguments, Mapping):
                return failed("the arguments are no JSON object", "arguments", tool.delay)
            complaint = misfit(dict(arguments), tool.parameters)
            if complaint is not None:
                return failed(complaint, "arguments", tool.delay)
            return self.perform(tool, with_defaults(arguments, tool.parameters), party)


def failed(message: str, fault: Fault, delay: Duration = AT_ONCE) -> CallResult:
    """Make the answer to a call that comes to nothing."""
    return CallResult(answer={"error": message}, fault=fault, delay=delay)


class ToolWorld(World):
    """A world of a scenario's own: a state and what its tools do to it."""

    def __init__(self, state: Mapping[str, Any], tools: Sequence[Tool]) -> None:
        super().__init__()
        self._state: dict[str, Any] = copy.deepcopy(dict(state))
        self._tools = tools
        self._functions: dict[str, Callable[..., Any]] = {
            tool.name: function_named(tool.call, tool.folder) for tool in tools if tool.call
        }

    def tools(self, party: Party) -> Sequence[Tool]:
        """The tools that a party may call."""
        return [tool for tool in self._tools if tool.is_for(party)]

    def state(self) -> Any:
        """A copy of the state."""
        return copy.deepcopy(self._state)

    def perform(self, tool: Tool, arguments: dict[str, Any], party: Party) -> CallResult:
        """Change a copy of the state, answer by it, and keep it if all of that worked."""
        if tool.error:
            return failed(tool.error, "refused", tool.delay)
        state = copy.deepcopy(self._state)
        try:
            answer = self._asked(tool, state, arguments) if tool.call else self._answered(tool, state, arguments)
        except ValueError as error:  # UnfilledError is one
            return failed(str(error), "refused", tool.delay)
        self._state = state
        return CallResult(answer=answer, delay=tool.delay)

    def _answered(self, tool: Tool, state: dict[str, Any], arguments: dict[str, Any]) -> Any:
        values = [(path, filled(value, state, arguments)) for path, value in tool.set.items()]
        for path, value in values:
            assign(state, path, copy.deepcopy(value), arguments)
        return copy.deepcopy(filled(tool.answer, state, arguments))

    def _asked(self, tool: Tool, state: dict[str, Any], arguments: dict[str, Any]) -> Any:
        """Let the function answer. ActorError: it failed, or left what is no plain data."""
        try:
            answer = self._functions[tool.name](state, **arguments)
        except ValueError:
            raise
        except Exception as error:
            raise ActorError(f"the tool {tool.name} ({tool.call}) failed: {sentence(error)}") from error
        try:
            msgspec.json.encode(state)
            return msgspec.json.decode(msgspec.json.encode(answer))
        except (TypeError, msgspec.MsgspecError, ValueError) as error:
            raise ActorError(f"the tool {tool.name} ({tool.call}) gave what JSON cannot hold: {error}") from error
