"""chat_audio: replies from an OpenAI-compatible `/v1/chat/completions` that takes and gives audio.

    agent:
      kind: turn_based
      responder: {kind: chat_audio, base_url: "http://127.0.0.1:8000/v1", model: nemo}

request: `turn` sends every turn of the user, cut where the user fell silent, and the reply is heard from the moment the
turn is over (plus `latency`). A server whose answer runs beside the question (stereo, or with a frame alignment) may
place sound before the question's end: that is not heard, and an `early_reply_dropped` event says so.

`whole` sends the finished track of a user that is a `player` before the session begins, and the reply is laid beside
it from sample 0 on (whole.py). A clip with a cue such as `agent_speaking: 1s` arrives while the first one is
answered: the track is worked out against the reply to the clips before it and sent again with it, which is exact as
far as the server answers the same question the same way.

The protocol is in protocol.py.
"""

from collections.abc import AsyncGenerator, Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from agents.chat_audio.link import ChatAudioLink
from agents.chat_audio.protocol import AskRules, ChatAudioCore, HistoryKind, Part
from agents.chat_audio.reply import ReplyMoment, reply_of, told_of
from agents.chat_audio.whole import WholeQuestion, WholeReply, player_of
from agents.remote.trace import Trace, TraceRecord
from agents.responders.remote import TurnUsage, heard_of
from simulator.actor import Actor, ActorSpec, Setting
from simulator.errors import ScenarioError, located
from simulator.events import other_party
from simulator.remote.server import check_base_url
from simulator.sound import recordings
from simulator.sound.wav import encode_wav
from simulator.speaking.dialogue import HeardTurn, Message, Reply, ResponderContext, ResponderSpec
from simulator.spec import Duration
from simulator.traits import PartyTraits


class ChatAudioSpec(ResponderSpec, frozen=True, kw_only=True, tag="chat_audio"):
    """A chat endpoint that hears and speaks: `{kind: chat_audio, base_url: "http://host:8000/v1", model: nemo}`.

    api_key_env: the environment variable that holds the key. system, prompt: text before and beside the sound. part:
    how sound is sent, at sample_rate Hz. modalities, voice: for servers that ask for them (OpenAI: [text, audio] and a
    voice). history: what of earlier turns is sent again; a server that takes one sound only needs `none`. session:
    whether a session_id that the server gives goes back. aligned: whether a mono answer begins where the question does;
    default: when it comes with a frame alignment. extra: more keys of the body. tail: silence behind a whole track.
    base_url: the server's address, up to /v1. model: its name for the server. request: one per turn, or one for the
    whole track. sample_rate: of the sound that is sent, in Hz. max_tokens: of an answer. temperature, top_p: how an
    answer is drawn (default: the server's). seeded: whether the session's seed is sent. timeout: for an answer.
    """

    base_url: str
    model: str = ""
    api_key_env: str | None = None
    request: Literal["turn", "whole"] = "turn"
    system: str = ""
    prompt: str = ""
    part: Part = "input_audio"
    sample_rate: Annotated[int, Meta(ge=4_000, le=192_000)] = 16_000
    modalities: list[str] = []
    voice: str | None = None
    history: HistoryKind = "audio"
    session: bool = True
    aligned: bool | None = None
    max_tokens: Annotated[int, Meta(ge=1)] | None = None
    temperature: Annotated[float, Meta(ge=0)] | None = None
    top_p: Annotated[float, Meta(gt=0, le=1)] | None = None
    seeded: bool = True
    extra: dict[str, Any] = {}
    tail: Duration = Duration(0.0)
    timeout: Duration = Duration(120.0)

    def traits(self) -> PartyTraits:
        """The same turn need not get the same answer; what is asked whole is answered before the session."""
        return PartyTraits(deterministic=False, remote=True, offline=self.request == "whole", billed_as=(self.model,))

    def check(self, where: str) -> None:
        """Refuse a base URL that is none, and keys of the body that have a key of their own."""
        check_base_url(self.base_url, where)
        doubled = sorted({"model", "messages", "stream"} & set(self.extra))
        if doubled:
            raise ScenarioError(f"{where}.extra: {doubled[0]!r} cannot be given here")

    def build(self) -> "ChatAudio":
        """Make the responder."""
        return ChatAudio(self)

    def check_offline(self, setting: Setting) -> None:
        """Refuse a `request: whole` whose track cannot be known before the session."""
        if setting.line_has_channels:
            raise setting.refuse(".responder.request", "what is asked before the session cannot hold what the line "
                                                       "adds; leave its channels out")  # fmt: skip
        located(f"{setting.where}.responder.request", lambda: player_of(setting.other, other_party(setting.party)))

    def build_offline(self, spec: ActorSpec, recorded: Trace | None = None) -> Actor:
        """Make the actor of `request: whole`, or one that plays its trace."""
        question = WholeQuestion(model=self.model, sample_rate=self.sample_rate, tail=self.tail,
                                 link=self.link, rules=self.rules)  # fmt: skip
        return WholeReply(spec, question, recorded)

    def reader(self) -> "ChatAudioReader":
        """Make what reads the messages of a trace."""
        return ChatAudioReader(self)

    def link(self) -> ChatAudioLink:
        """Give the way to the server, not yet gone."""
        return ChatAudioLink(self.base_url, self.api_key_env, self.timeout)

    def rules(self, seed: int) -> AskRules:
        """Give how requests are made."""
        given = {"max_tokens": self.max_tokens, "temperature": self.temperature, "top_p": self.top_p,
                 "seed": seed if self.seeded else None}  # fmt: skip
        sampling = {name: value for name, value in given.items() if value is not None}
        return AskRules(model=self.model, part=self.part, modalities=self.modalities, voice=self.voice,
                        system=self.system, prompt=self.prompt, history=self.history, session=self.session,
                        sampling=sampling, extra=self.extra)  # fmt: skip

    async def probe(self) -> str:
        """Ask for the list of models, which every such server has and which costs nothing; gives a sentence."""
        link = self.link()
        try:
            return await link.probe()
        finally:
            await link.close()


