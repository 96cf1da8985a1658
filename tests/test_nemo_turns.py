"""NeMo's timing rules against literal restatements."""

from hypothesis import given
from hypothesis import strategies as st

from metrics.compat.nemo.text import TextSegment
from metrics.compat.nemo.turns import (
    NO_LATENCY_S,
    TurnLimits,
    every_barge_in,
    stopped_at,
    swept_barge_ins,
    turn_taking,
    turn_taking_per_side,
)


@st.composite
def sides(draw: st.DrawFn) -> list[TextSegment]:
    """Up to eight segments on a grid of 0.25 s, in any order, also overlapping and nested ones."""
    cells = draw(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)), max_size=8))
    return [TextSegment(start / 4, (start + length) / 4) for start, length in cells]


@given(sides(), sides(), st.sampled_from([(1.5, 0.5, 0.5), (1.5, 1.0, 20.0), (0.25, 0.0, 0.25)]))
def test_turn_taking_agrees_with_the_definition_restated(
    agent: list[TextSegment], user: list[TextSegment], limits: tuple[float, float, float]
) -> None:
    """True and false positives per agent segment, false negatives per user segment, recall mixing the two."""
    late, early, recall_early = limits
    found = turn_taking(agent, user, TurnLimits(*limits))
    if not agent or not user:
        assert found[:4] == (NO_LATENCY_S, 0.0, 0.0, 0.0)
        return
    tp, fp, fn, latencies = 0, 0, 0, []
    for a in agent:
        hits = [u for u in user if -early <= a.start - u.end <= late and a.start >= u.start]
        tp, fp = tp + bool(hits), fp + (not hits)
        if hits:
            latencies.append(min(max(a.start - u.end, 0) for u in hits))
    for u in user:
        fn += all(not -recall_early <= a.start - u.end <= late for a in agent)
    precision = tp / (tp + fp)
    recall = tp / (tp + fn) if tp + fn else 0.0
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    latency = sum(latencies) / len(latencies) if latencies else NO_LATENCY_S
    assert found[:4] == (latency, precision, recall, f1)


def test_recall_of_compat_is_no_share_of_user_turns() -> None:
    """Two answers to one of two turns give 2/3 in compat and 1/2 per side."""
    user = [TextSegment(0, 2), TextSegment(10, 12)]
    agent = [TextSegment(2.5, 3), TextSegment(3.2, 5)]
    assert turn_taking(agent, user, TurnLimits()).recall == 2 / 3
    assert turn_taking_per_side(agent, user, TurnLimits()).recall == 1 / 2


def test_a_greeting_is_a_false_positive() -> None:
    """An agent segment before any user speech answers nobody."""
    found = turn_taking([TextSegment(0, 1), TextSegment(3.2, 4)], [TextSegment(2, 3)], TurnLimits())
    assert found.precision == 0.5
    assert found.recall == 1.0


@given(sides(), sides(), st.sampled_from([0.5, 1.5]))
def test_the_sweep_finds_what_two_pointers_meet(
    user: list[TextSegment], agent: list[TextSegment], threshold_s: float
) -> None:
    """The sweep advances the user while its segment ends first, else the agent."""
    i, j, met = 0, 0, []
    while i < len(user) and j < len(agent):
        u, a = user[i], agent[j]
        if a.start < u.start < a.end:
            stop = round((a.end - u.start) * 1000)
            met.append((u, a, stop, stop < threshold_s * 1000))
        i, j = (i + 1, j) if u.end < a.end else (i, j + 1)
    assert swept_barge_ins(user, agent, threshold_s) == met
    every = every_barge_in(user, agent, threshold_s)
    assert set(met) <= set(every)


def test_the_sweep_misses_what_it_has_passed() -> None:
    """A user start inside a later agent segment is lost once a longer user segment moved the sweep on."""
    user, agent = [TextSegment(0, 10), TextSegment(1.5, 1.8)], [TextSegment(1, 2)]
    assert swept_barge_ins(user, agent, 1.5) == []
    assert len(every_barge_in(user, agent, 1.5)) == 1


def test_a_stop_is_measured_in_rounded_milliseconds() -> None:
    """Python's rounding of the distance, strict comparison with the threshold."""
    (event,) = swept_barge_ins([TextSegment(1.0, 2.0)], [TextSegment(0.0, 2.5)], 1.5)
    assert event.stop_ms == 1500
    assert not event.success


def test_backchannel_failures() -> None:
    """Failure: the agent spoke then, and no segment holds the time plus the delay; 0 never fails."""
    agent = [TextSegment(1, 3), TextSegment(4, 6)]
    assert stopped_at([0, 0.5, 1, 2, 2.6, 3, 5], agent, 1.5) == [
        False,
        False,
        False,
        True,
        False,
        False,
        True,
    ]
    assert stopped_at([1, 2], [], 1.5) == [False, False]
