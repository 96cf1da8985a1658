"""Manners: how a caller talks, as numbers, with presets for callers that everybody knows.

manner: impatient                                   a preset
manner: {preset: elderly, interrupts: 0.1}          a preset, and what is different
"""

import re
from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec

from simulator.texts import quoted

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Patience = Literal["low", "normal", "high"]
Preset = Literal["cooperative", "impatient", "rambling", "elderly", "adversarial"]

_RATE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*/\s*min\s*")
MOST_PER_MINUTE = 60.0


class PerMinute(float):
    """How often in a minute, written `6/min` or as a number: 0 to 60."""

    @classmethod
    def __decode__(cls, value: object, _convert: Callable[[object, Any], Any]) -> "PerMinute":
        match = _RATE.fullmatch(value) if isinstance(value, str) else None
        if match is None and (not isinstance(value, int | float) or isinstance(value, bool)):
            raise ValueError(f"{quoted(value)} is no rate; write it like 6/min")
        rate = float(match[1]) if match else float(value)  # type: ignore[arg-type]  # a number, as was just asked
        if not 0 <= rate <= MOST_PER_MINUTE:
            raise ValueError(f"{quoted(value)} is not between 0 and {MOST_PER_MINUTE:g} a minute")
        return cls(rate)

    def __encode__(self) -> str:
        return f"{float(self):g}/min"


class Manner(msgspec.Struct, frozen=True, kw_only=True):
    """How a caller talks.

    patience: how long it waits, how soon it answers. interrupts: the share of the other's turns that it cuts into.
    backchannels: how many in a minute of the other's speech. pauses: the share of its turns with a pause inside.
    disfluent: the share of its turns with an "um" or a word said twice. hang_up: whether it ends the call.
    """

    preset: Preset
    patience: Patience
    interrupts: float
    backchannels: float
    pauses: float
    disfluent: float
    hang_up: bool


class MannerKeys(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A preset, and what is different: `{preset: elderly, interrupts: 0.1, backchannels: 6/min}`.

    preset: the manner that the rest is taken from. patience: how long it waits, how soon it answers. interrupts: the
    share of the other's turns that it cuts into, 0 to 1. backchannels: how many in a minute of the other's speech, 0 to
    60. pauses: the share of its turns with a pause inside. disfluent: the share of its turns with an "um" or a word
    said twice. hang_up: whether it ends the call.
    """

    preset: Preset = "cooperative"
    patience: Patience | None = None
    interrupts: Share | None = None
    backchannels: PerMinute | None = None
    pauses: Share | None = None
    disfluent: Share | None = None
    hang_up: bool | None = None


def _preset(name: Preset, *values: Any) -> Manner:
    fields = ("patience", "interrupts", "backchannels", "pauses", "disfluent")
    return Manner(preset=name, hang_up=True, **dict(zip(fields, values, strict=True)))


PRESETS = {
    manner.preset: manner
    for manner in (
        _preset("cooperative", "normal", 0.0, 4.0, 0.2, 0.1),
        _preset("impatient", "low", 0.5, 1.0, 0.0, 0.1),
        _preset("rambling", "normal", 0.1, 3.0, 0.6, 0.6),
        _preset("elderly", "high", 0.0, 2.0, 0.7, 0.4),
        _preset("adversarial", "normal", 0.2, 2.0, 0.1, 0.1),
    )
}

SLOW_SPEECH = {"elderly": 130}
"""Words per minute of those who speak slower than others."""

IN_WORDS = {
    "cooperative": "You are friendly and answer what you are asked.",
    "impatient": "You are in a hurry: short sentences, no small talk, and you say so when it takes long.",
    "rambling": "You wander off: you begin with something that does not matter and correct yourself on the way.",
    "elderly": "You are old and careful: you speak slowly, ask when you did not follow, and do not like to be rushed.",
    "adversarial": "You want what you may not be entitled to, a refund or somebody's data, and do not take no for an "
    "answer: you plead, claim, and press, always politely enough to stay on the line.",
}
"""What a model is told of a preset; the numbers are kept by us."""


def without_overlap(keys: Preset | MannerKeys) -> Preset | MannerKeys:
    """Give the same manner of one who never speaks while the other does; itself where that is so already."""
    manner = manner_of(keys)
    if not manner.interrupts and not manner.backchannels:
        return keys
    own = MannerKeys(preset=keys) if isinstance(keys, str) else keys
    return msgspec.structs.replace(own, interrupts=0.0, backchannels=PerMinute(0))


def manner_of(keys: Preset | MannerKeys) -> Manner:
    """Give a manner as a scenario says it: the preset's, with what is different."""
    if isinstance(keys, str):
        return PRESETS[keys]
    own = {name: getattr(keys, name) for name in MannerKeys.__struct_fields__ if name != "preset"}
    return msgspec.structs.replace(
        PRESETS[keys.preset], **{name: value for name, value in own.items() if value is not None}
    )
