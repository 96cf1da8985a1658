"""Backchannels: a party says that it listens, and claims no floor."""

from typing import ClassVar

from simulator.injector import SpeechInjectorSpec, one_source
from simulator.speaking.voice import Role
from simulator.spec import Decibels


class BackchannelInjectorSpec(SpeechInjectorSpec, frozen=True, kw_only=True, tag="backchannel"):
    """Acknowledge: `{kind: backchannel, cue: {agent_speaking: 2s, every: 4s}, choose: ["mm-hm", "right"]}`."""

    role: ClassVar[Role] = "backchannel"
    level_db: Decibels = -3.0

    def __post_init__(self) -> None:
        one_source(self)
