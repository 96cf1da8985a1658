"""The scorecard of a live talk: five numbers for guests, each beside what people do among themselves.

The human values are those that may be quoted; all of them are of talks, none of service calls.
"""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from simulator.errors import SessionError
from simulator.results.judged import read_judged
from simulator.score import Score


class CardLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line: what was measured, what came of it, and what people do ("" where nobody measured that)."""

    name: str
    found: str
    people: str = ""


class _Asked(msgspec.Struct, frozen=True, kw_only=True):
    metric: str
    name: str
    people: str = ""


ASKED = (
    _Asked(
        metric="latency.response_p50_s",
        name="the agent answered after",
        people="people: about 200 ms, in languages all over the world (Stivers et al. 2009); "
        "380 ms where they leave a gap (Reece et al. 2023)",
    ),
    _Asked(
        metric="turns.fto_p50_s",
        name="from one turn's end to the next one's start, either way",
        people="people: 80 ms; half of their turns begin early (strangers on video, Reece et al. 2023)",
    ),
    _Asked(metric="barge_in.yield_rate", name="interruptions that it gave way to"),
    _Asked(metric="barge_in.yield_latency_p50_s", name="it fell silent after"),
    _Asked(
        metric="backchannel.agent_per_min",
        name="its mm-hms in a minute of your speech",
        people="people: some 17 (1,000 an hour of speech, Reece et al. 2023)",
    ),
)


def scorecard(scores: Sequence[Score]) -> list[CardLine]:
    """Give the five lines; a metric that was not measured, or not defined in this talk, has a dash."""
    known = {score.id: score for score in scores}
    return [CardLine(name=item.name, found=_found(known.get(item.metric)), people=item.people) for item in ASKED]


def card_of(session: Path) -> list[dict[str, str]]:
    """Give the scorecard of a session folder as pages take it; nothing where it was not scored."""
    try:
        scores = read_judged(session).scores
    except SessionError:
        return []
    return [msgspec.to_builtins(line) for line in scorecard(scores)] if scores else []


def _found(score: Score | None) -> str:
    if score is None or score.value is None:
        return "–"
    if score.unit == "s":
        return f"{1000 * score.value:.0f} ms"
    if score.unit == "ratio":
        return f"{round(score.value * score.n)} of {score.n}"
    return f"{score.value:.1f}"
