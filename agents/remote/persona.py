"""Personas: what a remote model is told when it plays the user, and how its call ends.

The keys are those of a caller. When such a model speaks is its own affair, so its manner is told to it in words.
"""

from collections.abc import Sequence

import msgspec

from agents.caller.brief import Brief, Facts, Stages, make_brief
from agents.caller.instructions import instructions_for, manner_in_words
from agents.caller.manner import Manner, MannerKeys, Preset, manner_of
from agents.remote.tools import HANG_UP, HANG_UP_TOOL
from simulator.world.tool import Tool


class Persona(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A caller: who it is (`who` is the same), what it wants and knows, whether it may hang up (which ends its part).

    facts: told only when asked. stages: parts of the goal in their order. opening: its first words. manner: as a
    caller's, in words. persona, who: who it is, in words. goal: what it calls for. hang_up: whether it may end the
    call.
    """

    persona: str = ""
    who: str = ""
    goal: str
    facts: Facts = {}
    stages: Stages = []
    opening: str = ""
    manner: Preset | MannerKeys | None = None
    hang_up: bool = True

    def __post_init__(self) -> None:
        self.brief()

    def brief(self) -> Brief:
        """What it knows. ValueError: something in it can never be said or asked for."""
        return make_brief(
            persona=self.persona,
            who=self.who,
            goal=self.goal,
            facts=self.facts,
            stages=self.stages,
            opening=self.opening,
        )

    def own_manner(self) -> Manner | None:
        """How it talks; None where the scenario leaves that to the model."""
        return None if self.manner is None else manner_of(self.manner)

    @property
    def may_hang_up(self) -> bool:
        """Whether it ends the call itself."""
        manner = self.own_manner()
        return self.hang_up and (manner is None or manner.hang_up)


def instructions(text: str, persona: Persona | None) -> str:
    """Give a model's instructions: the scenario's own text, after what a caller has to know."""
    if persona is None:
        return text
    manner = persona.own_manner()
    parts = [
        instructions_for(persona.brief(), manner),
        manner_in_words(manner) if manner is not None else "",
        f"When you have what you want, or it is plain that you will not get it, say goodbye and call {HANG_UP}."
        if persona.may_hang_up
        else "",
        text,
    ]
    return "\n".join(part for part in parts if part)


def tools_of(tools: Sequence[Tool], persona: Persona | None) -> list[Tool]:
    """Give the functions a model may call: the scenario's, and `hang_up` for a caller who may."""
    return [*tools, HANG_UP_TOOL] if persona is not None and persona.may_hang_up else list(tools)
