"""Minds: what a caller thinks: what to say when its moment has come, whether to wait, cut in, or hang up.

A mind is asked at moments that the caller's timing chose, and answers with a choice and words; when these are said is
not its affair. Kinds: `rules` (patterns, offline) and any OpenAI-compatible chat endpoint.
"""

from collections.abc import Sequence
from typing import Literal, Protocol

import msgspec

from agents.caller.brief import Brief
from agents.caller.manner import Manner
from simulator.events import Emit, Party
from simulator.languages.lookup import ENGLISH
from simulator.speaking.dialogue import Message
from simulator.spec import Spec
from simulator.traits import PartyTraits
from simulator.world.port import NOBODY, ToolPort

Occurred = Literal["opening", "turn", "silence", "cut_in", "answered"]
"""Why a mind is asked: nobody has spoken yet; the other fell silent; nobody says anything; one could cut in; what its
calls of tools came to is there.
"""

Choice = Literal["say", "wait", "hang_up"]


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """What a mind is asked with.

    heard: the other's words since the caller last said something, of a turn that still goes on so far. history: what
    was said before, `assistant` is the caller. silences: how often in a row nobody spoke. at: on the stream it says.
    """

    occurred: Occurred
    heard: str
    history: Sequence[Message] = ()
    silences: int = 0
    at: int = 0


class Thought(msgspec.Struct, frozen=True, kw_only=True):
    """What came to mind: a choice, the words (none to wait), and why. hang_up: the words are its last.

    until: it called a tool whose answer is there at this sample, when it is asked again; the words are said meanwhile.
    """

    choice: Choice
    say: str = ""
    reason: str = ""
    until: int | None = None


class MindContext(msgspec.Struct, frozen=True, kw_only=True):
    """What a mind is started with. emit(at, type, **fields): as an actor's.

    port: what it may call. language: the code of what it speaks.
    """

    party: Party
    brief: Brief
    manner: Manner
    seed: int
    rate: int
    emit: Emit
    port: ToolPort = NOBODY
    language: str = ENGLISH


class Mind(Protocol):
    """Thinks."""

    async def start(self, context: MindContext) -> None:
        """Get ready."""
        ...

    async def think(self, situation: Situation) -> Thought:
        """Say what to do. RemoteError: a far end failed."""
        ...

    async def close(self) -> None:
        """Let go of everything."""
        ...


class MindSpec(Spec, frozen=True, kw_only=True):
    """What every mind's spec does."""

    def traits(self) -> PartyTraits:
        """What it makes of the party that thinks with it."""
        return PartyTraits()

    def check(self, brief: Brief, where: str) -> None:
        """Refuse what cannot work with this brief. ScenarioError."""

    def called(self) -> list[str]:
        """The tools that it is known to call."""
        return []

    def build(self) -> Mind:
        """Make the mind; cheap, no I/O."""
        raise NotImplementedError

    async def probe(self) -> str:
        """Say that it can be reached. RemoteError."""
        return "needs nothing"
