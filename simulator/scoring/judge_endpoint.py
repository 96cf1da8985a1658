"""A judge behind an OpenAI-compatible chat endpoint, with its replies kept on disk.

A reply is kept under a hash of everything it was asked with (endpoint, model, messages, seed, which asking it
was), so that the same question is paid for once; the file holds the question and the raw reply.
"""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from simulator.errors import RemoteError, ScenarioError
from simulator.files import write_whole
from simulator.reading.secrets import key_variable
from simulator.scoring.judge import Judge, Messages, ReadyReplies


class EndpointSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where a judge lives and how it is asked.

    base_url: of an OpenAI-compatible server (None: OpenAI's own). seed: of the first asking; seed_step is
    added per further one. key_env: the environment variable with the key; without it OpenAI gets
    OPENAI_API_KEY, and nobody else gets a key. options: further parameters of the request, by name. retries: how often
    a request that failed is tried again, after ever longer waits.
    """

    model: str
    base_url: str | None = None
    key_env: str | None = None
    temperature: float | None = None
    seed: int | None = 0
    seed_step: int = 0
    timeout_s: float = 60.0
    options: dict[str, Any] = {}
    retries: int = 0


class EndpointJudge:
    """A judge behind an OpenAI-compatible chat endpoint, with its replies kept on disk.

    After `patience` failures in a row it is taken to be down and asked no more.
    """

    patience = 5

    def __init__(self, settings: EndpointSettings, folder: Path | None) -> None:
        """folder: where replies are kept; None keeps none. ScenarioError when a key is needed and not set."""
        self.settings = settings
        self._key = endpoint_key(settings)
        self._folder = folder
        self._failures = 0
        self._client: Any = None

    def ask(self, sample: str, messages: Messages, attempt: int) -> str:
        """Give the reply, from disk or from the endpoint; RemoteError when it fails."""
        return self._replies(messages, attempt, 1)[0]

    def poll(self, sample: str, messages: Messages, count: int) -> list[str]:
        """Give so many replies, in one request where the server can (`n`), else in several; RemoteError when it fails.

        A reply more than asked for is not taken: it would weigh more than the others' rows.
        """
        replies: list[str] = []
        while len(replies) < count:
            replies += self._replies(messages, len(replies), count - len(replies))
        return replies[:count]

    def _replies(self, messages: Messages, attempt: int, count: int) -> list[str]:
        """Give at least one reply and at most `count`, from disk or from the endpoint."""
        path = self._path(messages, attempt, count)
        kept = _kept(path)
        if kept is not None:
            return kept
        if self._failures >= self.patience:
            raise RemoteError(f"the judge {self.settings.model} failed {self._failures} times in a row")
        try:
            replies = self._request(messages, attempt, count)
        except RemoteError:
            self._failures += 1
            raise
        self._failures = 0
        asked = {"model": self.settings.model, "messages": list(messages), "attempt": attempt}
        _keep(path, {**asked, "reply": replies[0]} if count == 1 else {**asked, "replies": replies})
        return replies

    def _request(self, messages: Messages, attempt: int, count: int) -> list[str]:
        import openai

        settings = self.settings
        options: dict[str, Any] = dict(settings.options) | ({"n": count} if count > 1 else {})
        if settings.seed is not None:
            options["seed"] = settings.seed + attempt * settings.seed_step
        if settings.temperature is not None:
            options["temperature"] = settings.temperature
        try:
            answer = self._connect().chat.completions.create(model=settings.model, messages=list(messages), **options)
            return [
                answer.choices[0].message.content or "",
                *(item.message.content or "" for item in answer.choices[1:]),
            ]
        except (openai.OpenAIError, IndexError, AttributeError) as error:
            raise RemoteError(f"the judge {settings.model} failed: {type(error).__name__}") from error

    def _connect(self) -> Any:
        if self._client is None:
            import openai

            self._client = openai.OpenAI(
                api_key=self._key,
                base_url=self.settings.base_url,
                timeout=self.settings.timeout_s,
                max_retries=self.settings.retries,
            )
        return self._client

    def _path(self, messages: Messages, attempt: int, count: int) -> Path | None:
        if self._folder is None:
            return None
        asked: tuple[Any, ...] = (
            self.settings.model,
            self.settings.base_url,
            self.settings.temperature,
            self.settings.seed,
            self.settings.seed_step,
            list(messages),
            attempt,
        )
        if self.settings.options or count > 1:  # replies that were kept before there were options stay known
            asked = (*asked, sorted(self.settings.options.items()), count)
        key = hashlib.sha256(msgspec.json.encode(asked)).hexdigest()
        return self._folder / key[:2] / f"{key}.json"


def open_judge(replies: Path | None, endpoint: EndpointSettings | None) -> Judge | None:
    """Give the judge: ready replies from a file first, else the endpoint, else None.

    ScenarioError when the file cannot be read.
    """
    if replies is not None:
        return ReadyReplies.read(replies)
    if endpoint is None:
        return None
    return EndpointJudge(endpoint, reply_folder())


def endpoint_key(settings: EndpointSettings) -> str:
    """Give the key of an endpoint, a stand-in where none is needed; ScenarioError when it is needed and not set."""
    variable = settings.key_env or key_variable(settings.base_url)
    if variable is None:
        return "none"
    key = os.environ.get(variable, "")
    if not key:
        raise ScenarioError(f"the judge {settings.model} needs a key: the environment variable {variable} is not set")
    return key


def _kept(path: Path | None) -> list[str] | None:
    if path is None or not path.is_file():
        return None
    try:
        record = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
        return [str(reply) for reply in record.get("replies") or [record["reply"]]]
    except (OSError, msgspec.DecodeError, KeyError, TypeError):
        return None


def _keep(path: Path | None, record: Mapping[str, Any]) -> None:
    """Write a reply in one move; a folder that cannot be written is no error: the cache only saves time."""
    if path is None:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, msgspec.json.encode(record))
    except OSError:
        return


def reply_folder() -> Path | None:
    """Give the folder of the user's cache that keeps replies; None when there is no home."""
    from simulator.engines.cache import cache_folder

    folder = cache_folder()
    return None if folder is None else folder / "judge"
