"""The floor: what every timing metric is counted from - ipus, contributions with their roles, turns.

Truth comes first. Where events tell a party's utterances, each is one contribution with the role it was said
in. Speech that nobody told is judged by its shape: an ipu under 1 s, alone (1 s of own silence on both
sides), at least half of it inside the other's speech, is a backchannel; any other ipu is (part of) a turn.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from functools import cached_property

import msgspec

from simulator.events import PARTIES, Event, Party, other_party
from simulator.session import Session
from simulator.speech import Segment
from simulator.timeline import Stretch, Timeline

IPU_S = 0.2
"""Silence from which speech falls into two ipus (dGSLM, and the field since)."""

TURN_PAUSE_S = 1.0
"""Silence up to which a party's speech goes on as one turn, unless the other begins to speak in it."""

BACKCHANNEL_S = 1.0
"""Length under which speech that nobody told can be a backchannel (dGSLM's interaction metrics, VAP)."""

BREATH_S = 0.5
"""Silence under which a party whose utterances nobody told keeps the floor: after more it begins anew."""

CLAIMS_FLOOR = ("turn", "interruption", "recording", "")


class Contribution(msgspec.Struct, frozen=True, kw_only=True):
    """Something a party said in [start, end) samples, from its first to its last sound.

    cut: it was stopped before its planned end; None when nobody knows the plan. id: of the utterance, if told.
    until: the sample up to which it held the floor: later than `end` where it was cut in a pause of its own.
    """

    party: Party
    start: int
    end: int
    role: str
    id: str = ""
    cut: bool | None = None
    until: int = 0

    @property
    def claims_floor(self) -> bool:
        """Whether it takes a turn: not a backchannel, not said to somebody else."""
        return self.role in CLAIMS_FLOOR


class Side:
    """One party on the floor; times are samples of the session."""

    def __init__(self, floor: "Floor", party: Party) -> None:
        self._floor = floor
        self.party = party
        self.speech = floor.session.speech.of(party)
        self.ipus: Timeline = self.speech.timeline().bridge(floor.samples(IPU_S))

    @property
    def other(self) -> "Side":
        """The party on the other side."""
        return self._floor.side(other_party(self.party))

    @cached_property
    def untold(self) -> Timeline:
        """The ipus that no told utterance accounts for."""
        known = self.told
        return Timeline(ipu for ipu in self.ipus if not mostly_inside(ipu, known)) if known else self.ipus

    @cached_property
    def told(self) -> Timeline:
        """Where the utterances lie that events told, with the pauses inside them."""
        return Timeline((item.start, item.end) for item in self.speech.utterances)

    @cached_property
    def said(self) -> tuple[Contribution, ...]:
        """Everything the party said, in time order."""
        ends = self._floor.ends(self.party)
        told = [_told(self.party, item, ends.get(item.id)) for item in self.speech.utterances]
        return tuple(sorted([*told, *self._judged()], key=lambda item: (item.start, item.end)))

    def _judged(self) -> Iterator[Contribution]:
        alone, short = self._floor.samples(TURN_PAUSE_S), self._floor.samples(BACKCHANNEL_S)
        others = self.other.ipus.bridge(alone) | self.other.told
        untold = self.untold.stretches
        for index, ipu in enumerate(untold):
            before = ipu.start - untold[index - 1].end if index else alone
            after = untold[index + 1].start - ipu.end if index + 1 < len(untold) else alone
            is_short = ipu.length < short and min(before, after) >= alone
            role = "backchannel" if is_short and mostly_inside(ipu, others) else ""
            yield Contribution(party=self.party, start=ipu.start, end=ipu.end, until=ipu.end, role=role)

    @cached_property
    def claims(self) -> tuple[Contribution, ...]:
        """What claims the floor: everything but backchannels and asides."""
        return tuple(item for item in self.said if item.claims_floor)

    @cached_property
    def turns(self) -> tuple[Contribution, ...]:
        """Claims joined into turns: those less than 1 s apart, unless the other took the floor in between."""
        pause = self._floor.samples(TURN_PAUSE_S)
        turns: list[Contribution] = []
        for item in self.claims:
            last = turns[-1] if turns else None
            if last and item.start - last.end < pause and not self.other.takes_floor(last, item.start):
                turns[-1] = msgspec.structs.replace(last, end=max(last.end, item.end), cut=item.cut, id=item.id)
            else:
                turns.append(item)
        return tuple(turns)

    def takes_floor(self, after: Contribution, until: int) -> bool:
        """Whether the party began a claim after the other began `after` and before `until`, and outlasted it."""
        return any(claim.end > after.end for claim in self.claims_from(after.start + 1, until))

    def claims_from(self, first: int, last: int) -> tuple[Contribution, ...]:
        """The claims that begin in [first, last)."""
        return self.claims[bisect_left(self._starts, first) : bisect_left(self._starts, last)]

    def claim_before(self, at: int) -> Contribution | None:
        """The last claim that began before a sample."""
        index = bisect_left(self._starts, at) - 1
        return self.claims[index] if index >= 0 else None

    @cached_property
    def _starts(self) -> list[int]:
        return [item.start for item in self.claims]

    @cached_property
    def holds(self) -> tuple[Contribution, ...]:
        """Stretches for which the party keeps the floor.

        Told utterances with the pauses inside them, joined when less than 200 ms apart; ipus where nobody told, joined
        over a breath.
        """
        holds: list[Contribution] = []
        for item in self.claims:
            last = holds[-1] if holds else None
            if last and item.start - last.end < self._floor.samples(BREATH_S if item.cut is None else IPU_S):
                longer = item if item.end >= last.end else last
                holds[-1] = msgspec.structs.replace(longer, start=last.start, until=max(last.until, item.until))
            else:
                holds.append(item)
        return tuple(holds)

    def holding(self, at: int) -> Contribution | None:
        """What the party holds the floor with at a sample, if it does."""
        index = bisect_right(self._hold_starts, at) - 1
        return self.holds[index] if index >= 0 and at < self.holds[index].until else None

    @cached_property
    def _hold_starts(self) -> list[int]:
        return [item.start for item in self.holds]

    def of_role(self, *roles: str) -> list[Contribution]:
        """What was said in one of these roles."""
        return [item for item in self.said if item.role in roles]


