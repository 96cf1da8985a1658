"""llama_omni: replies from a LLaMA-Omni worker, which its controller names; units become sound by a function of yours.

    agent:
      kind: turn_based
      responder:
        kind: llama_omni
        base_url: http://127.0.0.1:21001        # the controller; or worker: http://127.0.0.1:21002
        vocoder: my_vocoder:speak
        folder: .

    def speak(units):                            # a list of whole numbers, those of one answer
        return samples, 16_000                   # float32 (n,), full scale 1.0; samples alone are at 16 kHz

The protocol is in protocol.py. The worker has one round only: it is sent the turn without what came before. Without a
vocoder the text is spoken by the actor's own voice. The model's weights are for non-commercial use.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import anyio
import numpy as np
from msgspec import Meta

from agents.llama_omni.protocol import (
    GENERATE,
    MODELS,
    MOST_TOKENS,
    REFRESH,
    UNIT_HZ,
    WIRE_HZ,
    WORKER,
    LlamaOmniAnswer,
    LlamaOmniCore,
)
from agents.remote.http_asker import HttpAsker
from agents.remote.trace import TraceRecord
from agents.responders.remote import TurnUsage, heard_of
from simulator.errors import ActorError, ScenarioError
from simulator.frame import Samples, freeze
from simulator.plugins import function_named
from simulator.remote.server import check_base_url, check_token
from simulator.sound import recordings
from simulator.speaking.dialogue import HeardTurn, Message, Reply, ResponderContext, ResponderSpec
from simulator.spec import Duration
from simulator.traits import PartyTraits

SYSTEM = "You are a helpful voice assistant. You answer what the user asks in speech, in spoken words and briefly."

Vocoder = Callable[[list[int]], Any]


class LlamaOmniSpec(ResponderSpec, frozen=True, kw_only=True, tag="llama_omni"):
    """A LLaMA-Omni controller (base_url) or one of its workers (worker).

    base_url: the controller's address. worker: one worker's address, without a controller. model: which one the
    controller should name (default: its first). vocoder: `module:function` that makes sound of units; folder: where its
    module lies. system: what the prompt begins with. temperature, top_p, max_new_tokens: of an answer. timeout: for
    each request. token: `${NAME}`, sent as a Bearer header to base_url.
    """

    base_url: str | None = None
    worker: str | None = None
    model: str = ""
    vocoder: str | None = None
    folder: Path | None = None
    system: str = SYSTEM
    temperature: Annotated[float, Meta(ge=0, le=2)] = 0.0
    top_p: Annotated[float, Meta(gt=0, le=1)] = 0.7
    max_new_tokens: Annotated[int, Meta(ge=1, le=MOST_TOKENS)] = 512
    timeout: Duration = Duration(120.0)
    token: str | None = None

    def __post_init__(self) -> None:
        if (self.base_url is None) == (self.worker is None):
            raise ValueError("llama_omni has exactly one of base_url, the controller, and worker")

    @property
    def address(self) -> str:
        """The controller, or the worker where it is named itself."""
        return self.base_url or self.worker or ""

    def traits(self) -> PartyTraits:
        """A far end that may sample; its price goes by the model's name."""
        return PartyTraits(deterministic=False, remote=True, billed_as=(self.model or "llama_omni",))

    def check(self, where: str) -> None:
        """Refuse an address that is none, a token that is written out, a vocoder that is not there."""
        check_base_url(self.address, where)
        check_token(self.token, f"{where}.token")
        try:
            self.speech()
        except ScenarioError as error:
            raise ScenarioError(f"{where}.vocoder: {error}") from error

    def core(self) -> LlamaOmniCore:
        """Make the protocol's core."""
        sampling = {"temperature": self.temperature, "top_p": self.top_p, "max_new_tokens": self.max_new_tokens}
        return LlamaOmniCore(self.system, model=self.model, sampling=sampling)

    def speech(self) -> Vocoder | None:
        """Import and give the vocoder; None where there is none. ScenarioError: it is not found."""
        return function_named(self.vocoder, self.folder) if self.vocoder else None

    def build(self) -> "LlamaOmni":
        """Make the responder."""
        return LlamaOmni(self)

    def reader(self) -> "LlamaOmniReader":
        """Make what reads the messages of a trace; it needs the vocoder."""
        return LlamaOmniReader(self)

    async def probe(self) -> str:
        """Find the model's worker; gives a sentence."""
        return await LlamaOmni(self).probe()


