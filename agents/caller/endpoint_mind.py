"""A mind behind any OpenAI-compatible chat endpoint.

Every moment is one request, whose answer is a JSON object that is checked. A busy or broken server is asked again by
the client; an answer that is cut off, empty, refused or none of the form is asked for again, with what was wrong.
What stays without an answer ends the session: a caller that says nothing tests nobody.
"""

import re
from contextlib import aclosing
from typing import Annotated, Any, Literal

from msgspec import Meta

from agents.caller.brief import Brief
from agents.caller.endpoint_reply import CallerReply, Json, messages_of, read_reply, schema
from agents.caller.instructions import instructions_for
from agents.caller.mind import MindContext, MindSpec, Situation, Thought
from agents.remote.chat_client import chat_client, check_chat_url, token_counts
from agents.remote.failure import FAILED, STARTED, failed_fields
from agents.responders.chat_calls import ToolRounds, offered
from agents.responders.completion import Ended, parts_of
from agents.responders.kept_parts import kept_parts
from simulator.cassettes.recording import nothing_goes_out
from simulator.errors import RemoteError, ScenarioError
from simulator.languages.lookup import known
from simulator.reading.secrets import Secrets, key_variable
from simulator.remote.chat_models import asked_at, probe_models, refused
from simulator.remote.server import check_token
from simulator.spec import Duration
from simulator.traits import PartyTraits

MOST_ROUNDS = 8
"""So often it may call tools before it says something."""

SPEAKS_FROM_S = 1.0
"""Who waits so long for a tool says so first: the scorer `tools` asks the same of agents."""

TRIES = 3
"""So often an answer is asked for before the endpoint is said to give none."""

Form = Literal["schema", "object", "text"]
LESS: dict[Form, Form] = {"schema": "object", "object": "text"}
"""What is asked for where a server does not know a form of answers."""


class EndpointMindSpec(MindSpec, frozen=True, kw_only=True, tag="chat"):
    """Think by a chat endpoint: `llm: {base_url: "http://127.0.0.1:11434/v1", model: llama3.2, api_key: "${KEY}"}`.

    api_key: written as `${NAME}`; without it OpenAI gets OPENAI_API_KEY, and nobody else gets a key. form: how the JSON
    is asked for; where a server refuses that, less is asked. max_tokens: of an answer, thoughts included. base_url: the
    endpoint's address, up to /v1. model: its name. temperature: how freely it answers; 0 takes the likeliest. timeout:
    for an answer.
    """

    base_url: str
    model: Annotated[str, Meta(min_length=1)]
    api_key: str | None = None
    temperature: float = 0.0
    max_tokens: Annotated[int, Meta(ge=1)] = 400
    timeout: Duration = Duration(30.0)
    form: Form = "schema"

    def traits(self) -> PartyTraits:
        """The same moment need not get the same answer; the model's name is what its price goes by."""
        return PartyTraits(deterministic=False, billed_as=(self.model,), calls_tools=True)

    def check(self, brief: Brief, where: str) -> None:
        """Refuse a base URL that is none, a key that is written out."""
        check_chat_url(self.base_url, where)
        try:
            check_token(self.api_key, where)
        except ScenarioError:
            raise ScenarioError(
                f"{where}.api_key: write it as ${{NAME}}, the name of an environment variable"
            ) from None

    def build(self) -> "EndpointMind":
        """Make the mind."""
        return EndpointMind(self)

    async def probe(self) -> str:
        """Ask the endpoint for its models. RemoteError when it cannot be reached."""
        secrets = Secrets()
        return await probe_models(self.client(secrets), asked_at(self.base_url, secrets), self.model, secrets)

    def client(self, secrets: Secrets) -> Any:
        """Make the client. ScenarioError: a variable is not set."""
        variable = key_variable(secrets.expand(self.base_url))
        key = secrets.expand(self.api_key) if self.api_key else secrets.variable(variable) if variable else None
        return chat_client(self.base_url, key, self.timeout, secrets)


