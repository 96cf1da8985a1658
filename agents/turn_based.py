"""A party that answers turn by turn: ears, endpointing, barge-in policy and voice around any responder.

A cascade, a chat endpoint, an HTTP server, a local speech model or a Python function differ only in the responder.
On the virtual clock an answer is waited for in the frame in which the turn is over (thinking time is `latency`); on
the wall clock it is made in the background while the actor goes on hearing.
"""

from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Literal, NamedTuple

import anyio
import msgspec

from agents.remote.trace import Trace, Tracer
from agents.remote.turn_based_replay import (
    STOPPED,
    AnsweringAhead,
    TracedResponder,
    TurnBasedReplay,
    line_said,
    trace_heard,
)
from agents.speaking_spec import SpeakingSpec, check_called
from agents.thinking import Thinking
from simulator.actor import Actor, BlockActor, Context, PartSpec, Setting
from simulator.engines.spending import tell_spent
from simulator.errors import ScenarioError
from simulator.frame import AudioFrame, Samples
from simulator.scenario import kind_of
from simulator.speaking.dialogue import AnyResponder, HeardTurn, Message, Reply, Responder, ResponderContext
from simulator.speaking.ears import SileroEars, make_ears
from simulator.speaking.turn_taking import TurnTaker
from simulator.speaking.voice import DEFAULT_VOICES, PreparedSpeech, Voice, spoken
from simulator.spec import Duration
from simulator.traits import StepTraits
from simulator.world.port import ToolPort


class TurnBasedSpec(SpeakingSpec, frozen=True, kw_only=True, tag="turn_based"):
    """Answer turn by turn: `{kind: turn_based, responder: {kind: ...}}`.

    responder: what makes an answer of a turn.
    """

    responder: AnyResponder

    def check(self, setting: Setting) -> None:
        """Refuse what the voice or the responder cannot do."""
        SpeakingSpec.check(self, setting)
        self.responder.check(f"{setting.where}.responder")
        check_called(self.responder.called(), setting, ".responder.rules")
        if (ahead := self._ahead()) is not None:
            ahead.check_offline(setting)

    def parts(self) -> tuple[PartSpec, ...]:
        """The responder, and the voice."""
        return (self.responder, *SpeakingSpec.parts(self))

    def build(self) -> Actor:
        """Make the actor."""
        ahead = self._ahead()
        return ahead.build_offline(self) if ahead is not None else TurnBased(self, self.responder.build())

    def replay(self, trace: Trace) -> Actor:
        """Make an actor that plays a trace of this kind. ScenarioError: its responder leaves none."""
        if not isinstance(self.responder, TracedResponder):
            raise ScenarioError(f"a turn_based actor whose responder is {kind_of(self.responder)} leaves no trace")
        ahead = self._ahead()
        if ahead is not None:
            return ahead.build_offline(self, trace)
        return TurnBasedReplay(self, self.responder.reader(), trace)

    def _ahead(self) -> "AnsweringAhead | None":
        """Give the responder where it answers before the session."""
        responder = self.responder
        return responder if responder.traits().offline and isinstance(responder, AnsweringAhead) else None


