"""A turn of a request/reply protocol on the virtual clock: the client's sound, then silence until the reply ends.

The turn ends where its sound ends. The reply is over when the agent has spoken and then been silent for `quiet`, with
nothing left that it said it would say; or when it has said nothing for `patience`, and then its `fallback` is given:
a client of such a protocol always gets an answer.
"""

from collections.abc import Iterator, Sequence
from typing import ClassVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from agents.serve.presence import Check
from simulator.actor import ActorSpec
from simulator.engines.espeak import EspeakSpec
from simulator.engines.kinds import AnyVoice
from simulator.events import Event
from simulator.frame import Samples, freeze, silence
from simulator.serving.served_session import ServedSession
from simulator.serving.server_spec import ServerSpec
from simulator.speaking.reply import AUDIBLE, ReplyRules, ReplyWatch, is_loud
from simulator.speaking.voice import check_voice, spoken
from simulator.spec import Duration, ms

_PIECE = 2**18
"""Samples that are looked at before another thread has its turn."""
_FRAMES = 50
"""Frames that are joined before that."""
TICKS_BETWEEN_LOOKS = 4


class TurnRules(ReplyRules, frozen=True, kw_only=True):
    """When a reply is over, and what is said instead of none."""

    fallback: str = "Sorry, I did not catch that."
    voice: AnyVoice = EspeakSpec(name="en-us+f2")


class TurnServerSpec(ServerSpec, frozen=True, kw_only=True):
    """What the protocols of requests and replies have in common.

    longest_turn: of a request's sound. longest_reply, quiet, patience: when a reply is over. fallback: said instead of
    no reply. voice: who says that.
    """

    default_port: ClassVar[int] = 8000

    longest_turn: Duration = Duration(600.0)
    longest_reply: Duration = Duration(60.0)
    quiet: Duration = ms(500)
    patience: Duration = Duration(4.0)
    fallback: str = "Sorry, I did not catch that."
    voice: AnyVoice = EspeakSpec(name="en-us+f2")

    def check(self, actor: ActorSpec) -> None:
        """Refuse an actor that cannot be served, and an unknown voice."""
        ServerSpec.check(self, actor)
        check_voice(self.voice, "--set voice")

    def rules(self) -> TurnRules:
        """When a reply is over, and what is said instead of none."""
        return TurnRules(quiet=self.quiet, patience=self.patience, longest=self.longest_reply, fallback=self.fallback,
                         voice=self.voice)  # fmt: skip


class ServedUtterance(msgspec.Struct, kw_only=True):
    """Something the agent said: where it begins and ends (None while it goes on) in session samples, its words."""

    id: str
    text: str
    start: int
    end: int | None = None
    words: Sequence[tuple[str, int]] = ()


