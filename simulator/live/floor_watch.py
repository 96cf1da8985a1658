"""Who has the floor, told while it happens: turn changes, overlaps, backchannels and barge-ins of a live session.

Judged on the said tracks, tick by tick, with what is known at that moment; the scores of the finished session are made
from the whole recording and may differ. Speaking bridges gaps under 200 ms, so an end is known that much later.

    a stretch begins:  the other is silent -> a turn change, when the other spoke last (fto = start - other's end)
                       the other speaks    -> an overlap begins
    it ends first:     under 1 s           -> a backchannel; longer: the other kept the floor
    the other ends first, while it goes on -> a barge-in (yield latency = other's end - start)
"""

from collections.abc import Mapping
from statistics import median
from typing import Literal

import msgspec

from simulator.events import PARTIES, Party, other_party
from simulator.frame import AudioFrame, Samples
from simulator.speaking.ears import EarsKind, make_ears

BACKCHANNEL_S = 1.0
LEAST_OVERLAP_S = 0.1


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was noticed. start, end: session seconds. ms: the fto of a turn change, the latency of a yield."""

    kind: Literal["transfer", "overlap", "backchannel", "barge_in"]
    party: Party
    start: float
    end: float
    ms: int | None = None


class _Side:
    """One party: its ears, and the stretch it is in. over_other: the other was speaking when it began."""

    def __init__(self, ears: EarsKind, sample_rate: int) -> None:
        self.ears = make_ears(ears, sample_rate, noisy=False)
        self.activity = self.ears.activity
        self.speaking = False
        self.over_other = False


class FloorWatch:
    """Watches both said tracks. ears: for each party `level` (synthetic speech) or `silero` (a real microphone)."""

    def __init__(self, sample_rate: int, ears: Mapping[Party, EarsKind]) -> None:
        self._rate = sample_rate
        self._sides = {party: _Side(ears[party], sample_rate) for party in PARTIES}
        self._holder: Party | None = None
        self._responses_ms: list[int] = []

    def warm(self) -> None:
        """Load the detectors now."""
        for side in self._sides.values():
            getattr(side.ears, "warm", lambda: None)()

    def speaking(self, party: Party) -> bool:
        """Whether the party speaks now."""
        return self._sides[party].speaking

    @property
    def latest_response_ms(self) -> int | None:
        """How long the agent took to answer, the last time."""
        return self._responses_ms[-1] if self._responses_ms else None

    @property
    def response_p50_ms(self) -> int | None:
        """The median of the agent's response latencies so far."""
        return round(median(self._responses_ms)) if self._responses_ms else None

    def hear(self, start: int, user: Samples, agent: Samples) -> list[Notice]:
        """Take what both said in [start, start + n) and give what was noticed."""
        for party, samples in (("user", user), ("agent", agent)):
            self._sides[party].ears.hear(AudioFrame(start, samples))  # type: ignore[index]
        marks: list[Notice] = []
        for party in PARTIES:
            side = self._sides[party]
            if side.activity.speaking and not side.speaking:
                marks += self._begun(party)
            elif side.speaking and not side.activity.speaking:
                marks += self._ended(party)
            side.speaking = side.activity.speaking
        return marks

    def _begun(self, party: Party) -> list[Notice]:
        own, other = self._sides[party], self._sides[other_party(party)].activity
        since = own.activity.since
        own.over_other = other.speaking and other.last_end > since
        if own.over_other or self._holder in (None, party):
            if not own.over_other:
                self._holder = party
            return []
        self._holder = party
        return [self._transfer(party, other.last_end, since)]

    def _transfer(self, party: Party, before: int, since: int) -> Notice:
        fto = round(1000 * (since - before) / self._rate)
        if party == "agent":
            self._responses_ms.append(fto)
        return self._mark("transfer", party, min(before, since), max(before, since), fto)

    def _ended(self, party: Party) -> list[Notice]:
        own, other_side = self._sides[party].activity, self._sides[other_party(party)]
        marks: list[Notice] = []
        overlap = max(own.since, other_side.activity.since), min(own.last_end, other_side.activity.last_end)
        if overlap[1] - overlap[0] >= LEAST_OVERLAP_S * self._rate and other_side.activity.speaking:
            marks.append(self._mark("overlap", party, *overlap))
        if self._sides[party].over_other and other_side.activity.speaking:
            if own.last_end - own.since < BACKCHANNEL_S * self._rate:
                marks.append(self._mark("backchannel", party, own.since, own.last_end))
        elif other_side.over_other and other_side.activity.speaking:
            self._holder = other_party(party)
            started = other_side.activity.since
            latency = round(1000 * (own.last_end - started) / self._rate)
            marks.append(self._mark("barge_in", self._holder, started, max(started, own.last_end), latency))
            other_side.over_other = False
        return marks

    def _mark(
        self,
        kind: Literal["transfer", "overlap", "backchannel", "barge_in"],
        party: Party,
        start: int,
        end: int,
        ms: int | None = None,
    ) -> Notice:
        return Notice(kind=kind, party=party, start=round(start / self._rate, 3), end=round(end / self._rate, 3), ms=ms)
