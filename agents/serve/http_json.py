"""JSON over HTTP as the served protocols share it: a body that is one object, or refused; an answer of any value."""

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import msgspec

from agents.remote.base64_bytes import base64_pieces
from agents.remote.long_text import decode_long
from simulator.serving.service import Service

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response


class RefusedError(Exception):
    """A request that is not served: an HTTP status and a sentence."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


async def read_body(request: "Request", service: Service) -> bytes:
    """Give a request's whole body; its pieces are joined in a thread, as that takes 30 ms of a large one."""
    pieces = [piece async for piece in request.stream()]
    return await service.in_thread(b"".join, pieces)


def read_object(body: bytes, status: int) -> dict[str, Any]:
    """Decode a body that has to be a JSON object, long texts in it as LongText where it is large.

    RefusedError with the protocol's status when it is none.
    """
    try:
        data = decode_long(body)
    except ValueError as error:
        raise RefusedError(status, f"the body is no JSON: {error}") from None
    if not isinstance(data, dict):
        raise RefusedError(status, "the body is no JSON object")
    return data


class Sent:
    """Bytes that go into an answer as base64; `mark` stands for them until the answer is written."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.mark = uuid4().hex  # nobody who is quoted in the answer can know it


def json_pieces(value: Any, sent: Sent) -> list[bytes]:
    """Write a value as JSON, with what is sent in the place of its mark: a large sound is never held in one text."""
    before, after = msgspec.json.encode(value).split(sent.mark.encode())
    return [before, *base64_pieces(sent.data), after]


def json_response(value: Any, status: int = 200) -> "Response":
    """Give a value as an answer."""
    from starlette.responses import Response

    return Response(msgspec.json.encode(value), status, media_type="application/json")


def pieces_response(pieces: Sequence[bytes]) -> "Response":
    """Give JSON that is written already, in a thread, as an answer; whoever else waits gets a turn between pieces."""
    from starlette.responses import StreamingResponse

    async def one_by_one() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    headers = {"content-length": str(sum(map(len, pieces)))}
    return StreamingResponse(one_by_one(), media_type="application/json", headers=headers)
