"""A chat endpoint for tests, a real one on loopback: it speaks the OpenAI protocol with canned and hostile replies.

    with chat_endpoint(says("One moment.", calls("look_up", order="12345")), says("It was shipped.")) as endpoint:
        ...                              # base_url=endpoint.base_url, and afterwards endpoint.asked

Each request gets the next reply, the last one from then on; a reply may also be a function of the request's body that
gives one. What is asked with `stream: true` is streamed, word by word and calls in pieces, anything else comes whole.
"""

import itertools
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec

from tests.contracts.http_peers import Got, Json, scripted

PIECE = 5
"""Characters of a call's arguments in a piece: names and numbers are torn apart."""


class CannedCall(msgspec.Struct, frozen=True, kw_only=True):
    """A function call. arguments: as JSON text, which need not be any."""

    name: str
    arguments: str
    id: str = ""


Hostile = Callable[[Got], None]
"""Does something else to a request than answering it as the protocol says."""


class CannedReply(msgspec.Struct, frozen=True, kw_only=True):
    """What the model writes, what it calls, how it ends. hostile: what is done instead."""

    text: str = ""
    calls: tuple[CannedCall, ...] = ()
    finish: str = ""
    hostile: Hostile | None = None


Canned = CannedReply | Callable[[Json], CannedReply]


class ChatEndpoint:
    """What a test sees of the endpoint."""

    def __init__(self, url: str, asked: list[Got]) -> None:
        self.base_url = f"{url}/v1"
        self.got = asked

    @property
    def asked(self) -> list[Json]:
        """The bodies of the questions so far, in order."""
        return [got.json for got in self.got if got.method == "POST"]


def calls(name: str, /, *, call_id: str = "", **arguments: Any) -> CannedCall:
    """Make a call of a function with arguments that are JSON."""
    return CannedCall(name=name, arguments=json.dumps(arguments), id=call_id)


def says(text: str = "", /, *called: CannedCall, finish: str = "") -> CannedReply:
    """Make a reply of text and of calls, which come in parallel."""
    return CannedReply(text=text, calls=called, finish=finish)


def refuses(status: int, message: str) -> CannedReply:
    """Make an error of the service: 429, 401, 500 ..."""
    error = {"error": {"message": message, "type": "error", "code": str(status)}}
    return CannedReply(hostile=lambda got: got.answer(error, status))


def cut_off(text: str = "") -> CannedReply:
    """Break the connection off in the middle of a streamed answer, after `text`."""
    return CannedReply(hostile=lambda got: got.stream(*_chunks(CannedReply(text=text)), whole=False))


def not_json(text: str = "<html>Bad gateway</html>") -> CannedReply:
    """Answer with something that is no JSON and no stream, under the name of JSON."""
    return CannedReply(hostile=lambda got: got.answer(text.encode()))


def holds(then: CannedReply, release: threading.Event) -> CannedReply:
    """Answer nothing until `release` is set: an endpoint that is slow for as long as a test wants it to be."""

    def hold(got: Got) -> None:
        release.wait(20)
        _answer(got, then)

    return CannedReply(hostile=hold)


@contextmanager
def chat_endpoint(*replies: Canned) -> Iterator[ChatEndpoint]:
    """Run an endpoint with these replies, one after the other."""
    turn = itertools.count()

    def script(got: Got) -> None:
        if got.method == "GET":
            got.answer({"object": "list", "data": [{"id": "test", "object": "model", "created": 1, "owned_by": "us"}]})
            return
        reply = replies[min(next(turn), len(replies) - 1)]
        _answer(got, reply if isinstance(reply, CannedReply) else reply(got.json))

    with scripted(script) as (url, asked):
        yield ChatEndpoint(url, asked)


def _answer(got: Got, reply: CannedReply) -> None:
    if reply.hostile is not None:
        reply.hostile(got)
    elif got.json.get("stream"):
        got.stream(*_chunks(reply), _chunk(finish=_finish(reply)))
    else:
        message: Json = {"role": "assistant", "content": reply.text or None}
        if reply.calls:
            message["tool_calls"] = [_whole_call(index, call) for index, call in enumerate(reply.calls)]
        choice = {"index": 0, "message": message, "finish_reason": _finish(reply)}
        got.answer({"id": "1", "object": "chat.completion", "created": 1, "model": "test", "choices": [choice]})


def _finish(reply: CannedReply) -> str:
    return reply.finish or ("tool_calls" if reply.calls else "stop")


def _chunks(reply: CannedReply) -> Iterator[Json]:
    words = reply.text.split(" ") if reply.text else []
    for index, word in enumerate(words):
        yield _chunk(content=word if index == 0 else f" {word}")
    yield from _call_pieces(reply.calls)


def _call_pieces(called: Sequence[CannedCall]) -> Iterator[Json]:
    """Give calls as services stream them: first id and name of each, then their arguments, in turns."""
    for index, call in enumerate(called):
        whole = _whole_call(index, call)
        head = {**whole, "index": index, "function": {"name": call.name, "arguments": ""}}
        yield _chunk(tool_calls=[head])
    longest = max((len(call.arguments) for call in called), default=0)
    for start in range(0, longest, PIECE):
        for index, call in enumerate(called):
            piece = call.arguments[start : start + PIECE]
            if piece:
                yield _chunk(tool_calls=[{"index": index, "function": {"arguments": piece}}])


def _whole_call(index: int, call: CannedCall) -> Json:
    return {"id": call.id or f"call-{index}", "type": "function",
            "function": {"name": call.name, "arguments": call.arguments}}  # fmt: skip


def _chunk(finish: str | None = None, **delta: Any) -> Json:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "test", "choices": [choice]}
