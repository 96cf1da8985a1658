"""Calls of tools in a chat: put together from the pieces they are streamed in, performed, and told the model again.

    model   "One moment." + look_up(order=12345)        a round: what it says is said, its calls are performed
    we      the same messages, its calls, their answers
    model   "It was shipped yesterday."                  no calls: the answer is whole

Whoever writes down the dialogue knows what was said and nothing of calls, so they are kept here, by the place in the
dialogue of the turn that they answer, and put back there when the model is asked again.
"""

import re
from collections.abc import Sequence
from typing import Any

import anyio
import msgspec

from agents.remote.tools import read_arguments
from simulator.speaking.dialogue import Message
from simulator.texts import written
from simulator.world.port import ToolPort
from simulator.world.tool import Tool

Json = dict[str, Any]
NOT_WAITED = "the conversation went on before there was an answer"
"""What the model is told of a call whose answer nobody waited for."""

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


class CallPiece(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of a call, or a whole one. index: which of the parallel calls, where the service says so."""

    index: int | None = None
    id: str = ""
    name: str = ""
    arguments: str = ""


class ChatCall(msgspec.Struct, kw_only=True):
    """A call as the model made it. arguments: JSON text, if the model wrote JSON."""

    id: str
    name: str
    arguments: str = ""


class ChatCalls:
    """Puts calls together. Services differ: a piece belongs to the call of its index, unless it brings another id."""

    def __init__(self) -> None:
        self.made: list[ChatCall] = []
        self._places: dict[int | None, int] = {}

    def take(self, piece: CallPiece) -> None:
        """Take the next piece."""
        place = self._places.get(piece.index)
        known = self.made[place] if place is not None else None
        if known is None or (piece.id and known.id and piece.id != known.id) or (piece.name and not piece.id):
            self._places[piece.index] = len(self.made)
            self.made.append(ChatCall(id=piece.id, name=piece.name, arguments=piece.arguments))
        else:
            known.id = known.id or piece.id
            known.name = known.name or piece.name
            known.arguments += piece.arguments


def offered(tools: Sequence[Tool]) -> list[Json]:
    """Give tools as a chat endpoint wants them declared."""
    return [
        {"type": "function",
         "function": {"name": tool.name, "description": tool.description, "parameters": tool.parameters}}
        for tool in tools
    ]  # fmt: skip


class ToolRounds:
    """Performs the calls of one conversation and remembers them."""

    def __init__(self, port: ToolPort) -> None:
        self._port = port
        self._kept: dict[int, list[Json]] = {}

    @property
    def tools(self) -> list[Json]:
        """What the model is offered."""
        return offered(self._port.tools)

    def behind(self, place: int) -> list[Json]:
        """Give the calls that were made for the turn at a place in the dialogue, each with its answer."""
        return [*self._kept.get(place, ())]

    def messages(self, history: Sequence[Message], text: str) -> list[Json]:
        """Give the dialogue up to the present turn with the calls that belong to it."""
        told: list[Json] = []
        for place, message in enumerate(history):
            if message.text:
                told.append({"role": message.role, "content": message.text})
            if message.role == "user":
                told += self.behind(place)
        return [*told, {"role": "user", "content": text}, *self.behind(len(history))]

    async def perform(self, place: int, calls: Sequence[ChatCall], said: str, at: int) -> int:
        """Perform the calls of a round, all at once; gives the sample at which the last answer was there.

        place: of the turn in the dialogue. said: what the model wrote before it called.
        """
        numbered = [(call.id or f"call_{place}_{index}", call) for index, call in enumerate(calls)]
        answers = [NOT_WAITED] * len(calls)
        there = [at] * len(calls)

        async def one(index: int, call: ChatCall) -> None:
            answer = await self._port.call(call.name, read_arguments(call.arguments), at)
            answers[index], there[index] = written(answer.result.answer), answer.at

        try:
            async with anyio.create_task_group() as tasks:
                for index, call in enumerate(calls):
                    tasks.start_soon(one, index, call)
        finally:
            made = [{"id": name, "type": "function", "function": _as_made(call)} for name, call in numbered]
            told = [{"role": "tool", "tool_call_id": name, "content": answer}
                    for (name, _), answer in zip(numbered, answers, strict=True)]  # fmt: skip
            asked: Json = {"role": "assistant", "content": said or None, "tool_calls": made}
            self._kept.setdefault(place, []).extend([asked, *told])
        return max(there)

    def settle(self, place: int) -> None:
        """The turn is answered: what was said beside its calls stands in the dialogue from now on."""
        for message in self._kept.get(place, ()):
            if message["role"] == "assistant":
                message["content"] = None


def _as_made(call: ChatCall) -> Json:
    """A call as services take it back: they refuse names and arguments that none of them could have made."""
    name = call.name if _NAME.fullmatch(call.name) else "unknown"
    whole = isinstance(read_arguments(call.arguments), dict)
    return {"name": name, "arguments": (call.arguments or "{}") if whole else "{}"}
