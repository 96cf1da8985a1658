"""NeMo's demo scorer, timing side: turn-taking, the user's barge-ins, and stopping at back-channels.

Source: the speech-to-speech demo scorer of a NeMo-Skills fork (2026-01), restated from its definition. All
times are seconds; segments are taken in the order given.
"""

from collections.abc import Sequence
from typing import NamedTuple

from metrics.compat.nemo.text import TextSegment

NO_LATENCY_S = 9999.0
"""What the original writes for a latency that was never measured."""


class TurnLimits(NamedTuple):
    """How late an answer may be, and by how much it may be early for precision and for recall, in seconds."""

    latency_s: float = 1.5
    precision_s: float = 0.5
    recall_s: float = 0.5


class TurnTaking(NamedTuple):
    """Precision, recall and F1 as shares, the mean latency in seconds (9999.0 when no turn was right).

    answers: the agent's right starts, each with its latency.
    """

    latency: float
    precision: float
    recall: float
    f1: float
    answers: tuple[tuple[TextSegment, float], ...] = ()


class NemoBargeIn(NamedTuple):
    """The user started while the agent spoke: which segments, when the agent stopped, in time or not."""

    user: TextSegment
    agent: TextSegment
    stop_ms: int
    success: bool


def turn_taking(agent: Sequence[TextSegment], user: Sequence[TextSegment], limits: TurnLimits) -> TurnTaking:
    """Score the agent's starts against the user's ends; all 0 when either side never spoke.

    The true positives counted for recall are agent segments, the false negatives user segments: the original
    mixes them, so recall is no share of user turns.
    """
    if not agent or not user:
        return TurnTaking(NO_LATENCY_S, 0.0, 0.0, 0.0)
    answers: list[tuple[TextSegment, float]] = []
    for answer in agent:
        gaps = [
            max(answer.start - turn.end, 0)
            for turn in user
            if answer.start >= turn.start and _in_time(answer, turn, limits.precision_s, limits.latency_s)
        ]
        answers += [(answer, min(gaps))] if gaps else []
    unanswered = sum(
        not any(_in_time(answer, turn, limits.recall_s, limits.latency_s) for answer in agent) for turn in user
    )
    right = len(answers)
    return _turn_taking(right / len(agent), right / (right + unanswered) if right + unanswered else 0.0, answers)


def turn_taking_per_side(agent: Sequence[TextSegment], user: Sequence[TextSegment], limits: TurnLimits) -> TurnTaking:
    """Score as `turn_taking`, but with recall as the share of user turns that were answered in time."""
    if not agent or not user:
        return TurnTaking(NO_LATENCY_S, 0.0, 0.0, 0.0)
    compat = turn_taking(agent, user, limits)
    answered = sum(any(_in_time(answer, turn, limits.recall_s, limits.latency_s) for answer in agent) for turn in user)
    return _turn_taking(compat.precision, answered / len(user), compat.answers)


def _in_time(answer: TextSegment, turn: TextSegment, early_s: float, late_s: float) -> bool:
    return -early_s <= answer.start - turn.end <= late_s


def _turn_taking(precision: float, recall: float, answers: Sequence[tuple[TextSegment, float]]) -> TurnTaking:
    latencies = [latency for _, latency in answers]
    both = precision + recall
    return TurnTaking(
        latency=sum(latencies) / len(latencies) if latencies else NO_LATENCY_S,
        precision=precision,
        recall=recall,
        f1=2 * (precision * recall) / both if both > 0 else 0.0,
        answers=tuple(answers),
    )


def swept_barge_ins(user: Sequence[TextSegment], agent: Sequence[TextSegment], threshold_s: float) -> list[NemoBargeIn]:
    """Find barge-ins with two pointers over both lists, as the original: what they have passed is missed."""
    found: list[NemoBargeIn] = []
    i = j = 0
    while i < len(user) and j < len(agent):
        if agent[j].start < user[i].start < agent[j].end:
            found.append(_barge_in(user[i], agent[j], threshold_s))
        if user[i].end < agent[j].end:
            i += 1
        else:
            j += 1
    return found


def every_barge_in(user: Sequence[TextSegment], agent: Sequence[TextSegment], threshold_s: float) -> list[NemoBargeIn]:
    """Find every user start inside an agent segment, however the segments nest."""
    return [_barge_in(turn, over, threshold_s) for turn in user for over in agent if over.start < turn.start < over.end]


def _barge_in(user: TextSegment, agent: TextSegment, threshold_s: float) -> NemoBargeIn:
    stop_ms = round((agent.end - user.start) * 1000)
    return NemoBargeIn(user, agent, stop_ms, stop_ms < threshold_s * 1000)


def stopped_at(times_s: Sequence[float], agent: Sequence[TextSegment], delay_s: float) -> list[bool]:
    """Say for each back-channel end whether the agent was speaking then and no longer is `delay_s` later.

    A time of 0 and a time outside the agent's speech are no failures.
    """
    return [time != 0 and _speaking(agent, time) and not _speaking(agent, time + delay_s) for time in times_s]


def _speaking(agent: Sequence[TextSegment], time_s: float) -> bool:
    return any(segment.start <= time_s <= segment.end for segment in agent)