class LlamaOmni:
    """Sends each turn to a worker and says what its units come to."""

    def __init__(self, spec: LlamaOmniSpec) -> None:
        self._spec = spec
        self._asker = HttpAsker("llama_omni", spec.address, spec.token, spec.timeout)
        self._core = spec.core()
        self._vocoder = spec.speech()
        self._worker: str | None = None
        self._usage = TurnUsage()

    async def start(self, context: ResponderContext) -> None:
        """Find the worker. RemoteError: the controller cannot be reached, or has none for the model."""
        self._asker.begin(context)
        with self._asker.server.at_fault():
            await self._find_worker()

    async def respond(self, turn: HeardTurn, history: Sequence[Message]) -> AsyncGenerator[Reply, None]:
        """Send the turn, cut where the other fell silent, and give the answer."""
        heard = recordings.resample(heard_of(turn), turn.sample_rate, WIRE_HZ)
        with self._asker.server.at_fault():
            answer = await self._answer_to(heard)
        reply = await anyio.to_thread.run_sync(spoken_reply, answer, self._vocoder)
        said_s = 0.0 if reply.samples is None else len(reply.samples) / reply.sample_rate
        used = self._usage.of(self._core.model or "llama_omni", turn, sent_s=len(heard) / WIRE_HZ, said_s=said_s)
        yield Reply(text=self._asker.server.secrets.scrub(reply.text), samples=reply.samples,
                    sample_rate=reply.sample_rate, events=(("usage", {"at": turn.at, **used}),))  # fmt: skip

    def understood(self) -> str:
        """It does not say."""
        return ""

    async def close(self) -> None:
        """Nothing to let go of: every request has a connection of its own."""

    async def probe(self) -> str:
        """Reach the controller; gives a sentence."""
        with self._asker.server.at_fault():
            await self._find_worker()
        where = f"its worker for {self._core.model} is at {self._worker}" if self._worker else "is taken as a worker"
        return self._asker.server.secrets.scrub(f"{self._asker.server.name}: {where}")

    async def _find_worker(self) -> None:
        if self._spec.worker is not None:
            return
        await self._asker.post(REFRESH, {}, told={})
        got = await self._asker.post(MODELS, {}, told={})
        asked = {"model": self._core.choose(got.status, got.body)}
        got = await self._asker.post(WORKER, asked, told=asked)
        self._worker = self._core.worker(got.status, got.body)

    async def _answer_to(self, samples: Samples) -> LlamaOmniAnswer:
        body = self._core.ask(samples)
        told = {**body, "audio": {"samples": len(samples), "sample_rate": WIRE_HZ}}
        got = await self._asker.post(GENERATE, body, told=told, url=self._worker)
        return self._core.receive(got.status, got.body)


class LlamaOmniReader:
    """Reads a trace's messages through the core and the vocoder, without the network."""

    def __init__(self, spec: LlamaOmniSpec) -> None:
        self._core = spec.core()
        self._vocoder = spec.speech()

    def read(self, record: TraceRecord) -> Reply | None:
        """Give the reply that a message made, if it made one."""
        if (record.dir, record.type) != ("received", GENERATE):
            return None
        answer = self._core.receive(record.json["status"], record.json["body"].encode())
        return spoken_reply(answer, self._vocoder)


def spoken_reply(answer: LlamaOmniAnswer, vocoder: Vocoder | None) -> Reply:
    """Give the reply with its sound; an answer without units is a text. ActorError: the vocoder gave no sound."""
    if vocoder is None or not answer.units:
        return Reply(text=answer.text)
    made = vocoder(answer.units)
    samples, rate = made if isinstance(made, tuple) and len(made) == 2 else (made, UNIT_HZ)
    try:
        sound = np.asarray(samples, np.float32)
    except (TypeError, ValueError) as error:
        raise ActorError(f"the vocoder gave {type(samples).__name__}; float32 (n,) is expected") from error
    if sound.ndim != 1 or not len(sound) or not np.isfinite(sound).all():
        raise ActorError(f"the vocoder gave sound of shape {sound.shape}; finite float32 (n,) is expected")
    if isinstance(rate, bool) or not isinstance(rate, int) or not 4_000 <= rate <= 192_000:
        raise ActorError(f"the vocoder gave a rate of {rate!r}; 4000 to 192000 Hz are allowed")
    return Reply(text=answer.text, samples=freeze(np.clip(sound, -1.0, 1.0)), sample_rate=rate)
