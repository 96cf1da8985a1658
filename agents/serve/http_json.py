"""JSON over HTTP as the served protocols share it: a body that is one object, or refused; an answer of any value."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import msgspec

from agents.remote.foreign_json import decode_foreign

if TYPE_CHECKING:
    from starlette.responses import Response


PIECE = 2**19


class RefusedError(Exception):
    """A request that is not served: an HTTP status and a sentence."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


def read_object(body: bytes, status: int) -> dict[str, Any]:
    """Decode a body that has to be a JSON object; RefusedError with the protocol's status when it is none."""
    try:
        data = decode_foreign(body)
    except ValueError as error:
        raise RefusedError(status, f"the body is no JSON: {error}") from None
    if not isinstance(data, dict):
        raise RefusedError(status, "the body is no JSON object")
    return data


def json_response(value: Any, status: int = 200) -> "Response":
    """Give a value as an answer, or JSON that is written already (what is large is written in a thread)."""
    from starlette.responses import Response, StreamingResponse

    body = value if isinstance(value, bytes) else msgspec.json.encode(value)
    if len(body) <= PIECE:
        return Response(body, status, media_type="application/json")
    headers = {"content-length": str(len(body))}
    return StreamingResponse(_pieces(body), status, media_type="application/json", headers=headers)


async def _pieces(body: bytes) -> AsyncIterator[bytes]:
    """Cut a body up: whoever else waits gets a turn between two pieces."""
    for start in range(0, len(body), PIECE):
        yield body[start : start + PIECE]
