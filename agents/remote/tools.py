"""Tools: functions that a remote model may call, answered by the session's world or by the scenario.

    tools:
      - name: book_table
        description: Book a table for tonight.
        parameters: {type: object, properties: {people: {type: integer}}}
        answer: {booked: true}
        delay: 1.5s          # how long the answer takes; at once by default

Those of the scenario's `world` are offered beside them.
A simulated user gets one more tool without having to name it: `hang_up` ends its call.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from agents.remote.foreign_json import decode_foreign
from agents.remote.peer_core import Actions
from simulator.events import Party
from simulator.world.port import result_fields
from simulator.world.tool import Tool
from simulator.world.world import CallResult, ToolWorld, World

HANG_UP = "hang_up"


HANG_UP_TOOL = Tool(
    name=HANG_UP,
    description="End the call. Call this after you have said goodbye, and say nothing more afterwards.",
    parameters={
        "type": "object",
        "properties": {"reason": {"type": "string", "description": "why it is over"}},
    },
)


class ToolAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a call is answered, from sample `due` of the output stream on."""

    call: str
    name: str
    result: CallResult
    due: int

    @property
    def answer(self) -> Any:
        """The answer itself."""
        return self.result.answer


class ToolDesk:
    """Takes calls and gives their answers when they are due. Every call is answered once.

    tools: those that the spec itself answers; those of the session's world come with `enter`.
    """

    def __init__(self, tools: Sequence[Tool], rate: int) -> None:
        self._own = ToolWorld({}, [msgspec.structs.replace(tool, party="both") for tool in tools])
        self._world: World | None = None
        self._party: Party = "agent"
        self._rate = rate
        self._taken: set[str] = set()
        self._waiting: list[ToolAnswer] = []

    @property
    def waiting(self) -> bool:
        """Whether a call is still to be answered."""
        return bool(self._waiting)

    def enter(self, world: World | None, party: Party) -> None:
        """Learn which party calls, and of the session's world, where it has one."""
        self._world, self._party = world, party

    def called(self, actions: Actions, call: str, name: str, arguments: object, at: int) -> bool:
        """Take a call made at `at` and tell of it; False for one taken already (services announce a call twice)."""
        if call in self._taken:
            return False
        self._taken.add(call)
        given = read_arguments(arguments)
        actions.note(at, "tool_call", id=call, name=name, arguments=given)
        result = self._asked(name).call(self._party, name, given)
        due = at + result.delay.samples(self._rate)
        self._waiting.append(ToolAnswer(call=call, name=name, result=result, due=due))
        return True

    def cancel(self, call: str) -> None:
        """Forget a call that the model takes back."""
        self._waiting = [answer for answer in self._waiting if answer.call != call]

    def due(self, actions: Actions, at: int) -> list[ToolAnswer]:
        """Give the answers that are due, in the order of their calls, and tell of them."""
        due = [answer for answer in self._waiting if answer.due <= at]
        if due:
            self._waiting = [answer for answer in self._waiting if answer.due > at]
        for answer in due:
            actions.note(at, "tool_result", **result_fields(answer.call, answer.name, answer.result))
        return due

    def _asked(self, name: str) -> World:
        """The session's world where it has the tool, or nobody has."""
        world = self._world
        own = any(tool.name == name for tool in self._own.tools(self._party))
        known = world is not None and any(tool.name == name for tool in world.tools(self._party))
        return world if world is not None and (known or not own) else self._own


def read_arguments(arguments: object) -> Any:
    """Read a call's arguments, JSON text or data; text that is no JSON is kept as it is."""
    if not isinstance(arguments, str):
        return dict(arguments) if isinstance(arguments, Mapping) else arguments
    try:
        return decode_foreign(arguments) if arguments else {}
    except ValueError:
        return arguments
