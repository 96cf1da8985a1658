"""Replies from any OpenAI-compatible chat endpoint, given by base URL."""

from collections.abc import AsyncGenerator, Sequence
from typing import Any

from simulator.errors import RemoteError, ScenarioError
from simulator.reading.secrets import Secrets, key_variable, mask_url, names
from simulator.speaking.dialogue import HeardTurn, Message, Reply, ResponderContext, ResponderSpec
from simulator.spec import Duration
from simulator.traits import PartyTraits

VOICE_RULES = "You are speaking on the telephone. Answer in one or two short spoken sentences, without lists or markup."


class ChatSpec(ResponderSpec, frozen=True, kw_only=True, tag="chat"):
    """Ask a chat endpoint: `{kind: chat, base_url: "http://127.0.0.1:11434/v1", model: llama3.2}`.

    api_key_env: the environment variable that holds the key; without it OpenAI gets OPENAI_API_KEY, and nobody else
    gets a key. system: the instructions. The model's name is what its price goes by.
    """

    base_url: str
    model: str
    system: str = VOICE_RULES
    api_key_env: str | None = None
    temperature: float = 0.0
    max_tokens: int = 200
    timeout: Duration = Duration(30.0)

    def traits(self) -> PartyTraits:
        """The same turn need not get the same answer; the model's name is what its price goes by."""
        return PartyTraits(deterministic=False, billed_as=(self.model,))

    def check(self, where: str) -> None:
        """Refuse a base URL that is none."""
        if not names(self.base_url) and not self.base_url.startswith(("http://", "https://")):
            raise ScenarioError(f"{where}.base_url: {self.base_url!r} is no http or https URL")

    def build(self) -> "Chat":
        """Make the responder."""
        return Chat(self)

    async def probe(self) -> str:
        """Ask the endpoint for its models: reachable, key accepted, model there. RemoteError when not."""
        from openai import OpenAIError

        secrets = Secrets()
        client = _client(self, secrets)
        try:
            offered = [model.id async for model in client.models.list()]
        except OpenAIError as error:
            raise _refused(self.base_url, error, secrets) from None
        finally:
            await client.close()
        known = "has the model" if self.model in offered else f"does not list {self.model!r} among its models"
        return f"{mask_url(self.base_url)} answers and {known}"


class Chat:
    """Sends the dialogue so far and gives the answer sentence by sentence, as it is streamed."""

    def __init__(self, spec: ChatSpec) -> None:
        self._spec = spec
        self._text = ""
        self._client: Any = None
        self._secrets = Secrets()
        self._counted = 0

    async def start(self, context: ResponderContext) -> None:
        """Make the client; the server is reached with the first turn."""
        self._context = context
        self._client = _client(self._spec, self._secrets)

    async def respond(self, turn: HeardTurn, history: Sequence[Message]) -> AsyncGenerator[Reply, None]:
        """Stream the answer; every finished sentence is a piece."""
        from openai import OpenAIError

        self._text = turn.text or ""
        messages = [{"role": "system", "content": self._spec.system}]
        messages += [{"role": message.role, "content": message.text} for message in history if message.text]
        messages.append({"role": "user", "content": self._text})
        waiting = ""
        usage: Any = None
        try:
            stream = await self._client.chat.completions.create(
                model=self._spec.model,
                messages=messages,
                stream=True,
                stream_options={"include_usage": True},
                temperature=self._spec.temperature,
                max_tokens=self._spec.max_tokens,
                seed=self._context.seed,
            )
            async with stream:
                async for chunk in stream:
                    usage = chunk.usage or usage
                    waiting += (chunk.choices[0].delta.content or "") if chunk.choices else ""
                    sentence, waiting = _split(waiting)
                    if sentence:
                        yield Reply(text=self._secrets.scrub(sentence))
        except OpenAIError as error:
            raise _refused(f"{self._spec.base_url} ({self._spec.model})", error, self._secrets) from None
        finally:
            self._tell_usage(turn, usage)
        if waiting.strip():
            yield Reply(text=self._secrets.scrub(waiting.strip()))

    def understood(self) -> str:
        """The text of the last turn."""
        return self._text

    def _tell_usage(self, turn: HeardTurn, usage: Any) -> None:
        """Tell of the time since the last exchange and, where the server counts them, of its tokens."""
        since_s, self._counted = (turn.at - self._counted) / self._context.sample_rate, turn.at
        tokens = {f"{kind}_tokens": count for kind, count in _counts(usage).items() if count}
        self._context.emit(turn.at, "usage", model=self._spec.model, session_s=round(since_s, 3), **tokens)

    async def close(self) -> None:
        """Close the client's connections."""
        if self._client is not None:
            await self._client.close()


def _client(spec: ChatSpec, secrets: Secrets) -> Any:
    from openai import AsyncOpenAI

    base_url = secrets.expand(spec.base_url)
    variable = spec.api_key_env or key_variable(base_url)
    # A local server wants no key, the client insists on one.
    key = secrets.variable(variable) if variable else "none"
    return AsyncOpenAI(base_url=base_url, api_key=key, timeout=spec.timeout, max_retries=2)


def _counts(usage: Any) -> dict[str, int]:
    """Give the tokens of a completion by kind; what was read from a cache is not counted as read."""
    if usage is None:
        return {}
    cached = getattr(usage.prompt_tokens_details, "cached_tokens", None) or 0
    return {"input_text": usage.prompt_tokens - cached, "cached_text": cached, "output_text": usage.completion_tokens}


def _refused(name: str, error: Exception, secrets: Secrets) -> RemoteError:
    """The error as a sentence; servers quote keys, so the error itself is no cause to be logged."""
    return RemoteError(secrets.scrub(f"{name} did not answer: {error}"))


def _split(text: str) -> tuple[str, str]:
    """Cut a text behind its last finished sentence: (finished, rest)."""
    end = max(text.rfind(mark) for mark in (". ", "! ", "? ", "\n"))
    return (text[: end + 1].strip(), text[end + 1 :]) if end >= 0 else ("", text)
