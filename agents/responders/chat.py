"""Replies from any OpenAI-compatible chat endpoint, given by base URL.

What the model writes goes back to it with the next turn as it was written; what is said of it is sorted out by
`speakable`: thoughts (`<think>`), markup, bullets, emoji, [stage directions] are not said but noted as `unspoken`.
It may call the tools of the session's world, several at once and in several rounds, before it answers.
An answer that is filtered, cut off or empty is noted as `response_failed`.
"""

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, contextmanager
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from agents.remote.chat_client import chat_client, check_chat_url, token_counts
from agents.remote.failure import FAILED, STARTED, failed_fields
from agents.responders.chat_calls import ToolRounds
from agents.responders.completion import ChatPart, Ended, parts_of
from agents.responders.kept_parts import kept_parts
from agents.responders.sentences import Sentences
from simulator.cassettes.recording import nothing_goes_out
from simulator.errors import RemoteError
from simulator.reading.secrets import Secrets, key_variable
from simulator.remote.chat_models import asked_at, probe_models, refused
from simulator.speaking.dialogue import HeardTurn, Message, Reply, ResponderContext, ResponderSpec
from simulator.spec import Duration
from simulator.traits import PartyTraits

VOICE_RULES = "You are speaking on the telephone. Answer in one or two short spoken sentences, without lists or markup."


class ChatSpec(ResponderSpec, frozen=True, kw_only=True, tag="chat"):
    """Ask a chat endpoint: `{kind: chat, base_url: "http://127.0.0.1:11434/v1", model: llama3.2}`.

    api_key_env: the environment variable that holds the key; without it OpenAI gets OPENAI_API_KEY, and nobody else
    gets a key. system: the instructions. The model's name is what its price goes by. max_tokens: of an answer, the
    thoughts of a model that thinks included. speak_raw: say all that the model writes, thoughts and markup too.
    max_rounds: how often it may call tools before it answers a turn. base_url: the endpoint's address, up to /v1.
    model: its name. temperature: how freely it answers; 0 takes the likeliest. timeout: for an answer.
    """

    base_url: str
    model: str
    system: str = VOICE_RULES
    api_key_env: str | None = None
    temperature: float = 0.0
    max_tokens: int = 200
    timeout: Duration = Duration(30.0)
    speak_raw: bool = False
    max_rounds: Annotated[int, Meta(ge=1, le=100)] = 8

    def traits(self) -> PartyTraits:
        """The same turn need not get the same answer; the model's name is what its price goes by."""
        return PartyTraits(deterministic=False, billed_as=(self.model,), calls_tools=True)

    def check(self, where: str) -> None:
        """Refuse a base URL that is none."""
        check_chat_url(self.base_url, where)

    def build(self) -> "Chat":
        """Make the responder."""
        return Chat(self)

    async def probe(self) -> str:
        """Ask the endpoint for its models: reachable, key accepted, model there. RemoteError when not."""
        secrets = Secrets()
        return await probe_models(_client(self, secrets), asked_at(self.base_url, secrets), self.model, secrets)


