"""The built-in voice agent: recognise, reply, speak.

The reply comes from `replies` (rules, tried in order) or from any OpenAI-compatible chat endpoint (`chat`).
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

import anyio
import msgspec

from agents.responders.chat import ChatSpec
from agents.responders.rules import Rule, RulesSpec
from agents.speaking_spec import SpeakingSpec, check_called
from agents.turn_based import TurnBased
from simulator.actor import PartSpec, Setting
from simulator.engines.kinds import AnyRecognizer, RecognizerSpec
from simulator.engines.moonshine import MoonshineSpec
from simulator.engines.spending import tell_spent
from simulator.errors import located
from simulator.speaking.dialogue import (
    HeardTurn,
    Message,
    Reply,
    Responder,
    ResponderContext,
    ResponderSpec,
    tell_no_reply,
)

DEFAULT_REPLIES = (
    Rule(match=r"\b(hello|hi|good (morning|evening|afternoon))\b", say="Hello! How can I help you today?"),
    Rule(match=r"\bthank", say="You are welcome. Is there anything else I can do for you?"),
    Rule(match=r"\b(good)?bye\b", say="Thank you for calling. Goodbye."),
    Rule(say="I see. Let me have a look at that for you, it will only take a moment."),
)


class CascadeSpec(SpeakingSpec, frozen=True, kw_only=True, tag="cascade"):
    """A voice agent of three parts: `{kind: cascade, opening: "How can I help?", replies: [{say: "Certainly."}]}`.

    replies: rules tried in order; the first whose `match` (a pattern, any case) is found in what was understood gives
    the answer; several `say` are taken in turn. chat: an OpenAI-compatible endpoint instead. recognizer: what makes
    words of what it hears.
    """

    replies: list[Rule] = []
    chat: ChatSpec | None = None
    recognizer: AnyRecognizer = MoonshineSpec()

    def __post_init__(self) -> None:
        if self.replies and self.chat is not None:
            raise ValueError("a cascade has replies or chat, not both")

    def check(self, setting: Setting) -> None:
        """Refuse an unknown voice or endpoint."""
        SpeakingSpec.check(self, setting)
        located(f"{setting.where}.recognizer", self.recognizer.check)
        if self.chat is not None:
            self.chat.check(f"{setting.where}.chat")
        check_called(self._responder().called(), setting, ".replies")

    def parts(self) -> tuple[PartSpec, ...]:
        """What answers, the endpoint it asks or its rules; its recogniser and its voice."""
        return (self._responder(), self.recognizer, *SpeakingSpec.parts(self))

    def _responder(self) -> ResponderSpec:
        return self.chat or RulesSpec(rules=self.replies or list(DEFAULT_REPLIES))

    def build(self) -> TurnBased:
        """Make the actor."""
        return TurnBased(self, Recognising(self.recognizer, self._responder().build()))


class Recognising:
    """A responder that first turns sound into text and then asks another responder; both are told in events."""

    def __init__(self, recognizer: RecognizerSpec, inner: Responder) -> None:
        self._spec = recognizer
        self._recognizer = recognizer.shared()
        self._inner = inner
        self._text = ""

    async def start(self, context: ResponderContext) -> None:
        """Load the recogniser beside whatever else starts; on the virtual clock when something is new to it."""
        self._context = context
        loading = self._recognizer.warm() if context.realtime else None
        await self._inner.start(context)
        if loading is not None:
            # On the wall clock a first turn must not wait for the model.
            await anyio.to_thread.run_sync(loading.join)

    async def respond(self, turn: HeardTurn, history: Sequence[Message]) -> AsyncGenerator[Reply, None]:
        """Recognise the turn and pass it on; a turn in which nothing is understood gets no answer."""
        heard = await anyio.to_thread.run_sync(self._recognizer.recognize, turn.samples, turn.sample_rate)
        self._text = heard.text
        tell_spent(self._context.emit, turn.at, self._spec)
        self._context.emit(turn.at, "recognised", text=self._text, heard_since=turn.since, heard_until=turn.until)
        turn = msgspec.structs.replace(turn, text=self._text)
        if not self._text.strip():
            tell_no_reply(self._context.emit, turn, "nothing was understood")
            return
        async with aclosing(self._inner.respond(turn, history)) as pieces:
            async for piece in pieces:
                yield piece

    def understood(self) -> str:
        """The text of the last turn."""
        return self._text

    async def close(self) -> None:
        """Let go of the inner responder."""
        await self._inner.close()
