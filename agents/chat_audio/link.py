"""The way to a chat completions server: the openai package, with statuses and bodies as they came."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl

import anyio
import msgspec

from agents.chat_audio.protocol import AskRules, ChatAudioCore
from simulator.errors import RemoteError
from simulator.remote.server import RemoteServer


class ChatAudioLink:
    """The server behind the openai package: bodies go out, statuses and bodies come back."""

    def __init__(self, base_url: str, api_key_env: str | None, timeout_s: float) -> None:
        key = f"${{{api_key_env}}}" if api_key_env else None
        self.server = RemoteServer("chat_audio", base_url, key)
        self._timeout_s = timeout_s
        self._key = key
        self._opened: Any = None

    async def post(self, body: Mapping[str, Any]) -> tuple[int, object]:
        """Send a body and give the status and the answer, JSON as plain data. RemoteError when none came."""
        from openai import APIStatusError

        rest = {name: value for name, value in body.items() if name not in ("model", "messages")}
        create = self._client.chat.completions.with_raw_response.create
        with _reached(self._timeout_s):
            try:
                with anyio.fail_after(self._timeout_s):
                    raw = await create(model=body["model"], messages=body["messages"], extra_body=rest)
            except APIStatusError as error:
                return error.status_code, _plain(error.response.content)
        return raw.http_response.status_code, _plain(raw.http_response.content)

    async def probe(self) -> str:
        """Reach the server and have the key accepted."""
        from openai import APIStatusError

        with self.server.at_fault(), _reached(self._timeout_s):
            try:
                with anyio.fail_after(min(self._timeout_s, 15.0)):
                    raw = await self._client.models.with_raw_response.list()
            except APIStatusError as error:
                ChatAudioCore(AskRules()).receive(error.status_code, _plain(error.response.content))
        listed = _plain(raw.http_response.content)
        models = listed.get("data") if isinstance(listed, dict) else None
        names = [str(model.get("id")) for model in models or [] if isinstance(model, dict)]
        return f"{self.server.name} answers; its models: {', '.join(names[:5]) or 'it names none'}"

    async def close(self) -> None:
        """Close the connections."""
        if self._opened is not None:
            await self._opened.close()

    @property
    def _client(self) -> Any:
        if self._opened is None:
            from openai import AsyncOpenAI

            # A local server wants no key, the client insists on one. A second try would be a second turn.
            key = self.server.secrets.expand(self._key) if self._key else "none"
            url, _, query = self.server.url().partition("?")
            self._opened = AsyncOpenAI(base_url=url, default_query=dict(parse_qsl(query)), api_key=key, max_retries=0,
                                       timeout=self._timeout_s)  # fmt: skip
        return self._opened


@contextmanager
def _reached(timeout_s: float) -> Iterator[None]:
    """Turn what goes wrong on the way to a server into a RemoteError with a predicate."""
    from openai import APIConnectionError, APITimeoutError

    try:
        yield
    except (TimeoutError, APITimeoutError) as error:
        raise RemoteError(f"did not answer within {timeout_s:g} s") from error
    except APIConnectionError as error:
        cause = error.__cause__ or error
        what = "cannot be reached" if "Connect" in type(cause).__name__ else "broke off its answer"
        raise RemoteError(f"{what}: {str(cause).rstrip('.') or type(cause).__name__}") from error


def _plain(content: bytes) -> object:
    try:
        return msgspec.json.decode(content)
    except msgspec.DecodeError:
        return content.decode("utf-8", "replace")
