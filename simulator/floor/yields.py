"""Yields: who begins to speak while the other holds the floor, and whether the other lets it go.

the hold goes on for 2 s                                        -> talked through
the session ends first                                          -> was cut off by the end
it ends within 120 ms, or by what the other had said before     -> coincident
it was cut                                                      -> yielded
it was said whole, 1 s or more after the onset                  -> talked through, else it ended by itself
nobody knows which: over an interruption that was meant as one  -> yielded
                    over any other turn                         -> undecided

Who knows: the plan of an utterance (`speech_end`), the far end's account of what it sent (`audio_end`), else its sound
(`endings`), where it ends as no other phrase of its speaker does, or as they all do. Where none of them does, a sound
that stops looks like one that ends: people begin to speak 0.2 to 0.6 s before the other's end all the time (Heldner &
Edlund 2010), so an ordinary turn over such an end is no yield. An interruption that was meant as one (injected, or a
script's turn that waited for the other to speak) falls into the middle of what was being said, but for the chance that
it was just over: where the sound says so, neither is believed.
"""

from typing import Literal

import msgspec

from simulator.events import Party
from simulator.floor.contributions import Contribution
from simulator.floor.endings import OwnEnds
from simulator.floor.floor import Floor, Side
from simulator.floor.ipus import COINCIDENT_S, REACTION_S

YieldOutcome = Literal[
    "yielded", "talked through", "ended by itself", "was cut off by the end", "coincident", "undecided"
]

DECIDED: tuple[YieldOutcome, ...] = ("yielded", "talked through")

KNOWN: tuple[YieldOutcome, ...] = (*DECIDED, "ended by itself")
"""What became of a barge-in is known, if only that it asked nothing of the other."""

TOLD_NEAR_S = 0.25
"""How far from the last audible sample the far end's account of an item may place its end: its own last silence."""

EARLIER_S = 0.5
"""How long after something was said over the other a stop may still be its doing and not the next thing's."""

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
    """Give every barge-in of a party, in order: a turn, or a planned interruption, begun while the other speaks.

    yield_within: seconds in which the other must fall silent. head_start: seconds for which it must have held the
    floor; an interruption that was planned counts at any time.
    """
    side = floor.side(party)
    ends = OwnEnds(floor, side.other)
    return [
        _case(floor, item, over, ends, yield_within)
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
    """A party's turns, and interruptions planned inside one; each ends where its turn ends."""
    begun = {turn.start for turn in side.turns}
    inside = [
        msgspec.structs.replace(item, end=next(turn.end for turn in side.turns if turn.end >= item.end))
        for item in side.of_role("interruption")
        if item.start not in begun
    ]
    return sorted([*side.turns, *inside], key=lambda item: item.start)


def _case(floor: Floor, item: Contribution, over: Contribution, ends: OwnEnds, yield_within: float) -> BargeInCase:
    outcome = _outcome(floor, item, over, ends, yield_within)
    after = ends.side.claims_from(over.end, floor.duration) if outcome == "yielded" else ()
    back = after[0].start if after else None
    return BargeInCase(by=item, over=over, stop=max(item.start, over.end), outcome=outcome, back=back)


def _outcome(floor: Floor, item: Contribution, over: Contribution, ends: OwnEnds, yield_within: float) -> YieldOutcome:
    spoke_on = over.end - item.start
    if spoke_on >= floor.samples(yield_within):
        return "talked through"
    if floor.cut_off(over.until):
        return "was cut off by the end"
    told, planned = was_cut(floor, over), item.role == "interruption"
    cut = ends.sounds_cut(over) if told is None else told
    if cut is False and told is None and planned:
        return "undecided"
    if cut is False:
        return "talked through" if spoke_on >= floor.samples(SPOKE_ON_S) else "ended by itself"
    if cut is None and not planned:
        return "undecided"
    return "yielded" if _caused(floor, item, over) else "coincident"


def was_cut(floor: Floor, over: Contribution) -> bool | None:
    """Whether a hold ended because its speech was cut: by its own plan, else by the far end's account of its audio.

    None where nobody told.
    """
    if over.told:
        return over.cut
    near = floor.samples(TOLD_NEAR_S)
    for event in floor.session.by_type.get("audio_end", []):
        if event.party == over.party and abs(event.at - over.end) <= near:
            cut = event.data.get("cut")
            return None if cut is None else bool(cut)
    return None


def _caused(floor: Floor, item: Contribution, over: Contribution) -> bool:
    """Whether a stop can be the doing of this claim: not of something said earlier over the same hold, nor of chance.

    `heard_since` of the other's `yielded` event decides where there is one.
    """
    earlier = _earlier_end(floor, item, over)
    for event in floor.session.by_type.get("yielded", []):
        if event.party == over.party and item.start <= event.at <= over.until + floor.samples(TOLD_NEAR_S):
            return int(event.data.get("heard_since", item.start)) >= earlier
    if over.until > over.end:
        return True  # it was cut in a pause of its own: silent already, whatever it was that cut it
    return over.end - item.start >= floor.samples(COINCIDENT_S) and not earlier


def _earlier_end(floor: Floor, item: Contribution, over: Contribution) -> int:
    """The end of what the same party said over the hold shortly before this claim; 0 where it said nothing."""
    ends = [
        said.end
        for said in floor.side(item.party).said
        if not said.claims_floor
        and over.start <= said.start < item.start
        and item.start - said.end < floor.samples(EARLIER_S)
    ]
    return max(ends, default=0)
