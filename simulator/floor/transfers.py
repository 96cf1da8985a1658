"""Floor transfers: who takes the floor from whom, and how long after (or before) the other's end; and overlaps."""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from simulator.events import PARTIES, Party
from simulator.floor.floor import Floor, Side
from simulator.floor.ipus import mostly_inside
from simulator.timeline import Stretch, Timeline


class Transfer(msgspec.Struct, frozen=True, kw_only=True):
    """The floor passing to `party`: the other's speech ended at `end`, this one's began at `start`."""

    party: Party
    end: int
    start: int

    @property
    def offset(self) -> int:
        """The floor transfer offset in samples: a gap is positive, an overlap negative."""
        return self.start - self.end

    @property
    def where(self) -> Stretch:
        """The gap or the overlap in which it passes."""
        return Stretch(min(self.start, self.end), max(self.start, self.end))


class Holder(NamedTuple):
    """Who spoke last with a claim to the floor, and the sample after that speech."""

    party: Party
    end: int


def transfers(floor: Floor) -> list[Transfer]:
    """Give every passing of the floor, in time order.

    An ipu that ends inside the other's speech, and one that is (mostly) backchannel or aside, takes no floor.
    """
    return [transfer for _, _, transfer in passes(floor) if transfer is not None]


def passes(
    floor: Floor, since: int = 0, holder: Holder | None = None
) -> Iterator[tuple[Stretch, Holder, Transfer | None]]:
    """Give for every ipu that claims the floor who holds it then, and the transfer that the ipu makes, if it does.

    since: begin with the first ipu from this sample on, with the `holder` that those before it left: the holder is all
    that the past of a conversation means to its next transfer. Of two ipus that are equal the agent's comes first.
    """
    ipus = sorted((ipu, party) for party in PARTIES for ipu in _claiming(floor.side(party)) if ipu.start >= since)
    for ipu, party in ipus:
        transfer = None
        if holder is None or holder.party == party:
            holder = Holder(party, max(ipu.end, holder.end if holder else 0))
        elif ipu.end > holder.end:
            transfer = Transfer(party=party, end=holder.end, start=ipu.start)
            holder = Holder(party, ipu.end)
        yield ipu, holder, transfer


def _claiming(side: Side) -> list[Stretch]:
    besides = Timeline((item.start, item.end) for item in side.said if not item.claims_floor)
    return [ipu for ipu in side.ipus if not mostly_inside(ipu, besides)]


def overlaps(floor: Floor) -> Timeline:
    """Give where both parties' ipus are at once, backchannels included."""
    return floor.user.ipus & floor.agent.ipus
