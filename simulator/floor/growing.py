"""The floor of a conversation that goes on: what there is to notice, judged by the same functions on what is known.

A later sound may change a verdict (a mm-hm that goes on is a turn), so what was noticed may be said again or taken
back, until it is settled. Each time a window alone is judged, so that it costs the same however long the session is:

    context                    settled                    the present: now, or where what goes on began
       |---- 5 s or more ---------|---- 5 s or more ---------|
       looked at, not judged      judged ...

`context` and `settled` are rests: samples at which something begins and no ipu, utterance or hold goes on. What lies
5 s before the present does not depend on what is still to come, and what lies 5 s after a rest depends on nothing
before it but who held the floor: three rules build on each other (who speaks around an ipu and its role, which look 1 s
far, and its turn, which may go on over 3 s). So a window is as long as somebody holds the floor, plus seconds.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

import msgspec

from simulator.events import PARTIES, Event, Party, other_party
from simulator.floor.floor import Floor
from simulator.floor.ipus import BACKCHANNEL_S, BREATH_S, IPU_S, TURN_PAUSE_S, WAITED_OUT_S
from simulator.floor.transfers import Holder, overlaps, passes
from simulator.floor.yields import shown_barge_ins
from simulator.speech import Speech
from simulator.timeline import Stretch

REACH_S = 2 * TURN_PAUSE_S + WAITED_OUT_S
"""How far the rules reach together: see above."""

TOLD_REACH_S = WAITED_OUT_S + BACKCHANNEL_S + BREATH_S
"""How far back an utterance bears.

Within the longest pause of a turn lies an ipu of less than a second, and within a breath of that a hold. Less than
REACH_S, so that what is told in time never bears on what is settled.
"""

HappeningKind = Literal["transfer", "overlap", "backchannel", "barge_in"]


class Happening(msgspec.Struct, frozen=True, kw_only=True):
    """Something to notice in [start, end) samples, begun `at` a sample by a party (empty: by both).

    offset: of a transfer, in samples. outcome: of a barge-in.
    """

    kind: HappeningKind
    party: Party | Literal[""]
    at: int
    start: int
    end: int
    offset: int | None = None
    outcome: str = ""


class KnownSoFar(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a conversation from some sample on; `duration`: up to the present.

    spans: of the utterances that events told, from where they begin to where they end; one that goes on ends now.
    """

    sample_rate: int
    duration: int
    speech: Speech
    by_type: Mapping[str, Sequence[Event]]
    spans: Sequence[Stretch]


Known = Callable[[int], KnownSoFar]
"""known(since): what is known from a sample on; of what begins before it, nothing."""


class Revision(NamedTuple):
    """Something noticed that is new, or has changed, or is taken back (withdrawn); it keeps its name."""

    name: str
    item: Happening
    withdrawn: bool = False


def happenings(floor: Floor, since: int = 0, holder: Holder | None = None) -> Iterator[Happening]:
    """Give what there is to notice from a sample on, kind by kind. holder: who had the floor before it."""
    for _, _, passed in passes(floor, since, holder):
        if passed is not None:
            start, end = sorted((passed.start, passed.end))
            yield Happening(
                kind="transfer", party=passed.party, at=passed.start, start=start, end=end, offset=passed.offset
            )
    for both in overlaps(floor):
        if both.start >= since:
            yield Happening(kind="overlap", party="", at=both.start, start=both.start, end=both.end)
    for party in PARTIES:
        for item in floor.side(party).of_role("backchannel"):
            if item.start >= since:
                yield Happening(kind="backchannel", party=party, at=item.start, start=item.start, end=item.end)
    for case in shown_barge_ins(floor):
        if (at := case.by.start) >= since:
            yield Happening(kind="barge_in", party=case.by.party, at=at, start=at, end=case.stop, outcome=case.outcome)


