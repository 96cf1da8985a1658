"""Floor transfers: who takes the floor from whom, and how long after (or before) the other's end."""

from collections.abc import Sequence

import msgspec

from metrics.floor import Floor, Side, mostly_inside
from simulator.events import PARTIES, Party
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


def transfers(floor: Floor) -> list[Transfer]:
    """Give every passing of the floor, in time order.

    An ipu that ends inside the other's speech, and one that is (mostly) backchannel or aside, takes no floor.
    """
    ipus = sorted((ipu, party) for party in PARTIES for ipu in _claiming(floor.side(party)))
    found: list[Transfer] = []
    holder: tuple[Party, int] | None = None
    for ipu, party in ipus:
        if holder is None or holder[0] == party:
            holder = (party, max(ipu.end, holder[1] if holder else 0))
        elif ipu.end > holder[1]:
            found.append(Transfer(party=party, end=holder[1], start=ipu.start))
            holder = (party, ipu.end)
    return found


def _claiming(side: Side) -> Sequence[Stretch]:
    besides = Timeline((item.start, item.end) for item in side.said if not item.claims_floor)
    return [ipu for ipu in side.ipus if not mostly_inside(ipu, besides)]
