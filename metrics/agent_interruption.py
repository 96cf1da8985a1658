"""Interruptions by the agent: whether it begins to speak while the user is speaking."""

from typing import ClassVar

from metrics.card import card, rate, seconds
from metrics.latency import new_claims
from simulator.floor.contributions import Contribution
from simulator.floor.floor import Floor
from simulator.floor.transfers import overlaps
from simulator.floor.yields import HEAD_START_S
from simulator.score import Definition, Evidence, Score, share, spread
from simulator.scoring.scorer import ScorerSpec, by_id
from simulator.session import Session
from simulator.spec import Duration, ms
from simulator.timeline import Stretch

_SOURCE = "tau-voice I_A; EVA's agent interruptions; FD-Bench EIR (0.5 s)"

_CASE = """An interruption: the agent newly claims the floor (one of its utterances begins; where nobody told them,
    an ipu that is no backchannel and no going on of what it was saying) while an ipu of the user's turn runs, at
    least 200 ms after that ipu began (sooner is a collision, or a takeover in the pause before it) and more than
    0.5 s before the turn ends. Closer to its end an overlap is a smooth turn change (latency < 0); a start in the
    user's silence is a takeover."""
_OTHERS = """Others: tau-voice divides the agent's overlapping starts by responses, so that its rate may exceed 1;
    EVA counts any start inside a user segment; FD-Bench uses the same 0.5 s after joining silences up to 1.5 s."""

RATE = rate(
    "agent_interruption.rate",
    "User turns interrupted by the agent",
    "lower",
    card(
        "The share of the user's turns that the agent interrupted at least once.",
        _CASE,
        "Undefined when the user took no turn. Pooled: turns over turns.",
        _OTHERS,
    ),
    _SOURCE,
)
OVERLAP = seconds(
    "agent_interruption.overlap_p50_s",
    "Overlap of the agent's interruptions, median",
    "lower",
    card(
        """For how long both spoke after the agent interrupted: from its first sound to the end of the overlap of
            the two ipus.""",
        _CASE,
        "Undefined when the agent interrupted nobody. Pooled over the single overlaps.",
        _OTHERS,
    ),
    _SOURCE,
)

CARDS = (RATE, OVERLAP)


class AgentInterruptionSpec(ScorerSpec, frozen=True, kw_only=True, tag="agent_interruption"):
    """Measure interruptions by the agent.

    head_start: the user's ipu must have run this long. near_end: closer to the user's end it is a smooth
    overlap.
    """

    cards: ClassVar[tuple[Definition, ...]] = CARDS

    head_start: Duration = Duration(HEAD_START_S)
    near_end: Duration = ms(500)

    def build(self) -> "AgentInterruption":
        """Make the scorer."""
        return AgentInterruption(self)


class AgentInterruption:
    """Looks in every user turn for something that the agent began over the user's speech."""

    def __init__(self, spec: AgentInterruptionSpec) -> None:
        self._spec = spec
        self.definitions = by_id(CARDS)

    def score(self, session: Session) -> list[Score]:
        """Score one session."""
        floor = Floor(session)
        turns = floor.user.turns
        hits = {turn.start: begun for turn in turns if (begun := self._interruptions(floor, turn))}
        both = overlaps(floor)
        evidence = [_evidence(floor, both.at(begun.start), begun) for found in hits.values() for begun in found]
        values = [item.value for item in evidence if item.value is not None]
        return [
            share(RATE, len(hits), len(turns), evidence, reason="the user took no turn"),
            spread(
                OVERLAP,
                values,
                evidence,
                reason="the agent interrupted nobody" if turns else "the user took no turn",
            ),
        ]

    def _interruptions(self, floor: Floor, turn: Contribution) -> list[Contribution]:
        head, near = floor.samples(self._spec.head_start), floor.samples(self._spec.near_end)
        return [
            item
            for item in new_claims(floor, floor.agent, turn.start, turn.end - near)
            if (running := floor.user.ipus.at(item.start)) is not None and item.start - running.start >= head
        ]


def _evidence(floor: Floor, overlap: Stretch | None, item: Contribution) -> Evidence:
    end = overlap.end if overlap else item.start
    value = floor.seconds(end - item.start)
    return Evidence(start=item.start, end=end, party="agent", label="interrupts", value=value)
