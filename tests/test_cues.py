"""The cue language: when a watch fires, waits, misses and re-arms."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.speaking.cue_watch import CueWatch
from simulator.speaking.cues import Cue
from simulator.speaking.ears import Activity
from simulator.spec import Duration, decode

RATE = 1000
TICK = 20


def cue(**fields: Any) -> Cue:
    """Decode a cue as a scenario would."""
    return decode(fields, Cue, source="t", folder=Path())


def firings(
    watched: Cue,
    spoken: Iterable[tuple[int, int]],
    *,
    until: int = 10_000,
    busy: Iterable[tuple[int, int]] = (),
    own: str = "user",
) -> list[tuple[int, str]]:
    """Play a timeline of the other's speech (ms) against a watch; gives (moment, verdict) in ms."""
    watch = CueWatch(watched, RATE, np.random.default_rng(0), own)  # type: ignore[arg-type]
    heard = Activity(RATE)
    spans, own_spans = list(spoken), list(busy)
    found: list[tuple[int, str]] = []
    free_since = 0
    for now in range(0, until, TICK):
        heard.update(now - TICK, now, any(start < now <= end for start, end in spans))
        speaking = any(start < now <= end for start, end in own_spans)
        free_since = now if speaking else free_since
        verdict = watch.check(now, heard, speaking, free_since, heard)
        if verdict:
            found.append((now, verdict))
    return found


def test_at_fires_once_at_its_time() -> None:
    """`at: 3s` fires in the first tick that is not before it."""
    assert firings(cue(at="3s"), []) == [(3000, "fire")]


def test_a_cue_may_wait_for_the_other_to_be_silent() -> None:
    """Due at 500 ms of a stretch from 1 s to 4 s, at 4.3 s it comes; a shorter silence on the way is none; who is
    silent anyway is not waited for. What its own party says is waited for from then on, `within`.
    """
    talk = [(1000, 2500), (2700, 4000)]
    assert firings(cue(agent_speaking="500ms", other_silent="300ms"), talk) == [(4300, "fire")]
    assert firings(cue(at="3s", other_silent="300ms"), talk) == [(4300, "fire")]
    assert firings(cue(at="6s", other_silent="300ms"), talk) == [(6000, "fire")]
    assert firings(cue(at="3s", other_silent="300ms", within="1s"), talk, busy=[(4000, 5000)]) == [(5020, "fire")]
    assert firings(cue(at="3s", other_silent="300ms", within="1s"), talk, busy=[(4000, 6000)]) == [(5320, "miss")]


def test_at_with_every_fires_again() -> None:
    """`every` makes a time cue periodic; `times` ends it."""
    assert [now for now, _ in firings(cue(at="1s", every="2s", times=3), [])] == [1000, 3000, 5000]


def test_speaking_fires_once_per_stretch() -> None:
    """`agent_speaking: d` fires when the agent has spoken for d, once per stretch."""
    assert [now for now, _ in firings(cue(agent_speaking="1s"), [(1000, 4000), (6000, 8000)])] == [2000, 7000]


def test_speaking_bridges_gaps_under_200_ms() -> None:
    """A gap of less than 200 ms is part of the stretch, one of 200 ms ends it."""
    assert len(firings(cue(agent_speaking="500ms"), [(1000, 2000), (2180, 4000)])) == 1
    assert len(firings(cue(agent_speaking="500ms"), [(1000, 2000), (2300, 4000)])) == 2


def test_every_rearms_inside_the_same_stretch() -> None:
    """`every` re-arms so long after the last firing inside the same stretch."""
    assert [now for now, _ in firings(cue(agent_speaking="1s", every="2s"), [(0, 6500)])] == [1000, 3000, 5000]


def test_after_waits_for_silence_since_the_last_speech() -> None:
    """`after: agent_turn` fires 500 ms (or `delay`) after the last speech; a pause inside the turn starts it anew."""
    assert [now for now, _ in firings(cue(after="agent_turn"), [(1000, 2000), (2400, 3000)])] == [3500]
    assert [now for now, _ in firings(cue(after="agent_turn", delay="1s"), [(1000, 2000)])] == [3000]


