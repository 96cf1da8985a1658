"""Contributions: what a party said, with the role it was said in, joined into turns and into holds of the floor.

Truth comes first. Where events tell a party's utterances, each is one contribution with the role it was said
in. Speech that nobody told is judged by its shape: an ipu under 1 s, alone (1 s of own silence on both
sides), at least half of it inside the other's ipus or told utterances, is a backchannel; any other ipu is (part of)
a turn. So what is said into the other's silence, however short, is an answer.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import NamedTuple

import msgspec

from simulator.events import Event, Party
from simulator.floor.ipus import mostly_inside
from simulator.speech import Segment, Speech
from simulator.timeline import Timeline

TURN_ROLES = ("turn", "recording", "")
"""Roles in which a party takes its turn; empty where nobody told."""

INJECTED_ROLES = ("interruption", "backchannel", "aside")
"""Roles in which something is said over the other on purpose."""

CLAIMS_FLOOR = (*TURN_ROLES, "interruption")

_start = attrgetter("start")


class Contribution(msgspec.Struct, frozen=True, kw_only=True):
    """Something a party said in [start, end) samples, from its first to its last sound.

    cut: it was stopped before its planned end; None when nobody told of it. id, text: of the utterance, if told.
    until: the sample up to which it held the floor: later than `end` where it was cut in a pause of its own.
    """

    party: Party
    start: int
    end: int
    role: str
    id: str = ""
    text: str = ""
    cut: bool | None = None
    until: int = 0

    @property
    def claims_floor(self) -> bool:
        """Whether it takes a turn: not a backchannel, not said to somebody else."""
        return self.role in CLAIMS_FLOOR

    @property
    def told(self) -> bool:
        """Whether events told of it; else it is an ipu, judged by its shape."""
        return self.cut is not None


def words_in(item: Contribution, speech: Speech) -> str:
    """Give the words that its party began within a contribution; its own text where nobody knows words."""
    return " ".join(word.text for word in speech.of(item.party).words_within(item.start, item.end)) or item.text


def told_contribution(party: Party, item: Segment, ended: Event | None) -> Contribution:
    """Give what an utterance contributed. ended: its `speech_end`; without one it was cut by whatever ended all."""
    cut = ended is None or bool(ended.data.get("cut"))
    until = max(item.end, ended.at) if cut and ended else item.end
    return Contribution(
        party=party, start=item.start, end=item.end, until=until, role=item.role, id=item.id, text=item.text, cut=cut
    )


def untold_contributions(
    party: Party, untold: Timeline, others: Timeline, *, alone: int, short: int
) -> Iterator[Contribution]:
    """Give what the ipus that nobody told of contributed, by their shape.

    others: where the other party speaks, its told utterances with their pauses. short: samples from which an ipu is no
    backchannel any more.
    """
    for index, ipu in enumerate(untold):
        before = ipu.start - untold[index - 1].end if index else alone
        after = untold[index + 1].start - ipu.end if index + 1 < len(untold) else alone
        is_short = ipu.length < short and min(before, after) >= alone
        role = "backchannel" if is_short and mostly_inside(ipu, others) else ""
        yield Contribution(party=party, start=ipu.start, end=ipu.end, until=ipu.end, role=role)


def begun_in(said: Sequence[Contribution], first: int, last: int) -> Sequence[Contribution]:
    """Give what was begun in [first, last), out of contributions in time order."""
    return said[bisect_left(said, first, key=_start) : bisect_left(said, last, key=_start)]


class TurnPauses(NamedTuple):
    """Samples of silence in which a turn may go on: in any case, and where nobody at all spoke."""

    any: int
    waited_out: int


def joined_turns(
    claims: Sequence[Contribution], others: Sequence[Contribution], others_speech: Timeline, pauses: TurnPauses
) -> Iterator[Contribution]:
    """Join a party's claims into turns: those a pause apart, unless the other took the floor.

    The other (`others`: its holds, so that who goes on after a breath begins nothing) took it when it began after the
    turn began, before the claim, and outlasted the turn so far. Claims that nobody told are one turn over a longer
    pause, too, in which the other did not speak.
    """
    last: Contribution | None = None
    for item in claims:
        if last is None:
            last = item
        elif _goes_on(last, item, others_speech, pauses) and not _took_floor(others, last, item.start):
            last = msgspec.structs.replace(last, end=max(last.end, item.end), cut=item.cut, id=item.id)
        else:
            yield last
            last = item
    if last is not None:
        yield last


def _goes_on(turn: Contribution, claim: Contribution, others_speech: Timeline, pauses: TurnPauses) -> bool:
    pause = claim.start - turn.end
    if pause < pauses.any:
        return True
    told = turn.told or claim.told
    return not told and pause < pauses.waited_out and not others_speech.covered(turn.end, claim.start)


def _took_floor(others: Sequence[Contribution], turn: Contribution, until: int) -> bool:
    return any(claim.end > turn.end for claim in begun_in(others, turn.start + 1, until))


def joined_holds(
    claims: Sequence[Contribution], others: Sequence[Contribution], *, breath: int, ipu: int
) -> Iterator[Contribution]:
    """Join a party's claims into the stretches for which it keeps the floor.

    Told utterances with the pauses inside them, joined when less than `ipu` samples apart; ipus where nobody told,
    joined over less than a `breath`, unless the other (`others`: its claims) took a turn wholly inside it.
    """
    last: Contribution | None = None
    for item in claims:
        least = ipu if item.told else breath
        if last is not None and item.start - last.end < least and not _answered(others, last.end, item):
            longer = item if item.end >= last.end else last
            last = msgspec.structs.replace(longer, start=last.start, until=max(last.until, item.until))
            continue
        if last is not None:
            yield last
        last = item
    if last is not None:
        yield last


def _answered(others: Sequence[Contribution], since: int, item: Contribution) -> bool:
    if item.told:
        return False
    return any(one.role in TURN_ROLES and one.end <= item.start for one in begun_in(others, since, item.start))
