"""Validity: which sessions say nothing about the agent, because the tester failed; those stay out of pooled values.

A session is invalid by its own scores: the scorer `validity` finds the faults, a row keeps why, and whoever pools asks
`counts`. What the agent caused is a result and never makes a session invalid.
"""

from collections.abc import Collection, Iterable

from simulator.score import Score

FAMILY = "validity."
INVALID = f"{FAMILY}invalid_rate"
"""1 for a session that says nothing about the agent, 0 for any other; its evidence says why."""

MOST_NAMED = 5
"""Invalid sessions that a line names; the rest is a number."""


def why_invalid(scores: Iterable[Score]) -> str:
    """Say why a session is invalid by its scores; empty where it is valid, or nobody looked."""
    found = [score for score in scores if score.id == INVALID and score.value]
    return "; ".join(dict.fromkeys(item.label for score in found for item in score.evidence))


def counts(metric: str, invalid: str) -> bool:
    """Say whether a session's value of a metric enters pooled values. invalid: why the session is, "" for a valid one.

    Validity itself is told of all sessions.
    """
    return not invalid or metric.startswith(FAMILY)


def share_line(invalid: Collection[str], of: int) -> list[str]:
    """Say how many sessions were left out, and which; nothing where none was. invalid: their ids."""
    if not invalid:
        return []
    named = ", ".join(list(invalid)[:MOST_NAMED]) + (", ..." if len(invalid) > MOST_NAMED else "")
    share = f"{len(invalid)} of {of} session{'s' * (of != 1)} ({len(invalid) / of:.0%})"
    return [f"{share} invalid by the tester's fault and left out (--keep-invalid takes them in): {named}"]
