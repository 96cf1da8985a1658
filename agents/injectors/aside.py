"""Asides: a party says something to somebody else in its room; the other party should let it pass."""

from typing import ClassVar

from simulator.injector import SpeechInjectorSpec, one_source
from simulator.speaking.voice import Role
from simulator.spec import Decibels


class AsideSpec(SpeechInjectorSpec, frozen=True, kw_only=True, tag="aside"):
    """Talk to somebody else: `{kind: aside, cue: {agent_speaking: 1s}, say: "Not now, I'm on the phone."}`."""

    role: ClassVar[Role] = "aside"
    level_db: Decibels = -6.0

    def __post_init__(self) -> None:
        one_source(self)
