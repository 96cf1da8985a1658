"""How a scenario is played: by which clock, how many trials, and what each of them is held against."""

from typing import Annotated, Literal

import msgspec

MOST_TRIALS = 100_000

Control = Literal["half_duplex"]
"""What every trial is played a second time as."""


class ClockSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """`{kind: wall, strict: true}`: a late tick or an underrun ends the session with an error.

    kind: as fast as the machine, or by the wall. strict: whether being late is an error.
    """

    kind: Literal["virtual", "wall"]
    strict: bool = False


class UntilDecided(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`{until: decided, at_most: 200}`: trials go on until every expectation is held or failed, at most so many.

    until: every expectation is decided. at_most: so many trials.
    """

    until: Literal["decided"]
    at_most: Annotated[int, msgspec.Meta(ge=2, le=MOST_TRIALS)] = 200
