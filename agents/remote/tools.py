"""Tools: functions that a remote model may call, answered from the scenario.

    tools:
      - name: book_table
        description: Book a table for tonight.
        parameters: {type: object, properties: {people: {type: integer}}}
        answer: {booked: true}
        delay: 1.5s          # how long the answer takes; at once by default

A simulated user gets one more tool without having to name it: `hang_up` ends its call.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from agents.remote.foreign_json import decode_foreign
from agents.remote.peer_core import Actions
from simulator.spec import Duration

HANG_UP = "hang_up"


class Tool(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A function: its name, what the model is told of it, its arguments' JSON Schema, every call's answer."""

    name: str
    description: str = ""
    parameters: dict[str, Any] = msgspec.field(default_factory=lambda: {"type": "object", "properties": {}})
    answer: Any = "ok"
    delay: Duration = Duration(0.0)


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
    answer: Any
    due: int


class ToolDesk:
    """Takes calls and gives their answers when they are due. Every call is answered once."""

    def __init__(self, tools: Sequence[Tool], rate: int) -> None:
        self._tools = {tool.name: tool for tool in tools}
        self._rate = rate
        self._taken: set[str] = set()
        self._waiting: list[ToolAnswer] = []

    @property
    def waiting(self) -> bool:
        """Whether a call is still to be answered."""
        return bool(self._waiting)

    def called(self, actions: Actions, call: str, name: str, arguments: object, at: int) -> bool:
        """Take a call made at `at` and tell of it; False for one taken already (services announce a call twice)."""
        if call in self._taken:
            return False
        self._taken.add(call)
        tool = self._tools.get(name)
        known = ", ".join(self._tools) or "none"
        answer = tool.answer if tool else {"error": f"there is no function {name!r}; there are: {known}"}
        delay = tool.delay.samples(self._rate) if tool else 0
        self._waiting.append(ToolAnswer(call=call, name=name, answer=answer, due=at + delay))
        actions.note(at, "tool_call", id=call, name=name, arguments=read_arguments(arguments), answer=answer)
        return True

    def cancel(self, call: str) -> None:
        """Forget a call that the model takes back."""
        self._waiting = [answer for answer in self._waiting if answer.call != call]

    def due(self, at: int) -> list[ToolAnswer]:
        """Give the answers that are due, in the order of their calls."""
        due = [answer for answer in self._waiting if answer.due <= at]
        if due:
            self._waiting = [answer for answer in self._waiting if answer.due > at]
        return due


def read_arguments(arguments: object) -> Any:
    """Read a call's arguments, JSON text or data; text that is no JSON is kept as it is."""
    if not isinstance(arguments, str):
        return dict(arguments) if isinstance(arguments, Mapping) else arguments
    try:
        return decode_foreign(arguments) if arguments else {}
    except ValueError:
        return arguments


def written(answer: Any) -> str:
    """Write an answer as the text that some services want: a text as it is, anything else as JSON."""
    return answer if isinstance(answer, str) else msgspec.json.encode(answer).decode()
