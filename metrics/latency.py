"""Response latency: how long the agent lets the user wait, and how often it is early, late, or never answers."""

from typing import ClassVar, Literal

import msgspec

from metrics.latency_cards import CARDS, EARLY, LATE, MEAN, P50, P95, UNANSWERED
from simulator.floor.contributions import Contribution
from simulator.floor.floor import Floor, Side
from simulator.floor.ipus import BREATH_S, REACTION_S
from simulator.score import Definition, Evidence, Score, share, spread
from simulator.scoring.scorer import ScorerSpec
from simulator.session import Session
from simulator.spec import Duration, ms

Outcome = Literal["answered", "early", "unanswered", "censored"]

COLLISION_S = REACTION_S
"""What the agent begins this soon after the user began is no reaction to this turn: both began at once."""


class LatencySpec(ScorerSpec, frozen=True, kw_only=True, tag="latency"):
    """Measure response latency.

    early: an answer that begins more than this before the user's end is no answer but an early start
    (FD-Bench: 0.5 s). late: from here on an answer is late (EVA: 2.75 s); a turn with less session than this
    after it can be censored.
    """

    cards: ClassVar[tuple[Definition, ...]] = CARDS

    early: Duration = ms(500)
    late: Duration = ms(2750)

    def build(self) -> "LatencyScorer":
        """Make the scorer."""
        return LatencyScorer(self)


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a user turn. answer: sample at which the agent answered; early: at which it began too early."""

    turn: Contribution
    outcome: Outcome
    answer: int | None = None
    early: int | None = None


class LatencyScorer:
    """Finds for every user turn the agent's answer."""

    def __init__(self, spec: LatencySpec) -> None:
        self._spec = spec
        self.definitions = spec.definitions()

    def score(self, session: Session) -> list[Score]:
        """Score one session."""
        floor = Floor(session)
        found = responses(floor, self._spec)
        none = "the user took no turn" if not found else "the agent answered no turn"
        answers = [_answer(floor, item) for item in found if item.answer is not None]
        if session.meta.offline:
            answers, none = [], "the reply was computed before the session, so nobody waited for it"
        values = [item.value for item in answers if item.value is not None]
        judged = [item for item in found if item.outcome != "censored"]
        early = [_at_early(floor, item) for item in judged if item.early is not None]
        late = [item for item in answers if item.value is not None and item.value >= self._spec.late]
        missed = [_waiting(item.turn) for item in judged if item.outcome == "unanswered"]
        no_turn = "the user took no turn" if not found else "every user turn was cut off by the end of the session"
        return [
            spread(MEAN, values, answers, reason=none),
            spread(P50, values, answers, reason=none),
            spread(P95, values, answers, reason=none),
            share(EARLY, len(early), len(judged), early, reason=no_turn),
            share(LATE, len(late), len(answers), late, reason=none),
            share(UNANSWERED, len(missed), len(judged), missed, reason=no_turn),
        ]


def responses(floor: Floor, spec: LatencySpec) -> list[Response]:
    """Give what became of every user turn, in order."""
    turns = floor.user.turns
    starts = [*(turn.start for turn in turns), None]
    return [_response(floor, turn, until, spec) for turn, until in zip(turns, starts[1:], strict=True)]


def _response(floor: Floor, turn: Contribution, until: int | None, spec: LatencySpec) -> Response:
    limit = floor.duration if until is None else until
    settled = turn.end - floor.samples(spec.early)
    begun = new_claims(floor, floor.agent, turn.start + floor.samples(COLLISION_S), limit)
    early = next((item.start for item in begun if item.start < settled), None)
    answer = next((item.start for item in begun if item.start >= settled), None)
    outcome: Outcome = "unanswered"
    if answer is not None:
        outcome = "answered"
    elif early is not None and floor.agent.holding(turn.end - 1) is not None:
        outcome = "early"
    elif until is None and floor.duration - turn.end < floor.samples(spec.late):
        outcome = "censored"
    return Response(turn=turn, outcome=outcome, answer=answer, early=early)


def new_claims(floor: Floor, side: Side, after: int, until: int) -> list[Contribution]:
    """Give what a party newly began in (after, until): told utterances, else ipus that are not its own going on."""
    return [item for item in side.claims_from(after + 1, until) if item.id or _is_new(floor, side, item, after)]


def _is_new(floor: Floor, side: Side, item: Contribution, after: int) -> bool:
    """An untold ipu goes on with what the party was saying when it spoke at `after` and paused for a moment only."""
    before = side.claim_before(item.start)
    return before is None or before.end <= after or item.start - before.end >= floor.samples(BREATH_S)


def _answer(floor: Floor, item: Response) -> Evidence:
    answer = item.answer if item.answer is not None else item.turn.end
    end = item.turn.end
    return Evidence(
        start=min(end, answer),
        end=max(end, answer),
        party="agent",
        label="response",
        value=floor.seconds(answer - end),
    )


def _at_early(floor: Floor, item: Response) -> Evidence:
    start = item.early if item.early is not None else item.turn.start
    return Evidence(
        start=start,
        end=item.turn.end,
        party="agent",
        label="early start",
        value=floor.seconds(start - item.turn.end),
    )


def _waiting(turn: Contribution) -> Evidence:
    return Evidence(start=turn.start, end=turn.end, party="user", label="unanswered")
