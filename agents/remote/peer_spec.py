"""What the specs of the paid speech services have in common."""

from collections.abc import Sequence
from typing import Annotated, Literal, Self

import msgspec
from msgspec import Meta

from agents.remote.contiguous import contiguous
from agents.remote.persona import Persona, instructions, tools_of
from agents.remote.trace import Trace
from simulator.actor import ActorSpec, Setting
from simulator.reading.secrets import Secrets, names
from simulator.spec import Duration, ms
from simulator.traits import PartyTraits
from simulator.world.tool import Tool

STALL = Duration(30.0)


class PeerSpec(ActorSpec, frozen=True, kw_only=True):
    """model, voice: the service's names. instructions: what the model is told, after its persona if any.

    base_url: the service's address, `${NAME}` allowed. api_key_env: the environment variable that holds the key; null
    sends none. speaks_first: ask the model to begin. jitter: how much of what it says waits before a burst is heard.
    connect_timeout: for dialling and handshake. stall_timeout: how long an answer that is due may take. placement:
    `contiguous` when a trace is replayed without the gaps that the network made. persona: the caller that the model is
    to play, with its goal and facts. tools: functions that it may call.
    """

    model: Annotated[str, Meta(min_length=1)]
    base_url: str
    api_key_env: str | None
    voice: str | None = None
    instructions: str = ""
    persona: Persona | None = None
    tools: tuple[Tool, ...] = ()
    speaks_first: bool = False
    jitter: Duration = ms(100)
    connect_timeout: Duration = Duration(15.0)
    stall_timeout: Duration = STALL
    placement: Literal["heard", "contiguous"] = "heard"

    def traits(self) -> PartyTraits:
        """The service has its own real time, and its prices."""
        return PartyTraits(own_time=True, remote=True, billed_as=self.models(), calls_tools=True)

    def models(self) -> tuple[str, ...]:
        """The models whose prices apply."""
        return (self.model,)

    def check(self, setting: Setting) -> None:
        """Refuse what no service would take; the key is asked for when the session starts."""
        if not names(self.base_url) and "://" not in self.base_url:
            raise setting.refuse(".base_url", f"{self.base_url!r} is no URL; write it like https://host/v1")
        if self.latency != "free":
            raise setting.refuse(".latency", "a service with its own real time has its own latency; leave it out")
        if self.placement != "heard":
            raise setting.refuse(".placement", "a live session is heard as it comes; replay its trace contiguous")
        doubled = _first_double([tool.name for tool in self.offered_tools()])
        if doubled is not None:
            raise setting.refuse(".tools", f"there are two functions {doubled!r}; every name may be used once")

    def environment(self) -> list[str]:
        """The key's variable besides those written as `${NAME}`."""
        return [*ActorSpec.environment(self), *([self.api_key_env] if self.api_key_env else [])]

    def laid(self, trace: Trace) -> Trace:
        """Give a recorded trace as `placement` wants it replayed."""
        return contiguous(trace) if self.placement == "contiguous" else trace

    def told(self) -> str:
        """The instructions the model gets."""
        return instructions(self.instructions, self.persona)

    def own_tools(self) -> tuple[Tool, ...]:
        """Those that the spec itself answers."""
        return self.tools

    def offering(self, tools: Sequence[Tool], instructions: str = "") -> Self:
        """Declare the world's tools to the service, too, and tell the model what the world wants it to know."""
        if not tools and not instructions:
            return self
        told = "\n\n".join(filter(None, (instructions, self.instructions)))
        return msgspec.structs.replace(self, tools=(*self.tools, *tools), instructions=told)

    def offered_tools(self) -> tuple[Tool, ...]:
        """The functions the model may call."""
        return tuple(tools_of(self.tools, self.persona))

    def key(self, secrets: Secrets) -> str:
        """The API key; ScenarioError when its variable is not set."""
        return secrets.variable(self.api_key_env) if self.api_key_env else "none"


def _first_double(words: list[str]) -> str | None:
    return next((word for index, word in enumerate(words) if word in words[:index]), None)