class ChatAudio:
    """Sends each turn and says what comes back."""

    def __init__(self, spec: ChatAudioSpec) -> None:
        self._spec = spec
        self._link = spec.link()
        self._usage = TurnUsage()
        self._answers = 0
        self._understood = ""

    async def start(self, context: ResponderContext) -> None:
        """Get ready; the server is reached with the first turn."""
        self._context = context
        self._core = ChatAudioCore(self._spec.rules(context.seed))

    async def respond(self, turn: HeardTurn, history: Sequence[Message]) -> AsyncGenerator[Reply, None]:
        """Send the turn and give the answer."""
        spec = self._spec
        heard = recordings.resample(heard_of(turn), turn.sample_rate, spec.sample_rate)
        asked_s = len(heard) / spec.sample_rate
        said = [message.text for message in history if message.role == "assistant"]
        with self._link.server.at_fault():
            body = self._core.ask(encode_wav(heard, spec.sample_rate), said)
            scrub = self._link.server.secrets.scrub_all
            self._context.trace("sent", "request", scrub(told_of(body, asked_s)))
            status, got = await self._link.post(body)
            self._context.trace("received", "answer", scrub({"status": status, "body": got}))
            answer = self._core.receive(status, got)
        self._understood = answer.understood
        self._answers += 1
        moment = ReplyMoment(at=turn.at, begun=turn.at - len(turn.samples), other=other_party(self._context.party),
                             number=self._answers)  # fmt: skip
        used = self._usage.of(spec.model, turn, sent_s=asked_s, said_s=answer.sound_s)
        tokens = {f"{kind}_tokens": count for kind, count in answer.usage.items()}
        reply = reply_of(answer, asked_s, spec.aligned, moment)
        events = [(type_, scrub(fields)) for type_, fields in reply.events]
        told = (*events, ("usage", {"at": turn.at, **used, **tokens}))
        written = None if reply.written is None else scrub(reply.written)
        yield msgspec.structs.replace(reply, text=scrub(reply.text), written=written, events=told)

    def understood(self) -> str:
        """What the server said that it heard."""
        return self._understood

    async def close(self) -> None:
        """Close the connections."""
        await self._link.close()


class ChatAudioReader:
    """Reads a trace's messages through the core, without the network."""

    def __init__(self, spec: ChatAudioSpec) -> None:
        self._spec = spec
        self._core = ChatAudioCore(AskRules())
        self._asked_s = 0.0
        self._answers = 0

    def read(self, record: TraceRecord) -> Reply | None:
        """Give the reply that a message made, if it made one."""
        if (record.dir, record.type) == ("sent", "request"):
            self._asked_s = float(record.json["asked_s"])
        if (record.dir, record.type) != ("received", "answer"):
            return None
        answer = self._core.receive(record.json["status"], record.json["body"])
        self._answers += 1
        moment = ReplyMoment(at=record.at, other=other_party(record.party), number=self._answers)
        return reply_of(answer, self._asked_s, self._spec.aligned, moment)
