"""Whole sessions with a scripted service on loopback, and what is asked of them afterwards."""

import json
from pathlib import Path
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

from simulator.session import Session
from simulator.testing import play_session

KEY = "sk-loopback-0123456789"
"""What TEST_KEY holds, the variable that every spec names."""


def session_with(url: str, folder: Path, *, duration: str = "1500ms", **agent: Any) -> Session:
    """A session of a silent user with a service at `url`."""
    spec = {
        "kind": "openai_realtime",
        "base_url": f"{url}/v1",
        "api_key_env": "TEST_KEY",
        "model": "test",
        **agent,
    }
    return play_session({"user": "silent", "agent": spec, "duration": duration, "scorers": []}, folder)


def of_type(session: Session, type_: str) -> list[dict[str, Any]]:
    """The fields of the events of a type."""
    return [event.data for event in session.by_type.get(type_, [])]


def assert_no_secret(folder: Path) -> None:
    """No file of a session holds the key."""
    for file in folder.rglob("*"):
        assert not file.is_file() or KEY.encode() not in file.read_bytes(), file


async def refuse_key(connection: ServerConnection, request: Request) -> Response | None:
    """Refuse a key as the service does, and quote it, as no service should."""
    told = request.headers.get("Authorization", request.headers.get("x-goog-api-key", ""))
    body = json.dumps({"error": {"message": f"Incorrect API key provided: {told}", "code": "invalid_api_key"}})
    response = connection.respond(401, body)
    del response.headers["Content-Type"]
    response.headers["Content-Type"] = "application/json"
    return response
