"""Trials: how often a scenario is played, until when, and what each of them is held against."""

from typing import Annotated, Literal

import msgspec

MOST_TRIALS = 100_000

Control = Literal["half_duplex"]
"""What every trial is played a second time as."""


class UntilDecided(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`{until: decided, at_most: 200}`: trials go on until every expectation is held or failed, at most so many."""

    until: Literal["decided"]
    at_most: Annotated[int, msgspec.Meta(ge=2, le=MOST_TRIALS)] = 200
