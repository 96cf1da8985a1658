"""Response latency: how long the agent lets the user wait, and how often it is early, late, or never answers."""

from typing import ClassVar, Literal

import msgspec

from metrics.card import card, rate, seconds
from simulator.events import Party
from simulator.floor.contributions import Contribution
from simulator.floor.floor import Floor, Side
from simulator.floor.ipus import BREATH_S, REACTION_S
from simulator.score import Definition, Evidence, Score, share, spread
from simulator.scoring.scorer import ScorerSpec, by_id
from simulator.session import Session
from simulator.spec import Duration, ms
from simulator.speech import AnnotatedSession

_SOURCE = "floor transfer offset (Stivers et al. 2009); early: FD-Bench (arXiv 2507.19040); late: EVA 0.2"

_FROM_TO = """From the last audible sample of a user turn to the first audible sample of the agent's answer, both
    at the mouth (conversation.wav): a delay of the lines is not in it. Measurement origin: said audio."""
_TURN = """A user turn: utterances that events told (role turn or interruption), else ipus; those less than 1 s apart
    are one turn unless the agent took the floor in between (by more than going on after less than 0.5 s); those that
    nobody told also less than 3 s apart, where nobody spoke in between. Backchannels and asides are no turns."""
_ANSWER = """The answer: the first thing the agent newly begins no earlier than `early` (0.5 s) before the user's
    end, before the next user turn, and not within 0.2 s of the user's own start (a collision). So a short
    overlap is a negative latency, an earlier start is early and never a fast answer, and what the agent was
    saying already is no answer; where its utterances were not told, 0.5 s of its silence make a new beginning."""
_CENSORED = """A last turn with no answer and less than `late` (2.75 s) of session after it is censored: it
    counts neither way."""
_FAILED = """A turn that would be unanswered, and whose response the far end told to have failed (`response_failed`: a
    quota, a filter, an empty answer), counts neither way: the session's remark tells of it."""
_OTHERS = """Others: Full-Duplex-Bench clips negative values to 0; tau-voice drops turns answered in overlap and
    counts in 200 ms; EVA makes a curve of it; vendors start at their detector's end of turn, plus its wait."""


def _latency(name: str, title: str) -> Definition:
    undefined = """Undefined when the user took no turn or none was answered: read unanswered_rate beside it.
        Pooled over the single latencies of all sessions."""
    text = card(_FROM_TO, _TURN, _ANSWER, undefined, _OTHERS)
    return seconds(f"latency.response_{name}_s", f"Response latency, {title}", "lower", text, _SOURCE)


def _rate(name: str, title: str, meaning: str, undefined: str) -> Definition:
    text = card(
        meaning, _TURN, _ANSWER, _CENSORED, _FAILED, f"Undefined when {undefined}. Pooled: cases over cases.", _OTHERS
    )
    return rate(f"latency.{name}_rate", title, "lower", text, _SOURCE)


_NO_TURN = "the user took no turn, or only ones that are censored or whose response failed"

MEAN = _latency("mean", "mean")
P50 = _latency("p50", "median")
P95 = _latency("p95", "95th percentile")
EARLY = _rate(
    "early",
    "Early starts",
    """The share of user turns in which the agent began to speak more than 0.5 s before their end, in a pause or
        over speech.""",
    _NO_TURN,
)
LATE = _rate(
    "late",
    "Late answers",
    "The share of answers that came 2.75 s (`late`) or more after the user's end.",
    "no turn was answered",
)
UNANSWERED = _rate(
    "unanswered",
    "Unanswered turns",
    """The share of user turns after which the agent began nothing before the next user turn or the end of the
        session, and over whose end it was not speaking since an early start.""",
    _NO_TURN,
)

CARDS = (MEAN, P50, P95, EARLY, LATE, UNANSWERED)

Outcome = Literal["answered", "early", "unanswered", "censored", "failed"]

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
        self.definitions = by_id(CARDS)

    def score(self, session: Session) -> list[Score]:
        """Score one session."""
        floor = Floor(session)
        found = responses(floor, self._spec)
        none = "the user took no turn" if not found else "the agent answered no turn"
        answers = [_answer(floor, item) for item in found if item.answer is not None]
        if session.meta.offline:
            answers, none = [], "the reply was computed before the session, so nobody waited for it"
        values = [item.value for item in answers if item.value is not None]
        judged = [item for item in found if item.outcome not in ("censored", "failed")]
        early = [_at_early(floor, item) for item in judged if item.early is not None]
        late = [item for item in answers if item.value is not None and item.value >= self._spec.late]
        missed = [_waiting(item.turn) for item in judged if item.outcome == "unanswered"]
        no_turn = _no_judged(found)
        return [
            spread(MEAN, values, answers, reason=none),
            spread(P50, values, answers, reason=none),
            spread(P95, values, answers, reason=none),
            share(EARLY, len(early), len(judged), early, reason=no_turn),
            share(LATE, len(late), len(answers), late, reason=none),
            share(UNANSWERED, len(missed), len(judged), missed, reason=no_turn),
        ]


def _no_judged(found: list[Response]) -> str:
    if not found:
        return "the user took no turn"
    if any(item.outcome == "failed" for item in found):
        return "the far end failed every response to a user turn"
    return "every user turn was cut off by the end of the session"


def responses(floor: Floor, spec: LatencySpec) -> list[Response]:
    """Give what became of every user turn, in order."""
    turns = floor.user.turns
    starts = [*(turn.start for turn in turns), None]
    failed = failed_responses(floor.session, "agent")
    return [_response(floor, turn, until, spec, failed) for turn, until in zip(turns, starts[1:], strict=True)]


def failed_responses(session: AnnotatedSession, party: Party) -> list[int]:
    """Give the samples at which responses began that a party's far end failed: where it was asked, else where it told.

    A slow far end may tell of its failure when the next turn is under way.
    """
    told = session.by_type
    began = {event.data.get("id"): event for event in told.get("response_start", ()) if event.party == party}
    failed = [event for event in told.get("response_failed", ()) if event.party == party]
    moments = [began.get(event.data.get("id", ""), event) for event in failed]
    return [int(event.data.get("since", event.at)) for event in moments]


def _response(floor: Floor, turn: Contribution, until: int | None, spec: LatencySpec, failed: list[int]) -> Response:
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
    elif any(turn.start <= at < limit for at in failed):
        outcome = "failed"
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
