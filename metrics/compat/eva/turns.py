"""EVA's turn-taking score (version 0.2) from two channels: turns, interruption flags, scores per turn.

Source: ServiceNow's EVA, restated. Times are seconds, scores 0 to 1. The state: a turn number (0 lies before
the user), whether the agent has spoken in it since the user last started, and which side is open.

    agent starts, user closed   the agent has spoken
    agent starts, user open     the turn is agent-interrupted
    user starts                 next turn, if the agent has spoken
    user starts, agent open     that turn is user-interrupted
"""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

Stretch = tuple[float, float]

USER_GAP_S, AGENT_GAP_S = 0.6, 0.2
"""Shorter silences join a side's segments: how long EVA waits before it declares an end."""
EARLY_MS, LATE_MS, LATE_TOOL_MS = 200, 2750, 4000
_HARD_EARLY_MS, _SWEET_LOW_MS = -500, 500
_SWEET_HIGH_MS, _HARD_LATE_MS = 2000, 3500
_SWEET_HIGH_TOOL_MS, _HARD_LATE_TOOL_MS = 3000, 5000
_FADE_MS = 2000
_INTERRUPTION_CAP = 0.5
_MANY_INTERRUPTIONS = 3
_OVERLAP_S = 0.001


class EvaTurn(NamedTuple):
    """A turn: the user's segments, the agent's answer to them, and who broke in on whom."""

    number: int
    user: tuple[Stretch, ...] = ()
    agent: tuple[Stretch, ...] = ()
    agent_interrupted: bool = False
    user_interrupted: bool = False
    tool_call: bool = False

    @property
    def evaluated(self) -> bool:
        """Turns after the greeting that have both sides."""
        return self.number > 0 and bool(self.user) and bool(self.agent)

    @property
    def latency_ms(self) -> float:
        """The first start of the agent after the last end of the user."""
        return (self.agent[0][0] - self.user[-1][1]) * 1000


class TurnScore(NamedTuple):
    """What a turn got and from what; None for what does not apply to it. Times in ms."""

    number: int
    score: float
    reason: str
    latency_ms: float
    overlap_ms: float | None = None
    overlap_score: float | None = None
    interruptions: int | None = None
    settled_ms: float | None = None
    settled_score: float | None = None
    yield_ms: float | None = None
    yield_score: float | None = None


def merge(segments: Sequence[Stretch], gap_s: float) -> list[Stretch]:
    """Join segments of one side over silences shorter than `gap_s`; empty ones are dropped."""
    joined: list[Stretch] = []
    for start, end in sorted(segment for segment in segments if segment[0] < segment[1]):
        if joined and start - joined[-1][1] < gap_s:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def find_turns(
    user: Sequence[Stretch],
    agent: Sequence[Stretch],
    *,
    tool_calls: Collection[int] = (),
    first_is_turn: bool = False,
) -> list[EvaTurn]:
    """Walk starts and ends in time order (ends before starts, the user before the agent); give the turns.

    tool_calls: numbers of the turns in which the agent called a tool. first_is_turn: the user's first start
    opens turn 1 also when nobody greeted; the original leaves it in turn 0, which is never evaluated.
    """
    edges = sorted(
        [
            (end, 0, side, index)
            for side, segments in enumerate((user, agent))
            for index, (_, end) in enumerate(segments)
        ]
        + [
            (start, 1, side, index)
            for side, segments in enumerate((user, agent))
            for index, (start, _) in enumerate(segments)
        ]
    )
    number, spoken, is_open = 0, first_is_turn, [False, False]
    sides: dict[int, tuple[list[Stretch], list[Stretch]]] = {}
    flags: tuple[set[int], set[int]] = (set(), set())
    for _, starts, side, index in edges:
        is_open[side] = bool(starts)
        if not starts:
            continue
        if side == 0:
            number, spoken = number + spoken, False
        elif not is_open[0]:
            spoken = True
        if is_open[1 - side]:
            flags[side].add(number)
        sides.setdefault(number, ([], []))[side].append((user, agent)[side][index])
    return [
        EvaTurn(turn, tuple(said), tuple(answered), turn in flags[1], turn in flags[0], turn in tool_calls)
        for turn, (said, answered) in sorted(sides.items())
    ]


