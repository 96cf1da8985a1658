"""`request: whole`: the reply to a player's finished track, computed before the session and laid beside it.

The track is worked out by letting the player speak to the reply it will hear: first the clips that wait for nothing,
then, against the reply to those, the ones with a cue. It is asked again as often as the reply changes the track, at
most once per clip. So where the reply to a first clip is heard to begin at r, and a second clip has the cue
`agent_speaking: t`, request 1 is clip 1, and request 2 is clip 1 + silence up to r + t + clip 2.

In the session the reply is just played from sample 0; should the player say anything else than was asked
(a server that answers differently each time, an injector), a `track_diverged` event says from where on.

This is the one actor that knows what is said before it is: its sessions say `offline: true`, and response latencies
are not defined for them.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import numpy as np

from agents.chat_audio.answer import ChatAnswer, agent_channel
from agents.chat_audio.link import ChatAudioLink
from agents.chat_audio.protocol import AskRules, ChatAudioCore
from agents.chat_audio.reply import ReplyMoment, events_of, told_of
from agents.player import PlayerSpec
from agents.remote.trace import Trace, Tracer
from agents.responders.remote import usage_of
from simulator.actor import Actor, ActorSpec, Context
from simulator.call.chance import ACTORS, generator
from simulator.errors import ScenarioError
from simulator.events import Party, other_party
from simulator.frame import AudioFrame, Samples, freeze, silence, to_grid, to_pcm16
from simulator.sound import recordings
from simulator.sound.wav import encode_wav
from simulator.spec import Duration
from simulator.traits import StepTraits

LONGEST_S = 1800.0


class WholeQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """How a whole track is asked: of which model, at which rate (Hz), with how much silence behind it.

    link: the way to the server, not yet gone. rules: how requests are made, by the session's seed.
    """

    model: str
    sample_rate: int
    tail: Duration
    link: Callable[[], ChatAudioLink]
    rules: Callable[[int], AskRules]


class WholeReply(Actor):
    """Asks once before the session, then plays the answer. `recorded`: the trace to take the answers from instead."""

    traits = StepTraits(on_grid=True)

    def __init__(self, spec: ActorSpec, question: WholeQuestion, recorded: Trace | None = None) -> None:
        self._spec = spec
        self._question = question
        self._recorded = recorded
        self._tracer: Tracer | None = None
        self._track: Samples | None = None
        self._diverged = False

    async def start(self, context: Context) -> None:
        """Work out the track and have it answered. ScenarioError: the other party is no player."""
        self._context = context
        if self._recorded is not None:
            self._said = self._laid(self._replayed(self._recorded))
            return
        link = self._question.link()
        self._tracer = Tracer(context, self._spec, protocol="chat_audio", secrets=link.server.secrets)
        try:
            await self._ask_until_settled(link)
        finally:
            await link.close()

    def step(self, heard: AudioFrame) -> AudioFrame:
        """Play on; see whether what is heard is what was asked."""
        count = len(heard.samples)
        now = heard.start + count
        if self._tracer is not None and heard.start >= 0:
            self._tracer.heard(heard.samples, now)
        if self._track is not None and not self._diverged and heard.start >= 0:
            self._compare(heard, self._track)
        self.done = now >= len(self._said)
        return AudioFrame(now, _padded(self._said[now : now + count], count))

    async def close(self) -> None:
        """Note the last of what was heard."""
        if self._tracer is not None:
            self._tracer.close()

    async def _ask_until_settled(self, link: ChatAudioLink) -> None:
        """Ask for the track's reply, again as long as the reply changes the track."""
        other = other_party(self._context.party)
        player = player_of(self._context.specs.get(other), other)
        track = await self._rehearsed(_leading(player), silence(0))
        for _ in player.recordings():
            answer = await self._ask(link, track)
            self._said = self._laid(answer)
            again = await self._rehearsed(player, self._said)
            if np.array_equal(again, track):
                break
            track = again
        else:
            answer = await self._ask(link, track)
            self._said = self._laid(answer)
        self._track = track
        self._tell(answer, len(track))

    async def _ask(self, link: ChatAudioLink, track: Samples) -> ChatAnswer:
        """Send a track, float32 (n,) at the session's rate; every request begins a dialogue of its own."""
        question, rate = self._question, self._context.output_rate
        assert self._tracer is not None
        tail = silence(question.tail.samples(question.sample_rate))
        wire = np.concatenate([recordings.resample(track, rate, question.sample_rate), tail])
        with link.server.at_fault():
            core = ChatAudioCore(question.rules(self._context.seed))
            body = core.ask(encode_wav(wire, question.sample_rate))
            self._tracer.message("sent", "request", told_of(body, len(wire) / question.sample_rate))
            status, got = await link.post(body)
            self._tracer.message("received", "answer", {"status": status, "body": got})
            answer = core.receive(status, got)
        tokens = {f"{kind}_tokens": number for kind, number in answer.usage.items()}
        sent_s = len(wire) / question.sample_rate
        used = usage_of(question.model, session_s=len(track) / rate, sent_s=sent_s, said_s=answer.sound_s)
        self._context.emit(0, "usage", **used, **tokens)
        return answer

    def _laid(self, answer: ChatAnswer) -> Samples:
        """The agent's channel at the session's rate, from sample 0 on."""
        if answer.sound is None:
            return silence(0)
        return to_grid(
            recordings.resample(agent_channel(answer.sound), answer.sound.sample_rate, self._context.output_rate)
        )

    def _replayed(self, trace: Trace) -> ChatAnswer:
        last = trace.received()[-1:]
        if not last:
            raise ScenarioError("the trace holds no answer")
        answer = ChatAudioCore(AskRules()).receive(last[0].json["status"], last[0].json["body"])
        self._tell(answer, 0)
        return answer

    def _tell(self, answer: ChatAnswer, asked: int) -> None:
        context = self._context
        for type_, fields in events_of(answer, ReplyMoment(at=0, since=0, other=other_party(context.party))):
            context.emit(fields.pop("at"), type_, **fields)
        if asked:
            context.emit(0, "asked_whole", asked_s=round(asked / context.output_rate, 3))

    async def _rehearsed(self, player: PlayerSpec, reply: Samples) -> Samples:
        """Give what a player says to a reply until it is done: float32 (n,) at the session's rate."""
        context, count = self._context, self._context.output_samples
        party = other_party(context.party)
        actor = player.build()
        await actor.start(_alone(context, party))
        frames: list[Samples] = []
        heard = AudioFrame(-count, silence(count))
        while not actor.done and len(frames) * count < LONGEST_S * context.output_rate:
            actor.hear(heard)
            start = heard.start + count
            frames.append(actor.say(start, count))
            heard = AudioFrame(start, _padded(reply[start : start + count], count))
        await actor.close()
        return freeze(np.concatenate(frames)) if frames else silence(0)

    def _compare(self, heard: AudioFrame, track: Samples) -> None:
        count = len(heard.samples)
        planned = _padded(track[heard.start : heard.start + count], count)
        if not np.array_equal(to_pcm16(planned), to_pcm16(heard.samples)):
            self._diverged = True
            self._context.emit(heard.start + count, "track_diverged", heard_since=heard.start)


