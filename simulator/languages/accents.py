"""Accents: a list of voices, of which each trial speaks with the next one, so that all are heard equally often."""

from typing import TypeVar

import msgspec

S = TypeVar("S", bound=msgspec.Struct)


def drawn(spec: S, number: int) -> S:
    """Give a party's spec with the voice of trial `number` instead of its accent; itself where it has none."""
    voices = getattr(spec, "accent", None)
    if not isinstance(voices, list) or not voices:
        return spec
    return msgspec.structs.replace(spec, voice=voices[number % len(voices)], accent=[])
