"""Connections made by the google-genai client: dialling, and its types to plain data and back."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

import anyio
import msgspec

from agents.remote.far_end import closing_told, dialling_told, ending
from agents.remote.peer_connection import GOODBYE_S
from agents.remote.peer_core import Message
from simulator.errors import RemoteError

if TYPE_CHECKING:
    from google.genai.live import AsyncSession

KEY_WORDS = ("api key", "api_key", "unauthenticated", "permission")


class GeminiAddress(msgspec.Struct, frozen=True, kw_only=True):
    """Where to dial, secrets expanded. config: the fields of google.genai.types.LiveConnectConfig."""

    base_url: str
    key: str
    model: str
    config: Mapping[str, Any]
    api_version: str | None = None


class GeminiWire:
    """A session of the google-genai client as plain messages, snake_case as the client has them."""

    def __init__(self, session: "AsyncSession") -> None:
        self._session = session
        self._turn: Any = None
        self._greeted = False

    async def send(self, message: Message) -> None:
        """Send a message: `realtime_input` or `tool_response`."""
        with closing_told():
            if "tool_response" in message:
                responses = message["tool_response"]["function_responses"]
                await self._session.send_tool_response(function_responses=responses)
            else:
                await self._session.send_realtime_input(**message["realtime_input"])

    async def receive(self) -> Message:
        """Wait for the next message; the first says that the session stands."""
        if not self._greeted:
            self._greeted = True
            return {"setup_complete": {"session_id": self._session.session_id}}
        with closing_told(), _api_told():
            # The client's iterator ends with every turn; the session does not.
            while True:
                self._turn = self._turn or self._session.receive()
                try:
                    message = await anext(self._turn)
                except StopAsyncIteration:
                    self._turn = None
                    continue
                return message.model_dump(mode="json", exclude_none=True)  # type: ignore[no-any-return]

    async def close(self) -> None:
        """Let go of the iterator."""
        if self._turn is not None:
            await self._turn.aclose()


@asynccontextmanager
async def dial_gemini(address: GeminiAddress) -> AsyncIterator[GeminiWire]:
    """Open a Live session."""
    # Two seconds of importing: in a thread, so that other sessions on the wall clock keep their time.
    genai = await anyio.to_thread.run_sync(import_module, "google.genai")
    options = genai.types.HttpOptions(base_url=address.base_url, api_version=address.api_version)
    client = genai.Client(api_key=address.key, vertexai=False, http_options=options)
    connecting = client.aio.live.connect(model=address.model, config=genai.types.LiveConnectConfig(**address.config))
    with dialling_told(address.base_url), closing_told(), _api_told():
        session = await connecting.__aenter__()
    wire = GeminiWire(session)
    try:
        yield wire
    finally:
        with anyio.CancelScope(shield=True), anyio.move_on_after(2 * GOODBYE_S), suppress(OSError):
            await wire.close()
            await connecting.__aexit__(None, None, None)


class _api_told:  # noqa: N801 - a context manager, used like the functions beside it
    """Turn the client's errors into RemoteErrors with a predicate."""

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        from google.genai.errors import APIError

        if isinstance(error, APIError):
            told = error.message or (error.details if isinstance(error.details, str) else "")
            raise RemoteError(_sentence(error.code, " ".join(told.split())[:200])) from error
        if isinstance(error, ValueError):
            raise RemoteError(f"sent a message that cannot be read: {' '.join(str(error).split())[:200]}") from error


def _sentence(code: int, reason: str) -> str:
    """The client reports a closed connection as an error whose code is the close code."""
    if code < 1000:
        return f"refused the request (code {code}{': ' + reason if reason else ''})"
    if any(word in reason.lower() for word in KEY_WORDS):
        return f"refused the key (code {code}: {reason.rstrip('. ')})"
    return ending(code, reason)