def score_turns(turns: Sequence[EvaTurn]) -> list[TurnScore]:
    """Score every turn that is evaluated, rounded to 4 digits."""
    before = {turn.number: turn for turn in turns}
    return [_score_turn(turn, before.get(turn.number - 1)) for turn in turns if turn.evaluated]


def _score_turn(turn: EvaTurn, before: EvaTurn | None) -> TurnScore:
    parts: dict[str, Any] = _broken_into(turn) if turn.agent_interrupted else {}
    parts |= _broke_in(turn, before) if turn.user_interrupted else {}
    agent_score, user_score = parts.pop("agent_score", None), parts.get("yield_score")
    reason = {
        (True, True): "dual_interrupt",
        (True, False): "agent_interrupt",
        (False, True): "user_interrupt",
    }.get((agent_score is not None, user_score is not None), "latency")
    measured = [score for score in (agent_score, user_score) if score is not None]
    score = min(measured) if measured else latency_score(turn.latency_ms, tool_call=turn.tool_call)
    return TurnScore(turn.number, round(score, 4), reason, turn.latency_ms, **parts)


def _broken_into(turn: EvaTurn) -> dict[str, float]:
    """Judge an agent that broke in: how long both spoke, how often, and how long its settled answer took."""
    overlap_ms = sum(_shared_s(said, answered) for said in turn.user for answered in turn.agent) * 1000
    count = sum(any(_shared_s(said, answered) > _OVERLAP_S for said in turn.user) for answered in turn.agent)
    overlap = max(0.0, _INTERRUPTION_CAP * (1 - overlap_ms / _FADE_MS))
    scores = [overlap]
    if count:
        scores.append(max(0.0, _INTERRUPTION_CAP * (1 - (count - 1) / (_MANY_INTERRUPTIONS - 1))))
    parts = {"overlap_ms": overlap_ms, "overlap_score": overlap, "interruptions": count}
    settled_ms = _settled_ms(turn)
    if settled_ms is not None:
        scores.append(latency_score(settled_ms, tool_call=turn.tool_call))
        parts |= {"settled_ms": settled_ms, "settled_score": scores[-1]}
    return parts | {"agent_score": min(scores)}


def _shared_s(one: Stretch, other: Stretch) -> float:
    return max(0.0, min(one[1], other[1]) - max(one[0], other[0]))


def _settled_ms(turn: EvaTurn) -> float | None:
    """Measure from the user's last end to the agent's next start; None if the agent talks across it."""
    end = turn.user[-1][1]
    starts = [start for start, _ in turn.agent if start > end]
    across = any(start <= end < stop for start, stop in turn.agent)
    return (min(starts) - end) * 1000 if starts and not across else None


def _broke_in(turn: EvaTurn, before: EvaTurn | None) -> dict[str, float]:
    """Judge an agent that the user broke in on: how long it went on."""
    if before is None or not before.agent:
        return {}
    yield_ms = max(0.0, before.agent[-1][1] - turn.user[0][0]) * 1000
    return {"yield_ms": yield_ms, "yield_score": max(0.0, 1 - yield_ms / _FADE_MS)}


def latency_score(latency_ms: float, *, tool_call: bool = False) -> float:
    """Give the score of a latency: 0 up to -500 ms, 1 from 500 to 2000 ms, 0 from 3500 ms, linear between.

    After a tool call 1 up to 3000 ms and 0 at 5000 ms.
    """
    high, late = (_SWEET_HIGH_TOOL_MS, _HARD_LATE_TOOL_MS) if tool_call else (_SWEET_HIGH_MS, _HARD_LATE_MS)
    if latency_ms <= _HARD_EARLY_MS or latency_ms >= late:
        return 0.0
    if latency_ms < _SWEET_LOW_MS:
        return (latency_ms - _HARD_EARLY_MS) / (_SWEET_LOW_MS - _HARD_EARLY_MS)
    return 1.0 if latency_ms <= high else (late - latency_ms) / (late - high)


def percentile(values: Sequence[float], share: float) -> float | None:
    """Give sorted[min(n - 1, int(share * n))]; None of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None


def user_spoke_last(user: Sequence[Stretch], agent: Sequence[Stretch]) -> bool:
    """Say whether the user's last end is later than the agent's."""
    return bool(user) and max(end for _, end in user) > max((end for _, end in agent), default=float("-inf"))