class EndpointMind:
    """Asks for a thought at every moment."""

    def __init__(self, spec: EndpointMindSpec) -> None:
        self._spec = spec
        self._secrets = Secrets()
        self._client: Any = None
        self._form: Form = spec.form
        self._stage = 0
        self._asked = self._counted = 0
        self._rounds = 0
        """How often it called in a row before the answer that it waits for."""
        self._did: list[str] = []
        """What it called and was answered, a line each: its part of the dialogue holds words alone."""

    async def start(self, context: MindContext) -> None:
        """Make the client; the server is reached with the first moment."""
        self._context = context
        self._client = None if nothing_goes_out() else self._spec.client(self._secrets)

    async def close(self) -> None:
        """Close the client's connections."""
        if self._client is not None:
            await self._client.close()

    async def think(self, situation: Situation) -> Thought:
        """Ask. RemoteError: no answer came that can be used."""
        if situation.occurred != "cut_in" and not any(message.role == "assistant" for message in situation.history):
            opening = self._context.brief.opening
            if opening:
                return Thought(choice="say", say=opening, reason="its opening")
        reply = await self._reply(situation)
        stages = self._context.brief.stages
        if isinstance(reply, CallerReply) and reply.stage_reached and self._stage + 1 < len(stages):
            self._stage += 1
            reply = await self._reply(situation)  # now that the next part is known to it
        if isinstance(reply, Thought):
            return reply
        words = " ".join(self._secrets.scrub(reply.say).split())
        choice = "say" if reply.action == "barge_in" else reply.action
        return Thought(choice=choice, say=words, reason=self._secrets.scrub(reply.reason)[:200])

    async def _reply(self, situation: Situation) -> CallerReply | Thought:
        """Give what it answers, or that a tool that it called takes its time."""
        context = self._context
        stage = self._stage if context.brief.stages else None
        brief = instructions_for(context.brief, context.manner, stage=stage, language=context.language)
        told = [brief, context.port.instructions]
        told += ["What you did so far, and what came of it:", *self._did] if self._did else []
        system = "\n".join(filter(None, told))
        may_hang_up = context.manner.hang_up
        messages = messages_of(system, situation, may_hang_up=may_hang_up)
        complaint = ""
        for _ in range(TRIES):
            text = ""
            try:
                answer = await self._answer(messages, situation)
                if isinstance(answer, Thought):
                    return answer
                text = answer
                return read_reply(text, situation.occurred, may_hang_up=may_hang_up)
            except ValueError as error:
                complaint = str(error)
                self._tell_failure(situation, complaint)
            messages = [*messages, {"role": "assistant", "content": text or "(nothing)"},
                        {"role": "user", "content": f"[You {complaint}. Answer again.]"}]  # fmt: skip
        raise RemoteError(self._secrets.scrub(f"{self._name} {complaint}; it was asked {TRIES} times"))

    async def _answer(self, messages: list[Json], situation: Situation) -> str | Thought:
        """Give the text of an answer, after the calls of tools that it makes first. ValueError: it is not whole.

        Where one of them takes its time, give that instead: it is asked again when the answer is there.
        """
        port, rounds, at = self._context.port, ToolRounds(self._context.port), situation.at
        before = self._rounds if situation.occurred == "answered" else 0
        for made_before in range(before, MOST_ROUNDS + 1):
            text, ended = await self._tried([*messages, *rounds.behind(0)], situation)
            if not ended.calls or not port.tools:
                failure = ended.outcome(wrote=bool(text.strip()), thought=False).failure
                if failure is not None:
                    raise ValueError(f"gave no whole answer: {failure}")
                return text
            at = await rounds.perform(0, ended.calls, text, at)
            answers = [item["content"] for item in rounds.behind(0) if item["role"] == "tool"]
            made = zip(ended.calls, answers[-len(ended.calls) :], strict=True)
            self._did += [f"{call.name}({call.arguments}): {answer}" for call, answer in made]
            if at > port.moment(situation.at):
                self._rounds = made_before + 1
                return self._busy(situation, at)
        raise ValueError(f"called tools {MOST_ROUNDS + 1} times in a row")

    def _busy(self, situation: Situation, until: int) -> Thought:
        """What a person does who has to wait for what they look up or switch on: say so, if nobody speaks."""
        soon = until - situation.at < SPEAKS_FROM_S * self._context.rate
        quiet = soon or situation.occurred in ("cut_in", "answered")
        words = "" if quiet else known(self._context.language).hold
        return Thought(choice="say" if words else "wait", say=words, reason="calls a tool", until=until)

    async def _tried(self, messages: list[Json], situation: Situation) -> tuple[str, Ended]:
        """Ask, by less of a form where the server knows no more. RemoteError: the endpoint failed."""
        from openai import BadRequestError, OpenAIError, UnprocessableEntityError

        while True:
            self._asked += 1
            self._context.emit(situation.at, STARTED, id=self._id)
            try:
                return await self._asked_once(messages, situation)
            except (BadRequestError, UnprocessableEntityError) as error:
                if self._form not in LESS or not re.search("response_format|schema", str(error)):
                    raise refused(self._name, error, self._secrets) from None
                self._form = LESS[self._form]
                self._tell_failure(situation, f"does not know this form of answers: {error}")
            except OpenAIError as error:
                raise refused(self._name, error, self._secrets) from None
            except RemoteError as error:
                raise RemoteError(self._secrets.scrub(f"{self._name} {error}")) from None

    async def _asked_once(self, messages: list[Json], situation: Situation) -> tuple[str, Ended]:
        spec, ended, text = self._spec, Ended(), ""
        request: Json = {
            "model": spec.model,
            "messages": messages,
            "temperature": spec.temperature,
            "max_tokens": spec.max_tokens,
            "seed": self._context.seed,
            **self._format(situation),
            **({"tools": tools} if (tools := offered(self._context.port.tools)) else {}),
        }
        client = self._client
        kept = kept_parts(spec.base_url, request, lambda: parts_of(client, request), self._secrets, kind="caller")
        async with aclosing(kept) as parts:
            async for part in parts:
                ended.take(part)
                text += part.text
        since_s, self._counted = (situation.at - self._counted) / self._context.rate, situation.at
        told = token_counts(ended.usage)
        self._context.emit(situation.at, "usage", model=spec.model, session_s=round(since_s, 3), **told)
        return text, ended

    def _format(self, situation: Situation) -> Json:
        if self._form == "text":
            return {}
        if self._form == "object":
            return {"response_format": {"type": "json_object"}}
        form = schema(may_hang_up=self._context.manner.hang_up, occurred=situation.occurred)
        return {
            "response_format": {"type": "json_schema", "json_schema": {"name": "turn", "strict": True, "schema": form}}
        }

    def _tell_failure(self, situation: Situation, complaint: str) -> None:
        reason = self._secrets.scrub(complaint)
        self._context.emit(situation.at, FAILED, **failed_fields("caller", reason, id=self._id))

    @property
    def _id(self) -> str:
        return f"response-{self._asked}"

    @property
    def _name(self) -> str:
        return f"the caller's llm at {self._spec.base_url} ({self._spec.model})"
