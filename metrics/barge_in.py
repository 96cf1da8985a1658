"""Barge-ins: whether the agent stops when the user takes the floor, how soon, and what it does then."""

from typing import ClassVar, Literal

import msgspec

from metrics.barge_in_cards import CARDS, FALSE_START, LATENCY_P50, LATENCY_P95, RESUME, TALKED_THROUGH, YIELD
from metrics.floor import Contribution, Floor
from simulator.score import Definition, Evidence, Score, share, spread
from simulator.scoring.scorer import ScorerSpec, by_id
from simulator.session import Session
from simulator.spec import Duration, ms

Outcome = Literal["yielded", "talked through", "ended by itself", "was cut off by the end"]

_AT_END_S = 0.03
_REACTION_S = 0.2
"""An agent that nobody told about and that stops sooner than this was about to stop anyway."""
_SPOKE_ON_S = 1.0
"""An utterance that ended uncut less than this after the onset says nothing: nobody could tell yielding from ending."""


class BargeInSpec(ScorerSpec, frozen=True, kw_only=True, tag="barge_in"):
    """Measure barge-ins.

    yield_within: how soon the agent must fall silent (tau-voice: 2 s). resume_within: how soon after the
    interruption a yielded agent must speak again (hotato: 4 s). head_start: how long the agent must have been
    speaking.
    """

    cards: ClassVar[tuple[Definition, ...]] = CARDS

    yield_within: Duration = ms(2000)
    resume_within: Duration = ms(4000)
    head_start: Duration = ms(200)

    def build(self) -> "BargeIn":
        """Make the scorer."""
        return BargeIn(self)


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One barge-in: what the user said over which of the agent's holds, when the agent's sound stopped, what it was."""

    by: Contribution
    over: Contribution
    stop: int
    outcome: Outcome
    back: int | None = None
    """Sample at which the agent spoke again after yielding."""


class BargeIn:
    """Judges every turn of the user that begins while the agent holds the floor."""

    def __init__(self, spec: BargeInSpec) -> None:
        self._spec = spec
        self.definitions = by_id(CARDS)

    def score(self, session: Session) -> list[Score]:
        """Score one session."""
        floor = Floor(session)
        found = cases(floor, self._spec)
        decided = [case for case in found if case.outcome in ("yielded", "talked through")]
        yielded = [case for case in decided if case.outcome == "yielded"]
        evidence = [_evidence(floor, case) for case in found]
        latencies = [item for item in evidence if item.value is not None]
        values = [item.value for item in latencies if item.value is not None]
        through = [item for item in evidence if item.label == "talked through"]
        false_starts = [case for case in yielded if case.back is not None and case.back < case.by.end]
        settled = [case for case in yielded if not self._unsettled(floor, case)]
        resumed = [case for case in settled if self._resumed(floor, case)]
        none = (
            "the user did not barge in"
            if not found
            else f"no barge-in was decided: the agent's speech {found[0].outcome}"
        )
        no_yield = none if not decided else "the agent yielded to no barge-in"
        return [
            share(YIELD, len(yielded), len(decided), evidence, reason=none),
            spread(LATENCY_P50, values, latencies, reason=no_yield),
            spread(LATENCY_P95, values, latencies, reason=no_yield),
            share(TALKED_THROUGH, len(through), len(decided), through, reason=none),
            share(
                FALSE_START,
                len(false_starts),
                len(yielded),
                _backs(false_starts, "false start"),
                reason=no_yield,
            ),
            share(
                RESUME,
                len(resumed),
                len(settled),
                _backs(resumed, "resumed"),
                reason=no_yield if not yielded else "the session ended before the agent could resume",
            ),
        ]

    def _resumed(self, floor: Floor, case: Case) -> bool:
        return case.back is not None and case.back <= case.by.end + floor.samples(self._spec.resume_within)

    def _unsettled(self, floor: Floor, case: Case) -> bool:
        """The session ended before the agent's time to come back was over."""
        return not self._resumed(floor, case) and floor.duration < case.by.end + floor.samples(self._spec.resume_within)


def cases(floor: Floor, spec: BargeInSpec) -> list[Case]:
    """Give every barge-in of the user, in order: a turn, or an injected interruption, begun while the agent speaks."""
    return [
        _case(floor, item, over, spec)
        for item in _claims(floor)
        if (over := floor.agent.holding(item.start)) is not None
        and (item.role == "interruption" or item.start - over.start >= floor.samples(spec.head_start))
    ]


def _claims(floor: Floor) -> list[Contribution]:
    """The user's turns, and interruptions injected inside one; each ends where its turn ends."""
    turns = floor.user.turns
    begun = {turn.start for turn in turns}
    inside = [
        msgspec.structs.replace(item, end=next(turn.end for turn in turns if turn.end >= item.end))
        for item in floor.user.of_role("interruption")
        if item.start not in begun
    ]
    return sorted([*turns, *inside], key=lambda item: item.start)


def _case(floor: Floor, item: Contribution, over: Contribution, spec: BargeInSpec) -> Case:
    stop = max(item.start, over.end)
    outcome = _outcome(floor, item, over, spec)
    after = floor.agent.claims_from(over.end, floor.duration) if outcome == "yielded" else ()
    return Case(by=item, over=over, stop=stop, outcome=outcome, back=after[0].start if after else None)


def _outcome(floor: Floor, item: Contribution, over: Contribution, spec: BargeInSpec) -> Outcome:
    spoke_on = over.end - item.start
    if spoke_on >= floor.samples(spec.yield_within):
        return "talked through"
    if over.until >= floor.duration - floor.samples(_AT_END_S):
        return "was cut off by the end"
    if over.cut is None:
        return "yielded" if spoke_on >= floor.samples(_REACTION_S) else "ended by itself"
    if over.cut:
        return "yielded"
    return "talked through" if spoke_on >= floor.samples(_SPOKE_ON_S) else "ended by itself"


def _evidence(floor: Floor, case: Case) -> Evidence:
    value = floor.seconds(case.stop - case.by.start) if case.outcome == "yielded" else None
    return Evidence(start=case.by.start, end=case.stop, party="agent", label=case.outcome, value=value)


def _backs(cases_: list[Case], label: str) -> list[Evidence]:
    return [
        Evidence(start=case.stop, end=case.back, party="agent", label=label) for case in cases_ if case.back is not None
    ]
