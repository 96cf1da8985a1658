"""Tongues: what is known of a language."""

import msgspec


class Tongue(msgspec.Struct, frozen=True, kw_only=True):
    """A language.

    voice: of espeak; second: a clearly different one, for the other party. accents: voices by what they sound like.
    backchannels: said to somebody who speaks. fillers: said for time, with their mark. hold: said by who needs a
    while. hesitations: what a turn that goes on breaks off with, in lower case. corrections: what stands between a slip
    and what was meant. swaps: rows of words that one may say for each other by mistake. replies: patterns of what is
    heard, with the answer; the last answers anything. spaced: whether its words stand apart.
    """

    code: str
    name: str
    voice: str
    second: str
    accents: dict[str, tuple[str, ...]] = {}
    backchannels: tuple[str, ...]
    fillers: tuple[str, ...]
    hold: str
    hesitations: tuple[str, ...]
    corrections: tuple[str, ...]
    swaps: tuple[tuple[str, ...], ...] = ()
    replies: tuple[tuple[str, str], ...] = ()
    spaced: bool = True
