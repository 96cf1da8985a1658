"""Yields: who begins to speak while the other holds the floor, and whether the other lets it go.

the hold goes on for 2 s                                   -> talked through
the session ends first                                     -> was cut off by the end
nobody told the hold's plan: it ends 200 ms or more later  -> yielded, else it ended by itself
its plan is told: it was cut                               -> yielded
                  it ends uncut 1 s or more later          -> talked through, else it ended by itself
"""

from typing import Literal

import msgspec

from simulator.events import Party
from simulator.floor.contributions import Contribution
from simulator.floor.floor import Floor, Side
from simulator.floor.ipus import REACTION_S

YieldOutcome = Literal["yielded", "talked through", "ended by itself", "was cut off by the end"]

YIELD_WITHIN_S = 2.0
"""How soon a party must fall silent to have yielded (tau-voice)."""

HEAD_START_S = REACTION_S
"""How long the other must have held the floor: who begins sooner than anybody reacts began at the same time."""

SPOKE_ON_S = 1.0
"""An utterance that ended uncut less than this after the onset says nothing: nobody could tell yielding from ending."""


class BargeInCase(msgspec.Struct, frozen=True, kw_only=True):
    """One barge-in: what was said (`by`) over which hold of the other, when the hold's sound stopped, what it was."""

    by: Contribution
    over: Contribution
    stop: int
    outcome: YieldOutcome
    back: int | None = None
    """Sample at which the other spoke again after yielding."""


def barge_ins(
    floor: Floor, party: Party = "user", *, yield_within: float = YIELD_WITHIN_S, head_start: float = HEAD_START_S
) -> list[BargeInCase]:
    """Give every barge-in of a party, in order: a turn, or an injected interruption, begun while the other speaks.

    yield_within: seconds in which the other must fall silent. head_start: seconds for which it must have held the
    floor; an interruption that was injected counts at any time.
    """
    side = floor.side(party)
    return [
        _case(floor, item, over, side.other, yield_within)
        for item in _claims(side)
        if (over := side.other.holding(item.start)) is not None
        and (item.role == "interruption" or item.start - over.start >= floor.samples(head_start))
    ]


def shown_barge_ins(floor: Floor) -> list[BargeInCase]:
    """Give the barge-ins that a view shows: the user's, and the agent's interruptions that were planned.

    An agent that begins over the user on its own is no tester's barge-in: `agent_interruption` judges it.
    """
    planned = [case for case in barge_ins(floor, "agent") if case.by.role == "interruption"]
    return [*barge_ins(floor, "user"), *planned]


def _claims(side: Side) -> list[Contribution]:
    """A party's turns, and interruptions injected inside one; each ends where its turn ends."""
    begun = {turn.start for turn in side.turns}
    inside = [
        msgspec.structs.replace(item, end=next(turn.end for turn in side.turns if turn.end >= item.end))
        for item in side.of_role("interruption")
        if item.start not in begun
    ]
    return sorted([*side.turns, *inside], key=lambda item: item.start)


def _case(floor: Floor, item: Contribution, over: Contribution, other: Side, yield_within: float) -> BargeInCase:
    outcome = _outcome(floor, over, over.end - item.start, yield_within)
    after = other.claims_from(over.end, floor.duration) if outcome == "yielded" else ()
    back = after[0].start if after else None
    return BargeInCase(by=item, over=over, stop=max(item.start, over.end), outcome=outcome, back=back)


def _outcome(floor: Floor, over: Contribution, spoke_on: int, yield_within: float) -> YieldOutcome:
    if spoke_on >= floor.samples(yield_within):
        return "talked through"
    if floor.cut_off(over.until):
        return "was cut off by the end"
    if over.cut is None:
        return "yielded" if spoke_on >= floor.samples(REACTION_S) else "ended by itself"
    if over.cut:
        return "yielded"
    return "talked through" if spoke_on >= floor.samples(SPOKE_ON_S) else "ended by itself"
