"""A judge behind an OpenAI-compatible chat endpoint, whose replies are kept as cassettes.

A reply is kept under a hash of everything it was asked with (endpoint, model, messages, parameters, which asking it
was), so that the same question is paid for once.
"""

from pathlib import Path
from typing import Any

import anyio
import msgspec

from simulator.cassettes.store import Cassettes, Paid
from simulator.errors import RemoteError, ScenarioError
from simulator.reading.secrets import Secrets, key_variable, mask_text
from simulator.remote.chat_models import asked_at, probe_models
from simulator.scoring.judge import Judge, Messages, ReadyReplies, with_suffix

FILE = "judge.jsonl"
"""The judge's cassettes, in a session folder and in the user's cache."""
_KIND = "judge"
_CUT = ("length", "max_tokens")
_LONGEST = 200


class EndpointSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where a judge lives and how it is asked.

    base_url: of an OpenAI-compatible server (None: OpenAI's own). seed: of the first asking; seed_step is
    added per further one. key_env: the environment variable with the key; without it OpenAI gets
    OPENAI_API_KEY, and nobody else gets a key. options: further parameters of the request, by name. retries: how often
    a request that failed is tried again, after ever longer waits. prompt_suffix: what every question ends with, such as
    the words that keep a model from thinking aloud.
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
    prompt_suffix: str = ""


class JudgeReply(msgspec.Struct, frozen=True, kw_only=True):
    """What a judge answered: its text, how it ended (`finish_reason`), its own words where it refused."""

    text: str = ""
    finish: str = ""
    refusal: str = ""

    @property
    def problem(self) -> str | None:
        """Why it is no whole answer; None where it may be one."""
        if self.refusal:
            return f"it refused: {self.refusal[:_LONGEST]}"
        if self.finish in _CUT:
            return f"its answer was cut off (finish_reason {self.finish})"
        if self.finish == "content_filter":
            return "a content filter stopped its answer"
        return None if self.text.strip() else f"it said nothing (finish_reason {self.finish or 'missing'})"


class UnreadableAnswerError(RemoteError):
    """An answer came that is no chat completion: asking again may help, as the service is there."""


class EndpointJudge:
    """A judge behind an OpenAI-compatible chat endpoint.

    After `patience` failures in a row it is taken to be down and asked no more. kept: the store of its replies.
    settings, cassettes: how it is asked and where replies are looked up now, which may change between questions.
    """

    patience = 5

    def __init__(self, settings: EndpointSettings, kept: Path | Cassettes | None) -> None:
        """kept: the store of its replies, or the folder of one; None keeps none. ScenarioError when a key is needed, or
        the address names a variable, that is not set; where nothing may go out, neither is.
        """
        self.settings = settings
        self.kept = kept if isinstance(kept, Cassettes) else _in_folder(kept)
        self.cassettes = self.kept
        self._secrets = Secrets()
        self._key, self._url = "none", settings.base_url
        if not self.kept.offline:
            self._key = endpoint_key(settings, self._secrets)
            self._url = None if self._url is None else self._secrets.expand(self._url)
        self._failures = 0
        self._client: Any = None

    def ask(self, sample: str, messages: Messages, attempt: int) -> str:
        """Give the text of the reply, kept or from the endpoint; RemoteError when it fails."""
        return self.answers(sample, messages, attempt)[0].text

    def poll(self, sample: str, messages: Messages, count: int) -> list[str]:
        """Give so many replies, in one request where the server can (`n`), else in several; RemoteError when it fails.

        A reply more than asked for is not taken: it would weigh more than the others' rows.
        """
        texts: list[str] = []
        while len(texts) < count:
            texts += [reply.text for reply in self.answers(sample, messages, len(texts), count - len(texts))]
        return texts[:count]

    def answers(self, sample: str, messages: Messages, attempt: int, count: int = 1) -> list[JudgeReply]:
        """Give at least one reply and at most `count`, kept or from the endpoint.

        RemoteError when the endpoint fails; SessionError where it may not be asked and none is kept.
        """
        messages = with_suffix(messages, self.settings.prompt_suffix)
        request = self._request(messages, attempt, count)
        what = f"the judge {self.settings.model} on {sample!r}, asking {attempt + 1}"
        reply = self.cassettes.call(_KIND, request, lambda: self._ask(messages, attempt, count), what=what)
        try:
            return msgspec.convert(reply["replies"], list[JudgeReply])[:count]
        except (KeyError, msgspec.ValidationError) as error:
            raise RemoteError(f"the kept reply of {what} is none of a judge's: {error}") from error

    def probe(self) -> str:
        """Ask the endpoint for its models, and say in a sentence what was found. RemoteError: it does not answer."""
        from openai import AsyncOpenAI

        url, model = self.settings.base_url, self.settings.model
        client = AsyncOpenAI(api_key=self._key, base_url=self._url, timeout=self.settings.timeout_s, max_retries=0)
        where = "OpenAI" if url is None else asked_at(url, self._secrets)
        return anyio.run(probe_models, client, where, model, self._secrets)

    def _request(self, messages: Messages, attempt: int, count: int) -> dict[str, Any]:
        """What is asked, as it is kept. Where it is asked is part of it: a model's name alone says little."""
        url = mask_text(self.settings.base_url or "")
        asked = {"base_url": url, "model": self.settings.model, **self._options(attempt, count)}
        told: dict[str, Any] = self._secrets.scrub_all({**asked, "messages": list(messages), "attempt": attempt})
        return told

    def _options(self, attempt: int, count: int) -> dict[str, Any]:
        settings = self.settings
        options: dict[str, Any] = dict(settings.options) | ({"n": count} if count > 1 else {})
        if settings.seed is not None:
            options["seed"] = settings.seed + attempt * settings.seed_step
        if settings.temperature is not None:
            options["temperature"] = settings.temperature
        return options

    def _ask(self, messages: Messages, attempt: int, count: int) -> Paid:
        name = f"the judge {self.settings.model}"
        if self._failures >= self.patience:
            raise RemoteError(f"{name} failed {self._failures} times in a row")
        try:
            answer = self._post(name, messages, self._options(attempt, count))
        except RemoteError:
            self._failures += 1
            raise
        self._failures = 0
        return answer

    def _post(self, name: str, messages: Messages, options: dict[str, Any]) -> Paid:
        import openai

        try:
            raw = self._connect().chat.completions.with_raw_response.create(
                model=self.settings.model, messages=list(messages), **options
            )
            body = msgspec.json.decode(raw.http_response.content)
            replies = [_reply(choice) for choice in body["choices"]]
        except openai.OpenAIError as error:
            # Services quote keys in their errors, so the error itself is no cause to be logged.
            told = self._secrets.scrub(str(error))[:_LONGEST]
            raise RemoteError(f"{name} failed: {type(error).__name__}: {told}") from None
        except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
            raise UnreadableAnswerError(f"{name} failed: what it sent is no chat completion") from None
        if not replies:
            raise UnreadableAnswerError(f"{name} failed: it gave no choice")
        kept = {"replies": self._secrets.scrub_all(msgspec.to_builtins(replies))}
        return Paid(kept, _usage(body.get("usage")))

    def _connect(self) -> Any:
        if self._client is None:
            import openai

            self._client = openai.OpenAI(
                api_key=self._key,
                base_url=self._url,
                timeout=self.settings.timeout_s,
                max_retries=self.settings.retries,
            )
        return self._client


def open_judge(replies: Path | None, endpoint: EndpointSettings | None) -> Judge | None:
    """Give the judge: ready replies from a file first, else the endpoint, else None.

    ScenarioError when the file cannot be read.
    """
    if replies is not None:
        return ReadyReplies.read(replies)
    if endpoint is None:
        return None
    return EndpointJudge(endpoint, reply_folder())


def endpoint_key(settings: EndpointSettings, secrets: Secrets | None = None) -> str:
    """Give the key of an endpoint, a stand-in where none is needed; ScenarioError when it is needed and not set.

    secrets: gets to know it.
    """
    variable = settings.key_env or key_variable(settings.base_url)
    if variable is None:
        return "none"
    try:
        return (Secrets() if secrets is None else secrets).variable(variable)
    except ScenarioError as error:
        raise ScenarioError(f"the judge {settings.model} needs a key: {error}") from error


def reply_folder() -> Path | None:
    """Give the folder of the user's cache that keeps replies; None when there is no home."""
    from simulator.engines.store import cache_folder

    folder = cache_folder()
    return None if folder is None else folder / "judge"


def _in_folder(folder: Path | None) -> Cassettes:
    return Cassettes() if folder is None else Cassettes([folder / FILE], keep=folder / FILE)


def _reply(choice: Any) -> JudgeReply:
    message = choice["message"]
    fields = {"text": message.get("content"), "finish": choice.get("finish_reason"), "refusal": message.get("refusal")}
    return JudgeReply(**{name: value for name, value in fields.items() if isinstance(value, str)})


def _usage(found: Any) -> dict[str, int]:
    """Give the tokens of an answer by kind, as prices name them; services leave out what they do not count."""
    counts = found if isinstance(found, dict) else {}
    asked, answered = (_count(counts.get(name)) for name in ("prompt_tokens", "completion_tokens"))
    details = counts.get("prompt_tokens_details")
    details = details if isinstance(details, dict) else {}
    cached, audio = (_count(details.get(name)) for name in ("cached_tokens", "audio_tokens"))
    tokens = {"input_text": max(0, asked - cached - audio), "cached_text": cached, "input_audio": audio,
              "output_text": answered}  # fmt: skip
    return {kind: count for kind, count in tokens.items() if count}


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
