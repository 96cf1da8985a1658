"""Barge-ins: whether the agent stops when the user takes the floor, how soon, and what it does then."""

from collections.abc import Mapping
from typing import Any, ClassVar

from metrics.barge_in_cards import (
    CARDS,
    DECISION,
    FALSE_START,
    LATENCY_P50,
    LATENCY_P95,
    RESUME,
    TALKED_THROUGH,
    TOLD,
    UNDECIDED,
    YIELD,
)
from simulator.floor.floor import Floor
from simulator.floor.yields import (
    DECIDED,
    HEAD_START_S,
    KNOWN,
    TOLD_NEAR_S,
    YIELD_WITHIN_S,
    BargeInCase,
    barge_ins,
    was_cut,
)
from simulator.score import Definition, Evidence, Score, share, spread
from simulator.scoring.scorer import ScorerSpec, by_id
from simulator.session import Session
from simulator.spec import Duration, ms

_WHY = {
    "ended by itself": "the agent's speech ended by itself",
    "was cut off by the end": "the agent's speech was cut off by the end",
    "coincident": "the agent's speech ended too soon, or by something said before",
    "undecided": "nobody told whether the agent's speech was cut or over",
}
"""Why the first of them was not decided."""


class BargeInSpec(ScorerSpec, frozen=True, kw_only=True, tag="barge_in"):
    """Measure barge-ins.

    yield_within: how soon the agent must fall silent (tau-voice: 2 s). resume_within: how soon after the
    interruption a yielded agent must speak again (hotato: 4 s). head_start: how long the agent must have been
    speaking.
    """

    cards: ClassVar[tuple[Definition, ...]] = CARDS

    yield_within: Duration = Duration(YIELD_WITHIN_S)
    resume_within: Duration = ms(4000)
    head_start: Duration = Duration(HEAD_START_S)

    def build(self) -> "BargeIn":
        """Make the scorer."""
        return BargeIn(self)


class BargeIn:
    """Judges every turn of the user that begins while the agent holds the floor."""

    def __init__(self, spec: BargeInSpec) -> None:
        self._spec = spec
        self.definitions = by_id(CARDS)

    def score(self, session: Session) -> list[Score]:
        """Score one session."""
        floor = Floor(session)
        found = barge_ins(floor, yield_within=self._spec.yield_within, head_start=self._spec.head_start)
        decided = [case for case in found if case.outcome in DECIDED]
        yielded = [case for case in decided if case.outcome == "yielded"]
        evidence = [_evidence(floor, case) for case in found]
        latencies = [item for item in evidence if item.value is not None]
        values = [item.value for item in latencies if item.value is not None]
        through = [item for item in evidence if item.label == "talked through"]
        undecided = [item for item in evidence if item.label not in KNOWN]
        false_starts = [case for case in yielded if case.back is not None and case.back < case.by.end]
        settled = [case for case in yielded if not self._unsettled(floor, case)]
        resumed = [case for case in settled if self._resumed(floor, case)]
        none = (
            "the user did not barge in" if not found else f"no barge-in was decided: {_WHY.get(found[0].outcome, '')}"
        )
        no_yield = none if not decided else "the agent yielded to no barge-in"
        return [
            share(YIELD, len(yielded), len(decided), evidence, reason=none),
            spread(LATENCY_P50, values, latencies, reason=no_yield),
            spread(LATENCY_P95, values, latencies, reason=no_yield),
            _decision_latency(floor, yielded, no_yield),
            share(TALKED_THROUGH, len(through), len(decided), through, reason=none),
            share(FALSE_START, len(false_starts), len(yielded), _backs(false_starts, "false start"), reason=no_yield),
            share(
                RESUME,
                len(resumed),
                len(settled),
                _backs(resumed, "resumed"),
                reason=no_yield if not yielded else "the session ended before the agent could resume",
            ),
            share(UNDECIDED, len(undecided), len(found), undecided, reason="the user did not barge in"),
            _told(floor),
        ]

    def _resumed(self, floor: Floor, case: BargeInCase) -> bool:
        return case.back is not None and case.back <= case.by.end + floor.samples(self._spec.resume_within)

    def _unsettled(self, floor: Floor, case: BargeInCase) -> bool:
        """The session ended before the agent's time to come back was over."""
        return not self._resumed(floor, case) and floor.duration < case.by.end + floor.samples(self._spec.resume_within)


def _decision_latency(floor: Floor, yielded: list[BargeInCase], no_yield: str) -> Score:
    """Give when the far end decided to give way, in the cases where it told so before it fell silent."""
    decisions = [event for event in floor.session.by_type.get("decision", []) if event.party == "agent"]
    ways = [event.at for event in decisions if gives_way(event.data)]
    near = floor.samples(TOLD_NEAR_S)
    evidence = [
        Evidence(start=case.by.start, end=at, party="agent", label="decided", value=floor.seconds(at - case.by.start))
        for case in yielded
        if (at := next((at for at in ways if case.by.start <= at <= case.stop + near), None)) is not None
    ]
    late = "no decision to give way was told between a barge-in and the stop"
    reason = no_yield if not yielded else late if decisions else "nobody tells what the agent decides"
    return spread(DECISION, [item.value for item in evidence if item.value is not None], evidence, reason=reason)


def gives_way(decision: Mapping[str, Any]) -> bool:
    """Whether a decision lets the other have the floor: the model listens, or its server lets it be interrupted."""
    return (decision.get("by"), decision.get("choice")) in (("model", "listen"), ("overlap", "barge_in"))


def _told(floor: Floor) -> Score:
    """Give how much of the agent's speech has an end that somebody told of."""
    known = [was_cut(floor, hold) is not None for hold in floor.agent.holds]
    return share(TOLD, sum(known), len(known), reason="the agent did not speak")


def _evidence(floor: Floor, case: BargeInCase) -> Evidence:
    value = floor.seconds(case.stop - case.by.start) if case.outcome == "yielded" else None
    return Evidence(start=case.by.start, end=case.stop, party="agent", label=case.outcome, value=value)


def _backs(cases_: list[BargeInCase], label: str) -> list[Evidence]:
    return [
        Evidence(start=case.stop, end=case.back, party="agent", label=label) for case in cases_ if case.back is not None
    ]