class GrowingFloor:
    """Notices what happens while it happens. settled: the sample before which nothing changes any more."""

    def __init__(self, known: Known, sample_rate: int) -> None:
        self._known = known
        self._rate = sample_rate
        self.settled = self._context = 0
        self._holder: Holder | None = None
        self._open: dict[str, Happening] = {}
        self._past: dict[str, Happening] = {}

    def learn(self, since: int) -> None:
        """Something was told of what lies from a sample on: where it bears on what was settled, all is judged again."""
        if since - round(TOLD_REACH_S * self._rate) < self.settled:
            self.settled = self._context = 0
            self._holder = None
            self._open, self._past = self._past | self._open, {}

    @property
    def found(self) -> list[Happening]:
        """Everything that was noticed and stands."""
        return [*self._past.values(), *self._open.values()]

    def judge(self, speaking: Collection[Party] = (), *, over: bool = False) -> list[Revision]:
        """Judge what is known now, and give what has changed. speaking: whose speech goes on. over: the session is."""
        known = self._known(self._context)
        floor = Floor(known)
        fresh: dict[str, Happening] = {}
        for item in happenings(floor, self.settled, self._holder):
            if over or _is_complete(floor, item, speaking):
                name = f"{item.kind} {item.party} {item.at}"
                fresh[name if name not in fresh else f"{name} {len(fresh)}"] = item
        gone = [Revision(name, item, withdrawn=True) for name, item in self._open.items() if name not in fresh]
        changed = [Revision(name, item) for name, item in fresh.items() if self._open.get(name) != item]
        self._open = fresh
        self._settle(floor, known)
        return gone + changed

    def _settle(self, floor: Floor, known: KnownSoFar) -> None:
        reach = round(REACH_S * self._rate)
        rests = list(_rests(floor, known.spans))
        settled = max((rest for rest in rests if rest <= _present(floor, known.spans) - reach), default=0)
        if settled <= self.settled:
            return
        for ipu, holder, _ in passes(floor, self.settled, self._holder):
            if ipu.start >= settled:
                break
            self._holder = holder
        self._past |= {name: item for name, item in self._open.items() if item.at < settled}
        self._open = {name: item for name, item in self._open.items() if item.at >= settled}
        self._context = max((rest for rest in rests if rest <= settled - reach), default=self._context)
        self.settled = settled


def _is_complete(floor: Floor, item: Happening, speaking: Collection[Party]) -> bool:
    """Whether something may be told before the session is over: it goes on no longer. A transfer is one at once."""
    running: dict[str, int] = {party: floor.side(party).ipus[-1].start for party in speaking if floor.side(party).ipus}
    if item.kind == "overlap":
        return len(running) < len(PARTIES) or item.end <= max(running.values())
    if item.kind == "transfer" or item.outcome == "talked through":
        return True
    whose = other_party(item.party) if item.kind == "barge_in" and item.party else item.party
    # What reaches to the present was cut off by nothing yet: the session goes on.
    return item.outcome != "was cut off by the end" and item.end <= running.get(whose, item.end)


def _present(floor: Floor, spans: Sequence[Stretch]) -> int:
    """Give where the present begins: what goes on began there, and may turn out to be something else altogether."""
    now, bridged = floor.duration, floor.samples(IPU_S)
    recent = [*floor.user.ipus.stretches[-1:], *floor.agent.ipus.stretches[-1:], *spans]
    return min([now, *(start for start, end in recent if end + bridged > now)])


def _rests(floor: Floor, spans: Sequence[Stretch]) -> Iterator[int]:
    """Give the samples at which something begins and no ipu, hold or utterance goes on.

    A turn may go on over a rest: that a claim joins one rather than beginning anew is noticed only if the other holds
    the floor then, with a claim that took it from the turn unless it is older, and a hold that old lets nothing rest.
    """
    holds = [Stretch(item.start, item.until) for party in PARTIES for item in floor.side(party).holds]
    reached = 0
    for start, end in sorted([*floor.user.ipus, *floor.agent.ipus, *holds, *spans]):
        if start >= reached:
            yield start
        reached = max(reached, end)