class Floor:
    """Both parties of an annotated session."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.duration = session.duration
        self._ends: dict[str, dict[str, Event]] = {party: {} for party in PARTIES}
        for event in session.by_type.get("speech_end", []):
            self._ends.setdefault(event.party, {})[str(event.data.get("id", ""))] = event
        self.user = Side(self, "user")
        self.agent = Side(self, "agent")

    def side(self, party: Party) -> Side:
        """One party."""
        return self.user if party == "user" else self.agent

    def samples(self, seconds: float) -> int:
        """Turn seconds into samples."""
        return round(seconds * self.session.sample_rate)

    def seconds(self, samples: int) -> float:
        """Turn samples into seconds."""
        return samples / self.session.sample_rate

    @property
    def minutes(self) -> float:
        """The length of the session."""
        return self.seconds(self.duration) / 60

    def ends(self, party: Party) -> dict[str, Event]:
        """The `speech_end` events of a party by utterance."""
        return self._ends[party]


def _told(party: Party, item: Segment, ended: Event | None) -> Contribution:
    cut = ended is None or bool(ended.data.get("cut"))
    until = max(item.end, ended.at) if cut and ended else item.end
    return Contribution(party=party, start=item.start, end=item.end, until=until, role=item.role, id=item.id, cut=cut)


def mostly_inside(stretch: Stretch, timeline: Timeline) -> bool:
    """Whether at least half of a stretch lies inside a timeline."""
    return bool(timeline) and 2 * timeline.covered(stretch.start, stretch.end) >= stretch.length


def took_for_turn(floor: Floor, start: int, end: int) -> int | None:
    """Give when the agent told that it took what it heard in [start, end), and little else, for a turn, if it did.

    Detectors are late and lines delay: half of what it took must lie in the stretch and the 0.5 s after it.
    """
    last = end + floor.samples(0.5)
    for event in floor.session.by_type.get("turn_heard", []):
        if event.party == "agent" and "heard_since" in event.data and "heard_until" in event.data:
            since, until = int(event.data["heard_since"]), int(event.data["heard_until"])
            if 2 * (min(until, last) - max(since, start)) >= until - since > 0:
                return event.at
    return None