class ServedTurn(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a turn: both tracks from its beginning, float32 (n,) each at sample_rate Hz, equally long.

    start: of the tracks, in session samples. asked: where the client's sound ends in them. reply: the agent's answer
    alone, without silence around it; it begins at reply_at of the tracks. text: of the reply, words with onsets into
    the tracks. understood: what the agent took the turn for. stopped: why it was taken to be over.
    """

    user: Samples
    agent: Samples
    sample_rate: int
    start: int
    asked: int
    reply: Samples
    reply_at: int
    text: str
    words: tuple[tuple[str, int], ...]
    understood: str
    stopped: str


class ToldTurn:
    """What the agent told during a turn."""

    def __init__(self) -> None:
        self.utterances: dict[str, ServedUtterance] = {}
        self.pieces: list[tuple[int, str]] = []
        self.understood: list[str] = []

    def note(self, events: Sequence[Event]) -> None:
        """Take new events."""
        for event in events:
            if event.type == "speech_start":
                words = tuple((str(word), int(onset)) for word, onset in event.data.get("words") or ())
                name = event.data["id"]
                self.utterances[name] = ServedUtterance(
                    id=name, text=event.data.get("text", ""), start=event.at, words=words
                )
            elif event.type == "speech_end" and event.data.get("id") in self.utterances:
                self.utterances[event.data["id"]].end = event.at
            elif event.type == "text":
                self.pieces.append((event.at, str(event.data.get("text", ""))))
            elif event.type == "recognised" or (event.type == "transcript" and event.data.get("of") == "user"):
                self.understood.append(str(event.data.get("text", "")))

    @property
    def speaking(self) -> bool:
        """Whether something was begun and is not over."""
        return any(item.end is None for item in self.utterances.values())


class _Play:
    """A turn as it is played: what was said so far, and what the agent told."""

    def __init__(self, session: ServedSession, check: Check) -> None:
        self.session = session
        self.said: list[Samples] = [silence(session.frame)]
        self.told = ToldTurn()
        self._check = check
        self._loud_at = 0

    async def hear(self, part: Samples) -> None:
        """Let the agent hear a frame."""
        said = await self.session.hear(part)
        if is_loud(said):
            self._loud_at = len(self.said)
        self.said.append(said)
        self.told.note(self.session.take_events())
        if len(self.said) % TICKS_BETWEEN_LOOKS == 0:
            self._check()
            await self.session.give_way()  # a long turn must not keep other clients waiting

    async def await_reply(self, rules: ReplyRules, since: int) -> str:
        """Let time pass until the reply is over; since: the sample of the turn from which sound counts as a reply."""
        frame = self.session.frame
        watch = ReplyWatch(rules, self.session.sample_rate, begun=self._loud_at > since // frame)
        while not watch.over:
            await self.hear(silence(frame))
            watch.hear(self.said[-1], telling=self.told.speaking)
        return watch.over


async def take_turn(session: ServedSession, samples: Samples, rules: TurnRules, check: Check) -> ServedTurn:
    """Play a turn, float32 (n,) at the session's rate, and wait for the reply.

    SimulatorError: the actor fails, or the client has left (what `check` says).
    """
    start = session.now
    play = _Play(session, check)
    for part in _frames(samples, session.frame):
        await play.hear(part)
    end = await session.in_thread(_end_of_sound, samples)
    stopped = await play.await_reply(rules, end)
    return await session.in_thread(_played, play, samples, start, stopped, rules)  # long tracks: a second's work


def _played(play: _Play, samples: Samples, start: int, stopped: str, rules: TurnRules) -> ServedTurn:
    agent = _joined(play.said)
    user = np.zeros(len(agent), np.float32)
    user[: len(samples)] = samples
    return _turn(play.session, rules, play.told, ServedTurn(
        user=user, agent=agent, sample_rate=play.session.sample_rate, start=start, asked=len(samples), reply=silence(0),
        reply_at=0, text="", words=(), understood=" ".join(play.told.understood).strip(), stopped=stopped,
    ))  # fmt: skip


def _joined(frames: Sequence[Samples]) -> Samples:
    """Join frames, a second at a time: all at once hold up every other thread for 50 ms, one by one for longer."""
    joined = np.empty(sum(map(len, frames)), np.float32)
    at = 0
    for start in range(0, len(frames), _FRAMES):
        part = np.concatenate(frames[start : start + _FRAMES])
        joined[at : at + len(part)] = part
        at += len(part)
    return joined


def _frames(samples: Samples, frame: int) -> Iterator[Samples]:
    for start in range(0, len(samples), frame):
        part = samples[start : start + frame]
        yield part if len(part) == frame else np.concatenate([part, silence(frame - len(part))])


def _end_of_sound(samples: Samples) -> int:
    """Where a turn's last sound ends: an agent may well answer in the silence a client records behind it."""
    for end in range(len(samples), 0, -_PIECE):
        loud = _loud(samples[max(0, end - _PIECE) : end])
        if len(loud):
            return max(0, end - _PIECE) + int(loud[-1]) + 1
    return 0


def _start_of_sound(samples: Samples) -> int:
    """Where a track's first sound begins; its end where there is none."""
    for start in range(0, len(samples), _PIECE):
        loud = _loud(samples[start : start + _PIECE])
        if len(loud):
            return start + int(loud[0])
    return len(samples)


def _loud(samples: Samples) -> NDArray[np.intp]:
    return np.flatnonzero(np.abs(samples) > AUDIBLE)


def _turn(session: ServedSession, rules: TurnRules, told: ToldTurn, turn: ServedTurn) -> ServedTurn:
    """Find the reply on the agent's track, with its words; where there is none, give the fallback."""
    start = turn.start
    begin = _end_of_sound(turn.user[: turn.asked])
    running = [item for item in told.utterances.values()
               if item.start - start < begin and (item.end is None or item.end - start > begin)]  # fmt: skip
    begin = max(0, min([begin, *(item.start - start for item in running)]))
    first, last = begin + _start_of_sound(turn.agent[begin:]), _end_of_sound(turn.agent)
    if first >= last:
        return _with_fallback(session, rules, turn)
    counted = [item for item in told.utterances.values() if item.start - start >= begin]
    words = tuple((word, onset - start) for item in counted for word, onset in item.words or ((item.text, item.start),))
    text = " ".join(item.text for item in counted if item.text)
    text = text or "".join(piece for at, piece in told.pieces if at - start >= begin).strip()
    return msgspec.structs.replace(turn, reply=freeze(turn.agent[first:last].copy()), reply_at=first, text=text,
                                   words=tuple(word for word in words if word[0]))  # fmt: skip


def _with_fallback(session: ServedSession, rules: TurnRules, turn: ServedTurn) -> ServedTurn:
    """Say the fallback from where the client's sound ends; the folder's audio holds what the actor said: nothing."""
    line = spoken(rules.fallback, rules.voice, turn.sample_rate)
    session.note("fallback", text=rules.fallback)
    length = max(len(turn.agent), turn.asked + len(line.samples))
    agent, user = np.zeros(length, np.float32), np.zeros(length, np.float32)
    agent[turn.asked : turn.asked + len(line.samples)] = line.samples
    user[: len(turn.user)] = turn.user
    words = tuple((word, turn.asked + onset) for word, onset in line.words)
    return msgspec.structs.replace(turn, user=user, agent=agent, reply=line.samples, reply_at=turn.asked,
                                   text=rules.fallback, words=words, stopped="fallback")  # fmt: skip
