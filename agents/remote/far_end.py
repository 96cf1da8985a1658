"""Far ends: one predicate for everything that can go wrong with somebody else's WebSocket.

A predicate goes behind the far end's name: `openai_realtime` + `refused the key (HTTP 401: bad key)`.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from agents.remote.foreign_json import decode_foreign, decode_object
from simulator.errors import RemoteError


@contextmanager
def dialling_told(address: str) -> Iterator[None]:
    """Turn what goes wrong while dialling into a RemoteError with a predicate."""
    from websockets.exceptions import InvalidHandshake, InvalidStatus, InvalidURI

    try:
        yield
    except InvalidStatus as error:
        response = error.response
        raise RemoteError(refusal(response.status_code, bytes(response.body or b""))) from error
    except (InvalidHandshake, InvalidURI, EOFError) as error:
        raise RemoteError(f"does not speak WebSocket at {address}: {error}") from error
    except TimeoutError as error:
        raise RemoteError(f"cannot be reached at {address}: it does not answer") from error
    except OSError as error:
        raise RemoteError(f"cannot be reached at {address}: {system_told(error)}") from error


def system_told(error: OSError) -> str:
    """Give the reason of what failed: asyncio's own text names the call instead."""
    return os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or str(error)


def refusal(status: int, body: bytes) -> str:
    """Say that a server refused the handshake, by its HTTP status and what its body says."""
    return _refused("the key" if status in (401, 403) else "the connection", status, body)


def refused_path(path: str, status: int, body: bytes) -> str:
    """Say that a server refused a request, by its HTTP status and what its body says."""
    return _refused(path, status, body)


def _refused(what: str, status: int, body: bytes) -> str:
    told = told_by(body)
    return f"refused {what} (HTTP {status}{f': {told}' if told else ''})"


def answered_object(path: str, body: bytes) -> dict[str, Any]:
    """Give the JSON object that a server answered with. RemoteError, a predicate: it is none."""
    try:
        return decode_object(body)
    except ValueError as error:
        raise RemoteError(f"answered {path} with what is no JSON object: {error}") from error


def told_by(body: bytes) -> str:
    """Give the sentence inside an error body: JSON's error.message or detail, else the start of its text."""
    try:
        data = decode_foreign(body)
    except ValueError:
        return " ".join(body.decode("utf-8", "replace").split())[:200]
    error = data.get("error", data) if isinstance(data, dict) else data
    found = error.get("message") or error.get("detail") if isinstance(error, dict) else error
    return " ".join(str(found or "").split()).rstrip(".")[:200]


@contextmanager
def closing_told() -> Iterator[None]:
    """Turn a connection that is gone into a RemoteError with a predicate."""
    from websockets.exceptions import ConnectionClosed

    try:
        yield
    except ConnectionClosed as error:
        raise RemoteError(
            ending(error.rcvd.code if error.rcvd else 1006, error.rcvd.reason if error.rcvd else "")
        ) from error
    except OSError as error:
        raise RemoteError(f"broke the connection: {error.strerror or error}") from error


def ending(code: int, reason: str) -> str:
    """Say how a connection ended, by its close code and reason."""
    if code == 1006:
        return "broke the connection without a goodbye"
    return f"closed the connection (code {code}{': ' + reason.rstrip('. ') if reason else ''})"


def left_politely(reason: str) -> bool:
    """Whether a connection was closed in good order (1000, or without a code), by the sentence of `ending`."""
    return reason.startswith(("closed the connection (code 1000", "closed the connection (code 1005"))
