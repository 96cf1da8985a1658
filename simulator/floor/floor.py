"""The floor of a session: both parties' ipus, contributions, turns and holds, each worked out when first asked for."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import cached_property
from operator import attrgetter

from simulator.events import PARTIES, Event, Party, other_party
from simulator.floor.contributions import (
    Contribution,
    TurnPauses,
    begun_in,
    joined_holds,
    joined_turns,
    told_contribution,
    untold_contributions,
)
from simulator.floor.ipus import (
    AT_END_S,
    BACKCHANNEL_S,
    BREATH_S,
    IPU_S,
    TURN_PAUSE_S,
    WAITED_OUT_S,
    ipus_of,
    mostly_inside,
    pauses_in,
)
from simulator.speech import AnnotatedSession
from simulator.timeline import Stretch, Timeline

TOOK_FOR_TURN_S = 0.5
"""Detectors are late and lines delay: what is taken for a turn may reach this much past the end of what was said."""

_start = attrgetter("start")
_when = attrgetter("start", "end")


class Side:
    """One party on the floor; times are samples of the session."""

    def __init__(self, floor: "Floor", party: Party) -> None:
        self._floor = floor
        self.party = party
        self.speech = floor.session.speech.of(party)

    @property
    def other(self) -> "Side":
        """The party on the other side."""
        return self._floor.side(other_party(self.party))

    @cached_property
    def ipus(self) -> Timeline:
        """Its speech between own silences of 200 ms and more."""
        return ipus_of(self.speech.timeline(), self._floor.session.sample_rate)

    @cached_property
    def told(self) -> Timeline:
        """Where the utterances lie that events told, with the pauses inside them."""
        return Timeline((item.start, item.end) for item in self.speech.utterances)

    @cached_property
    def untold(self) -> Timeline:
        """The ipus that no told utterance accounts for."""
        known = self.told
        return Timeline(ipu for ipu in self.ipus if not mostly_inside(ipu, known)) if known else self.ipus

    @cached_property
    def utterances(self) -> tuple[Contribution, ...]:
        """What events told of, in time order."""
        ends = self._floor.ends(self.party)
        told = [told_contribution(self.party, item, ends.get(item.id)) for item in self.speech.utterances]
        return tuple(sorted(told, key=_when))

    @cached_property
    def said(self) -> tuple[Contribution, ...]:
        """Everything the party said, in time order."""
        alone, short = self._floor.samples(TURN_PAUSE_S), self._floor.samples(BACKCHANNEL_S)
        # What events told of goes on through its own pauses; untold speech is where it sounds, and nowhere else.
        others = self.other.ipus | self.other.told
        judged = untold_contributions(self.party, self.untold, others, alone=alone, short=short)
        return tuple(sorted([*self.utterances, *judged], key=_when))

    @cached_property
    def claims(self) -> tuple[Contribution, ...]:
        """What claims the floor: everything but backchannels and asides."""
        return tuple(item for item in self.said if item.claims_floor)

    @cached_property
    def turns(self) -> tuple[Contribution, ...]:
        """Claims joined into turns: those less than 1 s apart, unless the other took the floor in between.

        Where nobody told of them and nobody spoke in between, those less than 3 s apart.
        """
        pauses = TurnPauses(*map(self._floor.samples, (TURN_PAUSE_S, WAITED_OUT_S)))
        return tuple(joined_turns(self.claims, self.other.holds, self.other.ipus, pauses))

    @cached_property
    def holds(self) -> tuple[Contribution, ...]:
        """Stretches for which the party keeps the floor: its claims, with pauses, joined over a breath."""
        samples = self._floor.samples
        return tuple(joined_holds(self.claims, self.other.claims, breath=samples(BREATH_S), ipu=samples(IPU_S)))

    def holding(self, at: int) -> Contribution | None:
        """What the party holds the floor with at a sample, if it does."""
        index = bisect_right(self.holds, at, key=_start) - 1
        return self.holds[index] if index >= 0 and at < self.holds[index].until else None

    def claims_from(self, first: int, last: int) -> Sequence[Contribution]:
        """The claims that begin in [first, last)."""
        return begun_in(self.claims, first, last)

    def claim_before(self, at: int) -> Contribution | None:
        """The last claim that began before a sample."""
        index = bisect_left(self.claims, at, key=_start) - 1
        return self.claims[index] if index >= 0 else None

    def of_role(self, *roles: str) -> list[Contribution]:
        """What was said in one of these roles."""
        return [item for item in self.said if item.role in roles]

    def pauses(self, turn: Contribution | Stretch) -> list[Stretch]:
        """The party's silences of 200 ms and more inside something it said."""
        return pauses_in(self.ipus, turn.start, turn.end)


class Floor:
    """Both parties of an annotated session."""

    def __init__(self, session: AnnotatedSession) -> None:
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

    def cut_off(self, end: int) -> bool:
        """Whether what ended at a sample was cut off by the end of the session."""
        return end >= self.duration - self.samples(AT_END_S)


def took_for_turn(floor: Floor, start: int, end: int) -> int | None:
    """Give when the agent told that it took what it heard in [start, end), and little else, for a turn, if it did.

    Half of what it took must lie in the stretch and the 0.5 s after it.
    """
    last = end + floor.samples(TOOK_FOR_TURN_S)
    for event in floor.session.by_type.get("turn_heard", []):
        if event.party == "agent" and "heard_since" in event.data and "heard_until" in event.data:
            since, until = int(event.data["heard_since"]), int(event.data["heard_until"])
            if 2 * (min(until, last) - max(since, start)) >= until - since > 0:
                return event.at
    return None
