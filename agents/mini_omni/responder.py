"""mini_omni: replies from a Mini-Omni server, one POST per turn.

    agent:
      kind: turn_based
      responder: {kind: mini_omni, base_url: "http://127.0.0.1:60808"}

The protocol is in protocol.py. The server answers one request at a time and keeps no history; it gives no text, so what
it said is known by recognition alone. `${NAME}` in base_url and token is expanded when connecting.
"""

import asyncio
import base64
from collections.abc import AsyncGenerator, Sequence
from typing import Annotated, Any
from weakref import WeakKeyDictionary

import anyio
from msgspec import Meta

from agents.mini_omni.protocol import ASKED_HZ, PATH, MiniOmniAnswer, MiniOmniCore
from agents.remote.http_asker import HttpAsker
from agents.remote.trace import TraceRecord
from agents.responders.remote import TurnUsage, heard_of
from simulator.clock import seconds
from simulator.frame import Samples, silence
from simulator.remote.server import check_base_url, check_token
from simulator.sound import recordings
from simulator.speaking.dialogue import HeardTurn, Message, Reply, ResponderContext, ResponderSpec
from simulator.spec import Duration
from simulator.traits import PartyTraits

MOST_TOKENS = 2048

_TURNS: WeakKeyDictionary[Any, dict[str, anyio.Lock]] = WeakKeyDictionary()
"""By event loop and address: two requests at once would be answered into each other."""


class MiniOmniSpec(ResponderSpec, frozen=True, kw_only=True, tag="mini_omni"):
    """A Mini-Omni server by its address: `{kind: mini_omni, base_url: "http://127.0.0.1:60808"}`.

    base_url: the server's address. stream_stride: frames of sound per chunk of its answer. max_tokens: of an answer.
    timeout: for a whole answer. token: `${NAME}`, sent as a Bearer header, for a server behind a proxy that wants one.
    """

    base_url: str
    stream_stride: Annotated[int, Meta(ge=1, le=1024)] = 4
    max_tokens: Annotated[int, Meta(ge=1, le=MOST_TOKENS)] = MOST_TOKENS
    timeout: Duration = Duration(120.0)
    token: str | None = None

    def traits(self) -> PartyTraits:
        """A far end that samples; its price goes by the kind's name."""
        return PartyTraits(deterministic=False, remote=True, billed_as=("mini_omni",))

    def check(self, where: str) -> None:
        """Refuse a base URL that is none, and a token that is written out."""
        check_base_url(self.base_url, where)
        check_token(self.token, f"{where}.token")

    def build(self) -> "MiniOmni":
        """Make the responder."""
        return MiniOmni(self)

    def reader(self) -> "MiniOmniReader":
        """Make what reads the messages of a trace."""
        return MiniOmniReader()

    async def probe(self) -> str:
        """Have it answer half a second of silence; gives a sentence."""
        return await MiniOmni(self).probe()


class MiniOmni:
    """Sends each turn as a WAV and says the sound that comes back."""

    def __init__(self, spec: MiniOmniSpec) -> None:
        self._asker = HttpAsker("mini_omni", spec.base_url, spec.token, spec.timeout)
        self._core = MiniOmniCore(spec.stream_stride, spec.max_tokens)
        self._address = spec.base_url
        self._usage = TurnUsage()

    async def start(self, context: ResponderContext) -> None:
        """Nothing is asked before the first turn: the server has no path for it."""
        self._asker.begin(context)

    async def respond(self, turn: HeardTurn, history: Sequence[Message]) -> AsyncGenerator[Reply, None]:
        """Send the turn, cut where the other fell silent, and give the answer."""
        heard = recordings.resample(heard_of(turn), turn.sample_rate, ASKED_HZ)
        with self._asker.server.at_fault():
            answer = await self._answer_to(heard)
        used = self._usage.of("mini_omni", turn, sent_s=len(heard) / ASKED_HZ,
                              said_s=len(answer.samples) / answer.sample_rate)  # fmt: skip
        yield Reply(samples=answer.samples, sample_rate=answer.sample_rate,
                    events=(("usage", {"at": turn.at, **used}),))  # fmt: skip

    def understood(self) -> str:
        """It does not say."""
        return ""

    async def close(self) -> None:
        """Nothing to let go of: every request has a connection of its own."""

    async def probe(self) -> str:
        """Reach the server; gives a sentence."""
        began_s = seconds()
        with self._asker.server.at_fault():
            answer = await self._answer_to(silence(ASKED_HZ // 2))
        length_s = len(answer.samples) / answer.sample_rate
        return (f"{self._asker.server.name} answered half a second of silence with {length_s:.2f} s of sound "
                f"in {seconds() - began_s:.2f} s")  # fmt: skip

    async def _answer_to(self, samples: Samples) -> MiniOmniAnswer:
        body = self._core.ask(samples)
        told = {**body, "audio": {"samples": len(samples), "sample_rate": ASKED_HZ}}
        async with _TURNS.setdefault(asyncio.get_running_loop(), {}).setdefault(self._address, anyio.Lock()):
            got = await self._asker.post(PATH, body, told=told, sound=True)
        return self._core.receive(got.status, got.body)


class MiniOmniReader:
    """Reads a trace's messages through the core, without the network."""

    def __init__(self) -> None:
        self._core = MiniOmniCore()

    def read(self, record: TraceRecord) -> Reply | None:
        """Give the reply that a message made, if it made one."""
        if (record.dir, record.type) != ("received", PATH):
            return None
        status, body = record.json["status"], record.json["body"]
        answer = self._core.receive(status, base64.b64decode(body) if status == 200 else body.encode())
        return Reply(samples=answer.samples, sample_rate=answer.sample_rate)