class TurnBased(BlockActor):
    """Listens, decides whose turn it is, and says what its responder answers."""

    traits = StepTraits(threaded=False, on_grid=True)

    def __init__(self, spec: SpeakingSpec, responder: Responder) -> None:
        self._spec = spec
        self._responder = responder
        self._history: list[Message] = []
        self._thinking = Thinking()
        self._voice: Voice | None = None
        self._tracer: Tracer | None = None
        self._later: deque[_Later] = deque()
        """What is to be said and may not be yet, in order."""

    async def start(self, context: Context) -> None:
        """Load ears, voice and responder."""
        spec = self._spec
        self._context = context
        self._speaker = spec.voice or DEFAULT_VOICES[context.party]
        self._ears = make_ears(spec.ears, context.input_rate, noisy=True)
        if isinstance(self._ears, SileroEars):
            await anyio.to_thread.run_sync(self._ears.warm)
        self._turns = await self._turn_taker()
        self._voice = Voice(context.emit, f"{context.party}-", context.output_rate)
        self._was_speaking = False
        """Whether it spoke in all but the last frame of what it said last."""
        self._opening_at: int | None = spec.opening_at.samples(context.output_rate) if spec.opening else None
        if spec.opening:
            self._opening = self._spoken(spec.opening)
            tell_spent(context.emit, 0, self._speaker)
        for part in spec.parts():
            if part.traits().remote:
                self._tracer = Tracer(context, spec, protocol=kind_of(part))
        await self._responder.start(
            ResponderContext(
                party=context.party,
                sample_rate=context.output_rate,
                session_id=context.session_id,
                seed=context.seed,
                emit=context.emit,
                trace=self._note,
                realtime=context.realtime,
                port=ToolPort(context.world, context.party, context.emit, context.clock, context.output_rate),
            )
        )

    async def _turn_taker(self) -> TurnTaker:
        spec, rate, activity = self._spec, self._context.input_rate, self._ears.activity
        kind = None if spec.endpointing is msgspec.UNSET else spec.endpointing
        endpointing = kind.build(spec.endpoint) if kind else None
        if kind is None or endpointing is None:
            return TurnTaker(spec.policy(), rate, activity)
        await anyio.to_thread.run_sync(kind.warm)
        self._endpointing = endpointing
        return TurnTaker(spec.policy(), rate, activity, looks_after=endpointing.looks_after, judge=self._judge)

    def _judge(self, sound: Samples, tell: Callable[[Duration], None]) -> None:
        """Have a pause judged: at once on the virtual clock; beside the call on the wall clock, which never waits."""
        rate = self._context.input_rate

        async def later() -> None:
            tell(await anyio.to_thread.run_sync(self._endpointing.silence, sound, rate))

        if self._context.realtime and self._context.tasks is not None:
            self._context.tasks.start_soon(later)
        else:
            tell(self._endpointing.silence(sound, rate))

    def hear(self, heard: AudioFrame) -> Awaitable[None] | None:
        """Take what is heard, frame by frame; waits only when a turn is over and the clock is virtual."""
        end = heard.start + len(heard.samples)
        waited: Awaitable[None] | None = None
        for frame in self._ears.hear_frames(heard, self._context.input_samples):
            if self._tracer is not None:
                trace_heard(self._tracer, frame)
            if frame.start + len(frame.samples) == end:
                waited = self._hear_last(frame, self._said_by)
            else:
                verdict = self._turns.hear(frame.start, frame.samples, speaking=self._was_speaking)
                assert verdict is None, "a turn was over before it could be"
        return waited

    def settled(self, now: int) -> int:
        """Until a turn may be over, or its own is."""
        voice = self._said_by
        bound = self._turns.settled(now, speaking=voice.speaking)
        if self._opening_at is not None:
            bound = min(bound, self._opening_at)
        if self._later:
            bound = min(bound, self._later[0].at)
        return max(min(bound, now + voice.remaining()) if voice.speaking else bound, now + 1)

    def say(self, now: int, count: int) -> Samples:
        """Say the next samples; what it says first begins with the frame in which it is due."""
        voice = self._said_by
        if self._opening_at is not None and now >= self._opening_at:
            self._opening_at = None
            voice.say(self._opening)
            self._history.append(Message(role="assistant", text=self._spec.opening))
        while self._later and now >= self._later[0].at:
            voice.say(self._later.popleft().line)
        if self._tracer is not None:
            self._tracer.at = now + count  # what comes in from now on is said with the next frame
        self._was_speaking = voice.speaking
        return voice.take(now, count)

    @property
    def _said_by(self) -> Voice:
        assert self._voice is not None
        return self._voice

    def _hear_last(self, heard: AudioFrame, voice: Voice) -> Awaitable[None] | None:
        speaking = voice.speaking
        verdict = self._turns.hear(heard.start, heard.samples, speaking=speaking)
        now = heard.start + len(heard.samples)
        if verdict == "yield":
            self._yield(now, voice)
        elif verdict == "turn":
            turn = self._heard_turn(now)
            if not self._context.realtime:
                return self._answer(turn)
            self._thinking.begin(self._context.tasks, lambda: self._answer(turn))
        elif self._turns.hearing and not speaking:
            # The other goes on before anything was said: what was being prepared answers half a turn. While the answer
            # is being said, more of it may still come, and a backchannel is no reason to drop that.
            self._thinking.stop()
            self._drop_later()
        return None

    async def close(self) -> None:
        """Stop thinking and let the responder go."""
        if self._voice is not None:
            self._voice.close()
        self._thinking.stop()
        if self._tracer is not None:
            self._tracer.close()
        await self._responder.close()

    def _note(self, direction: Literal["received", "sent"], type_: str, payload: object) -> None:
        if self._tracer is not None:
            self._tracer.message(direction, type_, payload)

    def _yield(self, now: int, voice: Voice) -> None:
        self._thinking.stop()
        self._later.clear()
        said = voice.stop()
        self._note("sent", STOPPED, None)
        if self._history and self._history[-1].role == "assistant":
            self._history[-1] = Message(role="assistant", text=said)
        self._context.emit(now, "yielded", heard_since=self._ears.activity.since, said_text=said)

    def _drop_later(self) -> None:
        """Say nothing of what waits any more: only what came before it was said."""
        if self._later:
            self._history[-1] = Message(role="assistant", text=self._later[0].before)
            self._later.clear()

    def _heard_turn(self, now: int) -> HeardTurn:
        samples, since, until = self._turns.take()
        at = now * self._context.output_rate // self._context.input_rate
        return HeardTurn(samples=samples, sample_rate=self._context.input_rate, since=since, until=until, at=at)

    async def _answer(self, turn: HeardTurn) -> None:
        """Ask the responder and queue its pieces as they come."""
        self._context.emit(turn.at, "turn_heard", heard_since=turn.since, heard_until=turn.until)
        history = tuple(self._history)
        answer: str | None = None
        async with aclosing(self._responder.respond(turn, history)) as pieces:
            async for piece in pieces:
                if answer is None:
                    self._history.append(Message(role="user", text=self._responder.understood()))
                    self._history.append(Message(role="assistant", text=""))
                await self._take(piece, turn.at, answer or "")
                answer = _joined(answer or "", piece)
                self._history[-1] = Message(role="assistant", text=answer)
        if answer is None:
            self._history.append(Message(role="user", text=self._responder.understood()))

    async def _take(self, piece: Reply, at: int, before: str) -> None:
        for type_, fields in piece.events:
            self._context.emit(fields.get("at", at), type_, **{name: fields[name] for name in fields if name != "at"})
        line = line_said(piece, self._context.output_rate)
        if line is None and piece.text.strip():
            line = await anyio.to_thread.run_sync(self._spoken, piece.text)
            tell_spent(self._context.emit, at, self._speaker)
        if line is not None and (self._later or (not self._context.realtime and piece.not_before > at)):
            self._later.append(_Later(piece.not_before, line, before))
        elif line is not None:
            self._said_by.say(line)

    def _spoken(self, text: str) -> PreparedSpeech:
        return spoken(text, self._speaker, self._context.output_rate, words_per_minute=self._spec.words_per_minute)


class _Later(NamedTuple):
    """A line that may be said from sample `at` on. before: what of the answer comes before it."""

    at: int
    line: PreparedSpeech
    before: str


def _joined(answer: str, piece: Reply) -> str:
    """Add a piece to an answer as the model wrote it, else as a sentence more."""
    if piece.written is not None:
        return answer + piece.written
    return " ".join(filter(None, (answer, piece.text)))
