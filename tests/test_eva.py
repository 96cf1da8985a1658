"""EVA's turn-taking against a literal restatement, its curve, and the `eva` scorer."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from metrics.compat.eva.scorer import EvaSpec
from metrics.compat.eva.turns import (
    find_turns,
    latency_score,
    merge,
    percentile,
    score_turns,
    user_spoke_last,
)

Segments = list[tuple[float, float]]


def sides() -> st.SearchStrategy[Segments]:
    """Up to seven segments on a grid of 0.25 s."""
    return st.lists(st.tuples(st.integers(0, 100), st.integers(1, 16)), max_size=7).map(
        lambda found: [(start / 4, (start + length) / 4) for start, length in found]
    )


def curve(ms: float) -> float:
    """The latency curve by interpolation between its corners."""
    return float(np.interp(ms, [-500, 500, 2000, 3500], [0, 1, 1, 0]))


def restated(user: Segments, agent: Segments) -> dict[int, float]:
    """Score every turn straight from the definition, event by event."""
    events = sorted(
        [
            (time, kind, side, index)
            for side, found in (("a_user", user), ("b_agent", agent))
            for index, (start, end) in enumerate(found)
            for time, kind in ((start, 1), (end, 0))
        ],
        key=lambda event: (event[0], event[1], event[2]),
    )
    turn, spoken, user_open, agent_open = 0, False, False, False
    turns: dict[int, dict[str, Any]] = {}

    def now() -> dict[str, Any]:
        return turns.setdefault(turn, {"user": [], "agent": [], "by_agent": False, "by_user": False})

    for _, kind, side, index in events:
        if side == "a_user" and kind == 1:
            if spoken:
                turn += 1
            spoken, user_open = False, True
            now()["user"].append(user[index])
            now()["by_user"] |= agent_open
        elif side == "a_user":
            user_open = False
        elif kind == 1:
            agent_open = True
            now()["agent"].append(agent[index])
            now()["by_agent"] |= user_open
            spoken |= not user_open
        else:
            agent_open = False
    scores = {}
    for number, one in turns.items():
        if number == 0 or not one["user"] or not one["agent"]:
            continue
        end = one["user"][-1][1]
        parts = []
        if one["by_agent"]:
            shared = [[max(0.0, min(x[1], y[1]) - max(x[0], y[0])) for x in one["user"]] for y in one["agent"]]
            count = sum(any(s > 0.001 for s in row) for row in shared)
            parts += [
                max(0.0, 0.5 * (1 - sum(map(sum, shared)) * 1000 / 2000)),
                max(0.0, 0.5 * (1 - (count - 1) / 2)),
            ]
            later = [start for start, _ in one["agent"] if start > end]
            if later and not any(start <= end < stop for start, stop in one["agent"]):
                parts.append(curve((min(later) - end) * 1000))
        before = turns.get(number - 1, {"agent": []})["agent"]
        if one["by_user"] and before:
            parts.append(max(0.0, 1 - max(0.0, before[-1][1] - one["user"][0][0]) * 1000 / 2000))
        scores[number] = round(min(parts) if parts else curve((one["agent"][0][0] - end) * 1000), 4)
    return scores


@given(sides(), sides())
def test_turn_scores_agree_with_the_definition_restated(user: Segments, agent: Segments) -> None:
    """Turns, flags and scores equal those of the restatement, on merged segments."""
    user, agent = merge(user, 0.6), merge(agent, 0.2)
    found = {score.number: score.score for score in score_turns(find_turns(user, agent))}
    assert found == pytest.approx(restated(user, agent), abs=1e-4)


@pytest.mark.parametrize(
    ("latency_ms", "score", "after_tool"),
    [
        (-500, 0, 0),
        (0, 0.5, 0.5),
        (200, 0.7, 0.7),
        (500, 1, 1),
        (2000, 1, 1),
        (2750, 0.5, 1),
        (3500, 0, 0.75),
        (4000, 0, 0.5),
        (5000, 0, 0),
    ],
)
def test_the_latency_curve(latency_ms: float, score: float, after_tool: float) -> None:
    """0 up to -500 ms, 1 from 500 to 2000 ms, 0 from 3500 ms; after a tool call 3000 and 5000 ms."""
    assert latency_score(latency_ms) == pytest.approx(score)
    assert latency_score(latency_ms, tool_call=True) == pytest.approx(after_tool)


def test_segments_merge_over_shorter_silences_only() -> None:
    """A silence of exactly the limit separates."""
    assert merge([(0, 1), (1.5, 2), (2.6, 3)], 0.6) == [(0, 2), (2.6, 3)]


def test_without_a_greeting_the_first_exchange_is_not_evaluated() -> None:
    """The original leaves it in turn 0; the repair opens turn 1."""
    user, agent = [(0.0, 1.0), (4.0, 5.0)], [(2.0, 3.0), (6.0, 7.0)]
    assert [turn.number for turn in find_turns(user, agent) if turn.evaluated] == [1]
    assert [turn.number for turn in find_turns(user, agent, first_is_turn=True) if turn.evaluated] == [1, 2]


def test_percentiles_take_a_value_that_was_measured() -> None:
    """sorted[min(n - 1, int(p n))], no interpolation."""
    assert percentile([3, 1, 2, 4], 0.5) == 3
    assert percentile([1, 2, 3], 0.9) == 3
    assert percentile([], 0.5) is None


def test_who_spoke_last_is_who_ended_last() -> None:
    """The later end decides; a tie is the agent's."""
    assert user_spoke_last([(0, 3)], [(1, 2)])
    assert user_spoke_last([(0, 1)], [])
    assert not user_spoke_last([(0, 2)], [(1, 2)])
    assert not user_spoke_last([], [])


