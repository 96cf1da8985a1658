"""Dialogues: what a turn-based actor and its responder say to each other about a conversation."""

from collections.abc import AsyncGenerator, Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol

import msgspec

from simulator.events import Emit, Party
from simulator.frame import Samples
from simulator.plugins import Kind
from simulator.spec import Spec
from simulator.traits import PartyTraits
from simulator.world.port import NOBODY, ToolPort


class HeardTurn(msgspec.Struct, frozen=True, kw_only=True):
    """A turn of the other party as it was heard: samples float32 (n,) at sample_rate Hz, with 300 ms before it.

    since, until: where it lies on the stream that is heard, in samples. at: when it was known to be over, on the stream
    that is said. text: what was recognised, if anything was yet.
    """

    samples: Samples
    sample_rate: int
    since: int
    until: int
    at: int = 0
    text: str | None = None


def tell_no_reply(emit: Emit, turn: HeardTurn, reason: str) -> None:
    """Note that a turn gets no reply: else nobody can tell a rule that is missing from an agent that hangs."""
    told = {"heard_since": turn.since, "heard_until": turn.until}
    emit(turn.at, "no_reply", text=turn.text or "", reason=reason, **told)


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A past turn of the dialogue: `user` is the other party, `assistant` is the actor; text as it was really said.

    A reply that was said to its end stands as the model wrote it.
    """

    role: Literal["user", "assistant"]
    text: str
    samples: Samples | None = None
    sample_rate: int = 0


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of an answer: text to be spoken, or sound (float32 (n,) at sample_rate Hz) with the text it says.

    written: what the model wrote, where that is more than what is said; the history keeps it, spaces included.
    events: what the responder knows beside it, as (type, fields), written when the piece is received. not_before: the
    sample of the output stream from which it may be said: what an answer waits for is there then.
    """

    text: str = ""
    samples: Samples | None = None
    sample_rate: int = 0
    written: str | None = None
    events: Sequence[tuple[str, dict[str, Any]]] = ()
    not_before: int = 0


class ResponderContext(msgspec.Struct, frozen=True, kw_only=True):
    """What a responder is started with. emit(at, type, **fields) counts on the actor's output stream.

    trace(direction, type, payload): writes a message of a remote responder into the session's trace. port: what it
    calls tools of the session's world by. realtime: whether the session runs on the wall clock, which waits for nobody.
    """

    party: Party
    sample_rate: int
    session_id: str
    seed: int
    emit: Emit
    trace: Callable[[Literal["received", "sent"], str, object], None] = lambda direction, type_, payload: None
    port: ToolPort = NOBODY
    realtime: bool = True


class Responder(Protocol):
    """Answers turns."""

    async def start(self, context: ResponderContext) -> None:
        """Get ready: load models, reach servers."""
        ...

    def respond(self, turn: HeardTurn, history: Sequence[Message]) -> AsyncGenerator[Reply, None]:
        """Answer a turn in one or more pieces, none meaning silence; `history` ends before the turn."""
        ...

    def understood(self) -> str:
        """What the last turn was understood as (for the history); empty when nobody knows."""
        ...

    async def close(self) -> None:
        """Let go of everything."""
        ...


class ResponderSpec(Spec, frozen=True, kw_only=True):
    """What every responder's spec does: build its responder, and say what its party is to a run."""

    def traits(self) -> PartyTraits:
        """What it makes of the party that answers through it."""
        return PartyTraits()

    def called(self) -> list[str]:
        """The tools that it will call whatever a model decides: each must be there."""
        return []

    def build(self) -> Responder:
        """Make the responder; cheap, no I/O."""
        raise NotImplementedError

    def check(self, where: str) -> None:
        """Refuse what cannot work before anything starts. ScenarioError."""


if TYPE_CHECKING:
    AnyResponder = ResponderSpec
else:

    class AnyResponder(Kind):
        """The spec of any responder that is installed."""

        group = "responders"
        spec = ResponderSpec
