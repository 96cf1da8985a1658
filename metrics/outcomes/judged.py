"""Outcomes that a language model is asked about."""

from metrics.outcomes.seen import OutcomeFinding, Seen
from simulator.judging.sentence import criterion_of
from simulator.reading.outcomes import JudgeOutcome


def judged(outcome: JudgeOutcome, seen: Seen) -> OutcomeFinding:
    """Ask the scenario's judge; undefined where it gives no verdict."""
    if seen.sitting is None:
        return OutcomeFinding(met=None, reason="the scenario names no judge")
    ballot = seen.sitting.ballot(criterion_of(outcome), outcome.votes)
    met = ballot.met()
    reason = ballot.problem or "" if met is None else ""
    return OutcomeFinding(met=met, evidence=ballot.evidence(seen.session.duration, met), reason=reason)