GREETED = {"user": [[2.0, 3.0], [6.0, 7.0]], "agent": [[0.0, 1.0], [3.5, 5.0], [7.1, 9.0]]}


def scored(folder: Path, sides: dict[str, Any], **fields: Any) -> Any:
    """Score one stereo file of 12 s with these segments."""
    soundfile.write(folder / "call.wav", np.zeros((96000, 2), np.float32), 8000)
    (folder / "segments.json").write_text(json.dumps({"call": sides}))
    return EvaSpec(segments=folder / "segments.json", **fields).score_corpus([folder / "call.wav"])


def test_the_score_and_its_parts(tmp_path: Path) -> None:
    """Two turns with latencies of 500 and 100 ms: scores 1 and 0.6, one early."""
    result = scored(tmp_path, GREETED)
    values = {name: metric.value for name, metric in result.metrics.items()}
    assert values["turn_taking"] == 0.8
    assert values["early_rate"] == 0.5
    assert values["on_time_rate"] == 0.5
    assert values["p50_latency_ms"] == pytest.approx(500)
    assert values["mean_latency_ms"] == pytest.approx(300)
    assert values["agent_interruption.rate"] == 0.0
    assert values["user_interruption.mean_yield_ms"] is None
    assert [turn["score"] for turn in result.samples[0].metrics["turns"]] == [1.0, 0.6]


def test_an_end_by_inactivity_on_the_users_turn_scores_0(tmp_path: Path) -> None:
    """Only when the calls are said to have ended so, and the user was last."""
    unanswered = {"user": [*GREETED["user"], [10.0, 11.0]], "agent": GREETED["agent"]}
    assert scored(tmp_path, unanswered, inactivity=True).metrics["turn_taking"].value == 0.0
    assert scored(tmp_path, unanswered).metrics["turn_taking"].value == 0.8
    assert scored(tmp_path, GREETED, inactivity=True).metrics["turn_taking"].value == 0.8


def test_nothing_evaluated_is_a_sentinel_or_null(tmp_path: Path) -> None:
    """Compat gives the original's 0 and says so; strict gives null."""
    alone = {"user": [[1.0, 2.0]], "agent": []}
    compat = scored(tmp_path, alone).metrics["turn_taking"]
    strict = scored(tmp_path, alone, mode="strict").metrics["turn_taking"]
    assert (compat.value, compat.reason) == (0.0, "sentinel")
    assert strict.value is None
    assert strict.reason


def test_tool_turns_are_judged_more_patiently(tmp_path: Path) -> None:
    """tool_turns=FILE moves the upper end of the curve and the late limit."""
    slow = {"user": [[2.0, 3.0]], "agent": [[0.0, 1.0], [6.0, 7.0]]}
    (tmp_path / "tools.json").write_text(json.dumps({"call": [1]}))
    assert scored(tmp_path, slow).metrics["turn_taking"].value == pytest.approx(0.3333)
    assert scored(tmp_path, slow).metrics["late_rate"].value == 1.0
    patient = scored(tmp_path, slow, tool_turns=tmp_path / "tools.json")
    assert patient.metrics["turn_taking"].value == 1.0
    assert patient.metrics["late_rate"].value == 0.0
