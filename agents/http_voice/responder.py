"""http_voice: replies from a Bittensor-style voice server, one POST per turn.

    agent:
      kind: turn_based
      responder: {kind: http_voice, base_url: "http://127.0.0.1:8000"}

The protocol is in protocol.py. Before the session the server's health is asked for, again and again until
it is ready. `${NAME}` in base_url and token is expanded when connecting and never written anywhere.
"""

from collections.abc import AsyncGenerator, Sequence
from typing import Any

import msgspec
import numpy as np

from agents.http_voice.protocol import (
    HEALTH_PATHS,
    WIRE_HZ,
    AnswerMode,
    Generation,
    HttpVoiceCore,
    Modality,
    VoiceAnswer,
)
from agents.remote.trace import TraceRecord
from agents.responders.remote import TurnUsage, heard_of
from simulator.clock import seconds, sleep
from simulator.errors import RemoteError
from simulator.frame import Samples
from simulator.remote.http_exchange import HttpAnswer, HttpRequest, exchange
from simulator.remote.server import RemoteServer, check_base_url, check_token
from simulator.sound import recordings
from simulator.speaking.dialogue import HeardTurn, Message, Reply, ResponderContext, ResponderSpec
from simulator.spec import Duration
from simulator.traits import PartyTraits

HEALTH_S = 5.0
BETWEEN_S = 2.0
"""How long one question after the server's health may take, and how long to wait before the next."""


class HttpVoiceSpec(ResponderSpec, frozen=True, kw_only=True, tag="http_voice"):
    """A voice server by its address, which may carry a path: `{kind: http_voice, base_url: "http://host:8000/miner"}`.

    generation: which paths and shapes it knows; `auto` tries /api/v1/v2v and goes to /api/v1/inference on 404.
    modality: `text` asks for text alone, which the actor's own voice speaks. mode: `compat` takes answers as the
    validator does (one channel, the request's rate), `liberal` whatever can be played. timeout: for an answer (default:
    what validators of the generation allow: 30, 60, 200 s). ready_within: how long to wait for a server that still
    loads. token: `${NAME}`, sent as a Bearer header. base_url: the server's address.
    """

    base_url: str
    generation: Generation = "auto"
    modality: Modality = "voice"
    mode: AnswerMode = "liberal"
    timeout: Duration | None = None
    ready_within: Duration = Duration(300.0)
    token: str | None = None

    def traits(self) -> PartyTraits:
        """The same turn need not get the same answer; its price goes by the kind's name."""
        return PartyTraits(deterministic=False, remote=True, billed_as=("http_voice",))

    def __post_init__(self) -> None:
        if self.modality == "text" and self.generation == "v1":
            raise ValueError(
                "modality: text is asked at /api/v1/v2t, which v1 does not have; auto, v2 or v4 is allowed"
            )

    def check(self, where: str) -> None:
        """Refuse a base URL that is none, and a token that is written out."""
        check_base_url(self.base_url, where)
        check_token(self.token, f"{where}.token")

    def build(self) -> "HttpVoice":
        """Make the responder."""
        return HttpVoice(self)

    def reader(self) -> "HttpVoiceReader":
        """Make what reads the messages of a trace."""
        return HttpVoiceReader(self)

    async def probe(self) -> str:
        """Ask for the server's health, then have it answer half a second of silence; gives a sentence."""
        return await HttpVoice(msgspec.structs.replace(self, ready_within=Duration(HEALTH_S))).probe()


