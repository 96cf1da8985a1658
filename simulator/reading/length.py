"""Lengths: how long a session lasts: a time, until a party has said all, or until it is answered."""

from typing import Any

import msgspec

from simulator.events import Party
from simulator.spec import Convert, Duration, encode


class AfterParty(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`{after: user, tail: 5s}`: the session ends so long after a party has said all it has to say.

    after: whose last word. tail: so long after it. at_most: the session's length in any case.
    """

    after: Party
    tail: Duration = Duration(5.0)
    at_most: Duration = Duration(1800.0)


class Answered(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`{answered: 2s}`: the session ends when the agent has answered the user and then been silent for so long.

    no_answer: so long an answer is waited for once the user has said all. answered: how long the agent is silent.
    at_most: the session's length in any case.
    """

    answered: Duration
    no_answer: Duration = Duration(15.0)
    at_most: Duration = Duration(60.0)


class Length:
    """A session's duration: a time, so long after a party is done, or until it is answered; in whole ticks, rounded up.

    time: the time, or the longest it may take.
    """

    __slots__ = ("after", "answered", "time")

    def __init__(self, time: Duration, after: AfterParty | None = None, answered: Answered | None = None) -> None:
        self.time = time
        self.after = after
        self.answered = answered

    @property
    def awaited(self) -> Party | None:
        """The party that must have said all before the session can end."""
        return self.after.after if self.after else "user" if self.answered else None

    @classmethod
    def __decode__(cls, value: object, convert: Convert) -> "Length":
        if isinstance(value, dict):
            if "answered" in value:
                answered: Answered = convert(value, Answered)
                return cls(answered.at_most, answered=answered)
            after: AfterParty = convert(value, AfterParty)
            return cls(after.at_most, after)
        time: Duration = Duration.__decode__(value, convert)
        if time <= 0:
            raise ValueError(f"{value!r} is no time; a session needs a duration above 0")
        return cls(time)

    def __encode__(self) -> Any:
        until = self.after or self.answered
        return encode(until) if until else self.time.__encode__()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Length) and all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    def __hash__(self) -> int:
        return hash(self.time)
