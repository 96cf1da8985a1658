"""Barge-ins: whether the agent stops when the user takes the floor, how soon, and what it does then."""

from typing import ClassVar

from metrics.barge_in_cards import CARDS, FALSE_START, LATENCY_P50, LATENCY_P95, RESUME, TALKED_THROUGH, YIELD
from simulator.floor.floor import Floor
from simulator.floor.yields import HEAD_START_S, YIELD_WITHIN_S, BargeInCase, barge_ins
from simulator.score import Definition, Evidence, Score, share, spread
from simulator.scoring.scorer import ScorerSpec
from simulator.session import Session
from simulator.spec import Duration, ms


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
        self.definitions = spec.definitions()

    def score(self, session: Session) -> list[Score]:
        """Score one session."""
        floor = Floor(session)
        found = barge_ins(floor, yield_within=self._spec.yield_within, head_start=self._spec.head_start)
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

    def _resumed(self, floor: Floor, case: BargeInCase) -> bool:
        return case.back is not None and case.back <= case.by.end + floor.samples(self._spec.resume_within)

    def _unsettled(self, floor: Floor, case: BargeInCase) -> bool:
        """The session ended before the agent's time to come back was over."""
        return not self._resumed(floor, case) and floor.duration < case.by.end + floor.samples(self._spec.resume_within)


def _evidence(floor: Floor, case: BargeInCase) -> Evidence:
    value = floor.seconds(case.stop - case.by.start) if case.outcome == "yielded" else None
    return Evidence(start=case.by.start, end=case.stop, party="agent", label=case.outcome, value=value)


def _backs(cases_: list[BargeInCase], label: str) -> list[Evidence]:
    return [
        Evidence(start=case.stop, end=case.back, party="agent", label=label) for case in cases_ if case.back is not None
    ]