class HttpVoice:
    """Sends each turn and says what comes back."""

    def __init__(self, spec: HttpVoiceSpec) -> None:
        self._spec = spec
        self._server = RemoteServer("http_voice", spec.base_url, spec.token)
        self._core = HttpVoiceCore(spec.generation, spec.timeout, modality=spec.modality, mode=spec.mode)
        self._context: ResponderContext | None = None
        self._usage = TurnUsage()

    async def start(self, context: ResponderContext) -> None:
        """Wait until the server is healthy. RemoteError when it is not within `ready_within`."""
        self._context = context
        with self._server.at_fault():
            await self._wait_until_ready()

    async def respond(self, turn: HeardTurn, history: Sequence[Message]) -> AsyncGenerator[Reply, None]:
        """Send the turn, cut where the other fell silent, and give the answer."""
        heard = recordings.resample(heard_of(turn), turn.sample_rate, WIRE_HZ)
        with self._server.at_fault():
            answer = await self._answer_to(heard)
        used = self._usage.of("http_voice", turn, sent_s=len(heard) / WIRE_HZ, said_s=answer.sound_s)
        text = self._server.secrets.scrub(answer.text)
        yield Reply(text=text, samples=answer.samples, sample_rate=answer.sample_rate,
                    events=(("usage", {"at": turn.at, **used}),))  # fmt: skip

    def understood(self) -> str:
        """Nobody knows."""
        return ""

    async def close(self) -> None:
        """Nothing to let go of: every request has a connection of its own."""

    async def probe(self) -> str:
        """Reach the server; gives a sentence."""
        with self._server.at_fault():
            await self._wait_until_ready()
            began_s = seconds()
            answer = await self._answer_to(np.zeros(WIRE_HZ // 2, np.float32))
        told = "a text" if answer.samples is None else f"{answer.sound_s:.2f} s of sound"
        return (f"{self._server.name} is healthy; {self._core.generation} answered half a second of silence with "
                f"{told} in {seconds() - began_s:.2f} s")  # fmt: skip

    async def _answer_to(self, samples: Samples) -> VoiceAnswer:
        """Ask, and once again if the server turns out to be of the other generation."""
        answer = None
        while answer is None:
            ask = self._core.ask(samples)
            self._note("sent", ask.path, {"samples": len(samples), "sample_rate": WIRE_HZ})
            got = await self._send(ask.path, ask.timeout_s, msgspec.json.encode(ask.body))
            self._note("received", "answer", {"status": got.status, "body": got.body.decode("utf-8", "replace")})
            answer = self._core.receive(got.status, got.body)
        return answer

    def _note(self, direction: Any, type_: str, payload: object) -> None:
        if self._context is not None:
            self._context.trace(direction, type_, self._server.secrets.scrub_all(payload))

    async def _send(self, path: str, timeout_s: float, body: bytes | None = None) -> HttpAnswer:
        return await exchange(HttpRequest(
            url=self._server.url(path), body=body, headers=self._server.headers(), timeout_s=timeout_s
        ))  # fmt: skip

    async def _wait_until_ready(self) -> None:
        """Ask the three health paths in turn until one says 200."""
        deadline = seconds() + self._spec.ready_within
        while (problem := await self._unhealthy()) is not None:
            if seconds() + BETWEEN_S > deadline:
                raise RemoteError(f"{problem}; it was not ready within {self._spec.ready_within}")
            await sleep(BETWEEN_S)

    async def _unhealthy(self) -> str | None:
        problem = None
        for path in HEALTH_PATHS:
            try:
                answer = await self._send(path, HEALTH_S)
            except RemoteError as error:
                return problem or str(error)
            if answer.status == 200:
                return None
            if answer.status in (401, 403):
                raise RemoteError(f"refused the key (HTTP {answer.status})")
            problem = problem or f"answered {path} with HTTP {answer.status}"
        return problem


class HttpVoiceReader:
    """Reads a trace's messages through the core, without the network."""

    def __init__(self, spec: HttpVoiceSpec) -> None:
        self._core = HttpVoiceCore(spec.generation, modality=spec.modality, mode=spec.mode)

    def read(self, record: TraceRecord) -> Reply | None:
        """Give the reply that a message made, if it made one."""
        if (record.dir, record.type) != ("received", "answer"):
            return None
        answer = self._core.receive(record.json["status"], record.json["body"].encode())
        if answer is None:
            return None
        return Reply(text=answer.text, samples=answer.samples, sample_rate=answer.sample_rate)