def player_of(spec: ActorSpec | None, party: Party) -> PlayerSpec:
    """Give the player that a party is. ScenarioError: it is none, or it never comes to an end."""
    if not isinstance(spec, PlayerSpec):
        raise ScenarioError(f"whole needs the {party} to be a player, whose whole track is known before the session")
    if any(clip.repeat for clip in spec.recordings()):
        raise ScenarioError("whole: a clip that repeats has no end, so there is no whole track")
    return spec


def _leading(player: PlayerSpec) -> PlayerSpec:
    """The player with only those first clips that wait for nothing the other party does."""
    cues = [clip.cue() for clip in player.clips]
    waiting = [index for index, cue in enumerate(cues) if (index > 0 if cue is None else cue.watched is not None)]
    return msgspec.structs.replace(player, clips=player.clips[: waiting[0]]) if waiting and waiting[0] else player


def _alone(context: Context, party: Any) -> Context:
    """The context of a party that only rehearses: it tells nobody."""
    quiet: Mapping[str, Any] = {"emit": _tell_nobody, "trace": lambda record: None, "tasks": None}
    return msgspec.structs.replace(context, party=party, rng=generator(context.seed, ACTORS, party),
                                   line_has_channels=False, **quiet)  # fmt: skip


def _tell_nobody(at: int, type_: str, **fields: Any) -> None:
    """What happens in a rehearsal is no event."""


def _padded(samples: Samples, count: int) -> Samples:
    if len(samples) == count:
        return samples
    return freeze(np.concatenate([samples, silence(count - len(samples))])) if len(samples) else silence(count)
