"""The `eva` scorer: EVA's turn-taking score from audio."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any, ClassVar

import msgspec

from metrics.compat.eva.turns import (
    AGENT_GAP_S,
    EARLY_MS,
    LATE_MS,
    LATE_TOOL_MS,
    USER_GAP_S,
    EvaTurn,
    TurnScore,
    find_turns,
    merge,
    percentile,
    score_turns,
    user_spoke_last,
)
from metrics.compat.measured import Measured
from metrics.compat.options import read_json_option
from metrics.compat.two_sided import FromTwoSides, TwoSided
from simulator.errors import ScenarioError
from simulator.score import Definition

CARD = """\
EVA's turn-taking score (ServiceNow, version 0.2), from both channels: 0 to 1, the mean over turns.
Speech: Silero defaults; user gaps under 0.6 s and agent gaps under 0.2 s merge. Turn 0 lies before the user;
a user start opens a turn once the agent has spoken in silence since the last one. Evaluated: turns > 0 in
which both spoke.
Latency (first agent start - last user end) scores 0 up to -500 ms, 1 from 500 to 2000 ms, 0 from 3500 ms,
linear between (after a tool call 3000 and 5000 ms). The agent broke in: the least of 0.5(1 - overlap/2000
ms), 0.5(1 - (n - 1)/2) and the latency score of its settled answer. The user broke in: 1 - yield/2000 ms.
Both: the least.
Turn scores and their mean are rounded to 4 digits, rates and times are not. p50/p90 = sorted[min(n - 1, int(p
n))].
early < 200 ms, late >= 2750 ms (4000 after a tool call). Rates over evaluated turns. Corpus: the mean over
recordings.
Quirks kept in mode=compat: 0 when nothing is evaluated (reason sentinel) and when the call ended by
inactivity with the user last (--set inactivity=true); without a greeting the first exchange stays in turn 0,
unscored. mode=strict gives null for the first and counts the first exchange. --set tool_turns=FILE ({id:
[turn, ...]}) names turns with tool calls.
Left out, because audio does not tell: fallback nudges, speech before tools, tokens."""


class EvaSpec(FromTwoSides, frozen=True, kw_only=True, tag="eva"):
    """EVA's turn-taking score and its parts.

    inactivity: the calls ended because nobody spoke any more. tool_turns: which turns had a tool call.
    segments: stretches of speech instead of detection. user_channel: the user's channel of a stereo file.
    """

    inactivity: bool = False
    tool_turns: Path | None = None

    card: ClassVar[str] = CARD
    table: ClassVar[tuple[Definition, ...]] = (
        Definition(id="turn_taking", unit="score", title="turn-taking score", better="higher"),
        Definition(id="mean_latency_ms", unit="ms", title="mean latency", better="lower"),
        Definition(id="p50_latency_ms", unit="ms", title="latency, half of the turns", better="lower"),
        Definition(id="p90_latency_ms", unit="ms", title="latency, nine turns of ten", better="lower"),
        Definition(id="on_time_rate", unit="share", title="answers on time", better="higher"),
        Definition(id="early_rate", unit="share", title="answers under 200 ms", better="lower"),
        Definition(id="late_rate", unit="share", title="late answers", better="lower"),
        Definition(id="agent_interruption.rate", unit="share", title="turns the agent broke into", better="lower"),
        Definition(id="agent_interruption.num_interruptions", unit="count", title="agent segments over the user"),
        Definition(id="agent_interruption.mean_overlap_ms", unit="ms", title="mean overlap where the agent broke in"),
        Definition(
            id="agent_interruption.mean_post_interrupt_latency_ms",
            unit="ms",
            title="mean wait for its answer",
        ),
        Definition(id="user_interruption.rate", unit="share", title="turns in which the user broke in"),
        Definition(
            id="user_interruption.mean_yield_ms",
            unit="ms",
            title="mean time the agent went on",
            better="lower",
        ),
    )

    def read_options(self) -> dict[str, list[int]]:
        """Read which turns had tool calls."""
        if self.tool_turns is None:
            return {}
        turns = read_json_option(self.tool_turns, "tool_turns")
        try:
            return msgspec.convert(turns, dict[str, list[int]])
        except msgspec.ValidationError:
            raise ScenarioError(f"tool_turns={self.tool_turns}: expected {{id: [turn, ...]}}") from None

    def measure_heard(self, heard: TwoSided, options: Mapping[str, list[int]]) -> Measured:
        """Measure one recording."""
        tool_calls = options.get(heard.name, ())
        user, agent = merge(heard.user, USER_GAP_S), merge(heard.agent, AGENT_GAP_S)
        turns = find_turns(user, agent, tool_calls=tool_calls, first_is_turn=self.mode == "strict")
        scores = score_turns(turns)
        measured = Measured(sample_rate=heard.sample_rate, notes=list(heard.notes))
        if scores:
            missed = self.inactivity and user_spoke_last(user, agent)
            measured.add("turn_taking", 0.0 if missed else round(fmean(turn.score for turn in scores), 4))
            for name, value in summary(turns, scores).items():
                measured.add(name, value)
        elif self.mode == "compat":
            measured.add("turn_taking", 0.0)
            measured.sentinels.add("turn_taking")
            measured.notes.append("no turn has both sides: the original's score is 0")
        measured.undefined([column.id for column in self.table], "no turn of this kind")
        measured.shown = {"turns": [_shown(turn) for turn in scores]}
        for turn in turns:
            if turn.evaluated:
                place = (turn.user[-1][1], turn.agent[0][0])
                measured.place("mean_latency_ms", min(place), max(place), value=turn.latency_ms)
        measured.lines = [_line(turn, score) for turn in turns for score in scores if turn.number == score.number]
        return measured


def summary(turns: Sequence[EvaTurn], scores: Sequence[TurnScore]) -> dict[str, float]:
    """Give the values besides the score over the evaluated turns; what never happened is left out."""
    evaluated = {turn.number: turn for turn in turns if turn.evaluated}
    latencies = {score.number: score.latency_ms for score in scores}
    early = sum(latency < EARLY_MS for latency in latencies.values())
    late = sum(
        latency >= (LATE_TOOL_MS if evaluated[number].tool_call else LATE_MS) for number, latency in latencies.items()
    )
    values: dict[str, float | None] = {
        "mean_latency_ms": fmean(latencies.values()),
        "p50_latency_ms": percentile(list(latencies.values()), 0.5),
        "p90_latency_ms": percentile(list(latencies.values()), 0.9),
        "on_time_rate": (len(scores) - early - late) / len(scores),
        "early_rate": early / len(scores),
        "late_rate": late / len(scores),
        "agent_interruption.rate": sum(turn.agent_interrupted for turn in evaluated.values()) / len(scores),
        "agent_interruption.num_interruptions": _over(scores, "interruptions", sum),
        "agent_interruption.mean_overlap_ms": _over(scores, "overlap_ms", fmean),
        "agent_interruption.mean_post_interrupt_latency_ms": _over(scores, "settled_ms", fmean),
        "user_interruption.rate": sum(turn.user_interrupted for turn in evaluated.values()) / len(scores),
        "user_interruption.mean_yield_ms": _over(scores, "yield_ms", fmean),
    }
    return {name: value for name, value in values.items() if value is not None}


def _over(scores: Sequence[TurnScore], field: str, statistic: Callable[[Sequence[float]], float]) -> float | None:
    values = [getattr(score, field) for score in scores if getattr(score, field) is not None]
    return statistic(values) if values else None


def _shown(score: TurnScore) -> Mapping[str, Any]:
    return {name: value for name, value in score._asdict().items() if value is not None}


def _line(turn: EvaTurn, score: TurnScore) -> str:
    said, answered = (f"{side[0][0]:.3f}-{side[-1][1]:.3f} s" for side in (turn.user, turn.agent))
    judged = f"{score.score} by {score.reason}, latency {score.latency_ms:.0f} ms"
    return f"turn {turn.number}: user {said}, agent {answered}: {judged}"