def test_after_counts_from_the_later_end_of_both() -> None:
    """Delays count from the later end: own speech that ends after the other's holds the turn back."""
    assert [now for now, _ in firings(cue(after="agent_turn"), [(1000, 2000)], busy=[(1500, 2600)])] == [3100]


def test_pausing_fires_in_the_pause() -> None:
    """`agent_pausing: d` fires when the agent has been silent for d after speech, once per stretch."""
    assert [now for now, _ in firings(cue(agent_pausing="300ms"), [(1000, 2000), (3000, 4000)])] == [2300, 4300]


def test_at_latest_saves_a_script_from_a_silent_agent() -> None:
    """Nothing heard for `at_latest` since it was armed: the cue fires anyway; never while the other speaks."""
    assert firings(cue(after="agent_turn", at_latest="4s", times=1), []) == [(4000, "fire")]
    assert firings(cue(agent_speaking="20s", at_latest="2s", times=1), [(1000, 7000)]) == [(9000, "fire")]


def test_a_cue_that_falls_due_while_its_party_speaks_waits_then_is_missed() -> None:
    """It waits up to `within` (2 s), fires when the party falls silent in time, else is missed."""
    assert firings(cue(at="1s"), [], busy=[(500, 2500)]) == [(2520, "fire")]
    assert firings(cue(at="1s"), [], busy=[(500, 5000)]) == [(3020, "miss")]
    assert firings(cue(at="1s", over_self=True), [], busy=[(500, 5000)]) == [(1000, "fire")]


def test_times_ends_a_cue() -> None:
    """`times` counts firings and misses alike."""
    assert len(firings(cue(agent_speaking="100ms", every="200ms", times=2), [(0, 9000)])) == 2


def test_random_is_seeded_and_has_the_rate() -> None:
    """Random cues come at exponential distances from the session's generator."""
    first = firings(cue(random={"per_minute": 30}), [], until=600_000)
    assert first == firings(cue(random={"per_minute": 30}), [], until=600_000)
    assert 240 <= len(first) <= 360


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"at": "1s", "after": "agent_turn"},
        {"at": "1s", "times": 0},
        {"at": "1s", "every": "0ms"},
        {"at": "1s", "at_latest": "2s"},
        {"random": {"per_minute": 0}},
    ],
)
def test_a_cue_without_exactly_one_condition_or_with_nonsense_is_refused(fields: dict[str, Any]) -> None:
    """Bad cues are refused where they are written."""
    with pytest.raises(Exception, match=r"cue has exactly one|times|every|at_latest|per_minute"):
        cue(**fields)


@given(st.lists(st.booleans(), max_size=200))
def test_activity_stretches_are_separated_by_the_bridge(sounding: list[bool]) -> None:
    """However sound comes and goes, a new stretch begins only after at least 200 ms without any."""
    activity = Activity(RATE)
    last_sound, stretches = None, 0
    for index, sound in enumerate(sounding):
        before = activity.stretches
        activity.update(index * TICK, (index + 1) * TICK, sound)
        if activity.stretches > before:
            stretches += 1
            assert last_sound is None or index * TICK - last_sound >= 200
            assert activity.since == index * TICK
        if sound:
            last_sound = (index + 1) * TICK
    assert activity.stretches == stretches


def test_a_pause_from_before_a_script_waited_is_no_pause() -> None:
    """`agent_pausing` of a turn means a pause that it has seen begin: an older one was the gap of the turn before."""
    watch = CueWatch(cue(agent_pausing="300ms"), RATE, np.random.default_rng(0), "user")
    heard = Activity(RATE)
    heard.update(0, 1000, True)
    heard.update(1000, 2000, False)
    watch.arm(2000)
    watch.pass_over(heard)
    assert watch.check(2000, heard, False, 0) is None
    heard.update(2000, 3000, True)
    heard.update(3000, 3300, False)
    assert watch.check(3300, heard, False, 0) == "fire"


def test_cue_round_trips_through_plain_data() -> None:
    """What was decoded encodes to what decodes to the same."""
    from simulator.spec import encode

    one = cue(agent_speaking="1.2s", every="4s", times=2)
    assert decode(encode(one), Cue, source="t", folder=Path()) == one
    assert isinstance(one.agent_speaking, Duration)
    assert msgspec.structs.asdict(one)["times"] == 2
