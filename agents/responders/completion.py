"""Completions: what comes back from a chat endpoint, streamed or whole, in one form, and how it ended.

A gateway that ignores `stream: true` answers with one JSON object; what it says is read all the same.
"""

import json
import sys
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import msgspec

from agents.remote.failure import ChatOutcome
from agents.remote.far_end import told_by
from agents.remote.foreign_json import decode_foreign
from agents.responders.chat_calls import CallPiece, ChatCall, ChatCalls
from simulator.errors import RemoteError


class ChatPart(msgspec.Struct, frozen=True, kw_only=True):
    """A part of an answer. text: as the model wrote it; thought: what the service tells apart as reasoning."""

    text: str = ""
    thought: str = ""
    finish: str = ""
    calls: tuple[CallPiece, ...] = ()
    refusal: str = ""
    error: str = ""
    usage: Any = None


class Ended:
    """Collects what the parts tell about how an answer ended."""

    def __init__(self) -> None:
        self.usage: Any = None
        self._thought = ""
        self._finish = self._refusal = self._error = ""
        self._calls = ChatCalls()

    def take(self, part: ChatPart) -> None:
        """Take the next part."""
        self.usage = part.usage or self.usage
        self._thought += part.thought
        self._finish = part.finish or self._finish
        self._error = part.error or self._error
        self._refusal += part.refusal
        for piece in part.calls:
            self._calls.take(piece)

    @property
    def calls(self) -> list[ChatCall]:
        """The functions that it called."""
        return self._calls.made

    @property
    def thoughts(self) -> tuple[str, ...]:
        """The reasoning that the service told apart, where there is any."""
        return (self._thought,) if self._thought else ()

    def outcome(self, *, wrote: bool, thought: bool) -> ChatOutcome:
        """How it ended; wrote, thought: what its text held, where the service does not tell thoughts apart."""
        names = [call.name for call in self.calls]
        return ChatOutcome(wrote=wrote, thought=thought or bool(self._thought), finish=self._finish,
                           calls=names, refusal=self._refusal, error=self._error)  # fmt: skip


async def parts_of(client: Any, request: Mapping[str, Any]) -> AsyncGenerator[ChatPart, None]:
    """Ask by a client of the openai package for a stream and give its parts, or those of an answer that is none.

    Its errors are passed on. RemoteError, a predicate: an error came as JSON.
    """
    more = {"stream": True, "stream_options": {"include_usage": True}}
    raw = await client.chat.completions.with_raw_response.create(**request, **more)
    whole = await _whole(raw.http_response)
    if whole is not None:
        from openai.types.chat import ChatCompletion

        completion = ChatCompletion.construct(**whole)
        yield _part(completion, "message")
        return
    stream = raw.parse()
    async with stream:
        with _broken_off(raw.http_response):
            async for chunk in stream:
                yield _part(chunk, "delta")


@contextmanager
def _broken_off(response: Any) -> Iterator[None]:
    """Turn what the client does not: a connection that ends within an answer, a chunk that is no JSON. RemoteError."""
    http = sys.modules[type(response).__module__.partition(".")[0]]  # httpx, or what a later client has in its place
    try:
        yield
    except (http.HTTPError, json.JSONDecodeError) as error:
        raise RemoteError(f"broke its answer off: {error}") from error


async def _whole(response: Any) -> dict[str, Any] | None:
    """Give the object of an answer that is no stream; None for a stream, which still can be read then."""
    kind = response.headers.get("content-type", "")
    if "event-stream" in kind or not ("json" in kind or "content-length" in response.headers):
        return None
    with _broken_off(response):
        body = await response.aread()
    try:
        data = decode_foreign(body)
    except ValueError:
        if not body.strip() or b"data:" in body:
            return None  # a stream under a wrong name
        raise RemoteError(f"answered with no completion: {told_by(body)}") from None
    if not isinstance(data, dict) or not isinstance(data.get("choices"), list):
        raise RemoteError(f"answered without choices: {told_by(body)}")
    return data


def _part(completion: Any, where: str) -> ChatPart:
    """Read a chunk (`delta`) or a completion (`message`). Services add fields of their own, or leave some out."""
    usage = getattr(completion, "usage", None)
    if not completion.choices:
        return ChatPart(usage=usage)
    choice = completion.choices[0]
    said = getattr(choice, where, None)
    thought = getattr(said, "reasoning_content", None) or getattr(said, "reasoning", None)
    content = getattr(said, "content", None)
    error = getattr(choice, "error", None)
    return ChatPart(
        text=_text(content) or _pieces(content, "text"),
        thought=_text(thought) or _pieces(content, "thinking"),
        finish=_text(getattr(choice, "finish_reason", None)),
        calls=tuple(_call(call, where) for call in getattr(said, "tool_calls", None) or ()),
        refusal=_text(getattr(said, "refusal", None)),
        error=_text(error.get("message")) if isinstance(error, Mapping) else "",
        usage=usage,
    )


def _call(call: Any, where: str) -> CallPiece:
    """Read a call, or a piece of one; a whole one has no index, and each is one of its own."""
    function, index = getattr(call, "function", None), getattr(call, "index", None)
    return CallPiece(
        index=index if where == "delta" and isinstance(index, int) else None,
        id=_text(getattr(call, "id", None)),
        name=_text(getattr(function, "name", None)),
        arguments=_text(getattr(function, "arguments", None)),
    )


def _pieces(content: object, kind: str) -> str:
    """Give the texts of a content in pieces, `[{"type": "text", "text": ...}]`; thoughts hold pieces of their own."""
    if not isinstance(content, list):
        return ""
    mine = [piece.get(kind) for piece in content if isinstance(piece, Mapping) and piece.get("type") == kind]
    return "".join(_text(piece) or _pieces(piece, "text") for piece in mine)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
