"""Interruptions: a party takes the floor while the other speaks."""

from typing import ClassVar

from simulator.injector import SpeechInjectorSpec, one_source
from simulator.speaking.voice import Role


class InterruptionSpec(SpeechInjectorSpec, frozen=True, kw_only=True, tag="interruption"):
    """Interrupt: `{kind: interruption, party: user, cue: {agent_speaking: 1.2s}, say: "Wait, stop."}`."""

    role: ClassVar[Role] = "interruption"

    def __post_init__(self) -> None:
        one_source(self)
