"""The shapes of turn-taking that are held beside human talk, and the reference: quantiles of what people do.

human_talk.json holds numbers alone, no sound and no words, with their source and licence; it is written by
`python -m tests.benchmarks.human_talk`.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

import msgspec

from metrics.turns import structure
from simulator.events import PARTIES, Party
from simulator.floor.floor import Floor
from simulator.floor.transfers import transfers
from simulator.timeline import Stretch

SHAPES = ("fto", "gap", "overlap", "pause", "ipu", "backchannel")
RESOLVED_S = 1.0
"""Own silences that the reference can tell: manual word times leave hardly any shorter one, as words there end where
the next one begins. So pauses are those of 1 s and more here, and an ipu goes on over shorter ones, for both alike."""
_FILE = Path(__file__).with_name("human_talk.json")


class HumanTalk(msgspec.Struct, frozen=True, kw_only=True):
    """human_talk.json. quantiles: by shape, evenly spaced ones in seconds, so that they stand for the distribution.

    counts: how many each was taken from. minutes: of talk.
    """

    source: str
    licence: str
    told: str
    minutes: float
    counts: dict[str, int]
    quantiles: dict[str, tuple[float, ...]]


class ShapeEvent(NamedTuple):
    """One event of a shape: whose, where, and its length (of an offset: the offset) in seconds."""

    party: Party | str
    where: Stretch
    seconds: float


@cache
def human_talk() -> HumanTalk:
    """Give the reference that is shipped."""
    return msgspec.json.decode(_FILE.read_bytes(), type=HumanTalk)


def measured(floor: Floor) -> Mapping[str, list[ShapeEvent]]:
    """Give every event of every shape. An ipu that the session's beginning or end cuts off has no length."""
    events = structure(floor)
    found = {
        shape: [ShapeEvent(party, where, floor.seconds(where.length)) for party, where in events[shape]]
        for shape in ("gap", "overlap", "pause")
    }
    found["pause"] = [item for item in found["pause"] if item.seconds >= RESOLVED_S]
    found["ipu"] = [
        ShapeEvent(party, where, floor.seconds(where.length))
        for party in PARTIES
        for where in floor.side(party).speech.timeline().bridge(floor.samples(RESOLVED_S))
        if where.start > 0 and where.end < floor.duration
    ]
    found["fto"] = [ShapeEvent(item.party, item.where, floor.seconds(item.offset)) for item in transfers(floor)]
    found["backchannel"] = [
        ShapeEvent(party, Stretch(item.start, item.end), floor.seconds(item.end - item.start))
        for party in PARTIES
        for item in floor.side(party).of_role("backchannel")
    ]
    return found