class Chat:
    """Sends the dialogue so far and gives the answer sentence by sentence, as it is streamed."""

    def __init__(self, spec: ChatSpec) -> None:
        self._spec = spec
        self._text = ""
        self._client: Any = None
        self._secrets = Secrets()
        self._counted = 0
        self._asked = 0

    async def start(self, context: ResponderContext) -> None:
        """Make the client; the server is reached with the first turn."""
        self._context = context
        self._rounds = ToolRounds(context.port)
        self._client = None if nothing_goes_out() else _client(self._spec, self._secrets)

    async def respond(self, turn: HeardTurn, history: Sequence[Message]) -> AsyncGenerator[Reply, None]:
        """Stream the answer; every finished sentence is a piece."""
        self._text = turn.text or ""
        self._asked += 1
        self._context.emit(turn.at, STARTED, id=self._id)
        place, at = len(history), turn.at
        for number in range(self._spec.max_rounds + 1):
            ended, reply = Ended(), Sentences(raw=self._spec.speak_raw)
            async with aclosing(self._round(turn, history, ended, reply)) as pieces:
                async for piece in pieces:
                    apart = " " if number and reply.pieces == 1 else ""  # what came before stands in the same message
                    yield msgspec.structs.replace(piece, not_before=at, written=apart + (piece.written or ""))
            if not ended.calls or not self._rounds.tools or number == self._spec.max_rounds:
                break
            at = await self._rounds.perform(place, ended.calls, reply.whole, at)
        self._rounds.settle(place)
        self._tell_outcome(turn, ended, reply)

    async def _round(
        self, turn: HeardTurn, history: Sequence[Message], ended: Ended, reply: Sentences
    ) -> AsyncGenerator[Reply, None]:
        """Ask once and give what is to be said; what it called is in `ended`."""
        try:
            with self._at_fault():
                async with aclosing(self._parts(history)) as parts:
                    async for part in parts:
                        ended.take(part)
                        if (piece := reply.take(part.text)) is not None:
                            yield self._scrubbed(piece)
            if (piece := reply.finish()) is not None:
                yield self._scrubbed(piece)
        finally:
            self._tell_unspoken(turn, [*ended.thoughts, *reply.unspoken])
            self._tell_usage(turn, ended.usage)

    def _parts(self, history: Sequence[Message]) -> AsyncGenerator[ChatPart, None]:
        system = "\n\n".join(filter(None, (self._spec.system, self._context.port.instructions)))
        messages = [{"role": "system", "content": system}, *self._rounds.messages(history, self._text)]
        tools = self._rounds.tools
        request: dict[str, Any] = {
            "model": self._spec.model,
            "messages": messages,
            "temperature": self._spec.temperature,
            "max_tokens": self._spec.max_tokens,
            "seed": self._context.seed,
            **({"tools": tools} if tools else {}),
        }
        client = self._client
        return kept_parts(self._spec.base_url, request, lambda: parts_of(client, request), self._secrets, kind="chat")

    @property
    def _id(self) -> str:
        return f"response-{self._asked}"

    @contextmanager
    def _at_fault(self) -> Iterator[None]:
        from openai import OpenAIError

        name = f"{self._spec.base_url} ({self._spec.model})"
        try:
            yield
        except OpenAIError as error:
            raise refused(name, error, self._secrets) from None
        except RemoteError as error:
            raise RemoteError(self._secrets.scrub(f"{name} {error}")) from None

    def _scrubbed(self, piece: Reply) -> Reply:
        scrub = self._secrets.scrub
        return Reply(text=scrub(piece.text), written=scrub(piece.written or ""))

    def _tell_outcome(self, turn: HeardTurn, ended: Ended, reply: Sentences) -> None:
        outcome = ended.outcome(wrote=reply.wrote, thought=reply.thought)
        failure = outcome.failure
        if ended.calls and self._rounds.tools:
            failure = f"it called tools {self._spec.max_rounds + 1} times in a row (max_rounds {self._spec.max_rounds})"
        if failure is not None:
            reason = self._secrets.scrub(failure)
            status = outcome.finish or None
            self._context.emit(turn.at, FAILED, **failed_fields("chat", reason, id=self._id, status=status))

    def _tell_unspoken(self, turn: HeardTurn, left_out: Sequence[str]) -> None:
        """Keep what the model wrote and was not said, in one event for a reply."""
        if left_out:
            self._context.emit(turn.at, "unspoken", id=self._id, text=self._secrets.scrub(" ".join(left_out)))

    def understood(self) -> str:
        """The text of the last turn."""
        return self._text

    def _tell_usage(self, turn: HeardTurn, usage: Any) -> None:
        """Tell of the time since the last exchange and, where the server counts them, of its tokens."""
        since_s, self._counted = (turn.at - self._counted) / self._context.sample_rate, turn.at
        self._context.emit(turn.at, "usage", model=self._spec.model, session_s=round(since_s, 3), **token_counts(usage))

    async def close(self) -> None:
        """Close the client's connections."""
        if self._client is not None:
            await self._client.close()


def _client(spec: ChatSpec, secrets: Secrets) -> Any:
    variable = spec.api_key_env or key_variable(secrets.expand(spec.base_url))
    return chat_client(spec.base_url, secrets.variable(variable) if variable else None, spec.timeout, secrets)
