"""Personas: what a remote model is told when it plays the user, and how its call ends."""

from collections.abc import Sequence

import msgspec

from agents.remote.tools import HANG_UP, HANG_UP_TOOL
from simulator.world.tool import Tool


class Persona(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A caller: who it is, what it wants, whether it may hang up (`hang_up` ends its part: `done`)."""

    who: str = ""
    goal: str
    hang_up: bool = True


def instructions(text: str, persona: Persona | None) -> str:
    """Give a model's instructions: the scenario's own text, after what a caller has to know."""
    if persona is None:
        return text
    parts = [
        "You are making a phone call. You are the caller, a person with a wish of their own: "
        "never an assistant, never offering help.",
        f"Who you are: {persona.who}" if persona.who else "",
        f"What you want from this call: {persona.goal}",
        "Talk the way people talk on the phone: one or two short sentences at a time, then wait. Answer what "
        "you are asked, but do not tell everything at once. Know nothing beyond what is written here; when "
        "you are asked for more, say that you do not know.",
        f"When you have what you want, or it is plain that you will not get it, say goodbye and call {HANG_UP}."
        if persona.hang_up
        else "",
        text,
    ]
    return "\n".join(part for part in parts if part)


def tools_of(tools: Sequence[Tool], persona: Persona | None) -> list[Tool]:
    """Give the functions a model may call: the scenario's, and `hang_up` for a caller who may."""
    return [*tools, HANG_UP_TOOL] if persona is not None and persona.hang_up else list(tools)
