"""tau-voice's panel against a literal restatement of its definition, tick by tick."""

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.compat.tau.panel import counts, panel_events, shares, stretches, tally, without_farewell
from metrics.compat.tau.ticks import Insert, Tick, read_tick

TIC, ASIDE = Insert("vocal_tic", "cough"), Insert("non_directed", "hold on")


def brute_force(ticks: list[Tick], tick_s: float, *, strict: bool = False) -> dict[str, Any]:
    """Recount everything from the definition: loops over ticks, no runs shared with the scorer."""
    u, a = [tick.user for tick in ticks], [tick.agent for tick in ticks]
    if len(ticks) >= 2 and u[-1] and not u[-2]:
        ticks, u, a = ticks[:-1], u[:-1], a[:-1]
    n = len(ticks)

    def runs(flags: list[bool]) -> list[tuple[int, int]]:
        found, start = [], None
        for i, flag in enumerate([*flags, False]):
            if flag and start is None:
                start = i
            if not flag and start is not None:
                found.append((start, i))
                start = None
        return found

    user, agent = runs(u), runs(a)
    selectivity: dict[str, list[bool]] = {"backchannel": [], "vocal_tic": [], "non_directed": []}
    latencies, yields, unanswered, unyielded = [], [], 0, 0

    def is_backchannel(run: tuple[int, int]) -> bool:
        return ticks[run[0]].action == "backchannel"

    eligible = [run for run in user if not is_backchannel(run) and not (run[1] < n and a[run[1]])]
    for k, (_, e) in enumerate(eligible):
        starts = [start for start, _ in agent if start >= e]
        following = [start for start, _ in eligible[k + 1 :]]
        if starts and (not following or starts[0] <= following[0]):
            latencies.append((starts[0] - e) * tick_s)
        elif following:
            unanswered += 1
    for s, e in user:
        kinds = {insert.kind for tick in ticks[s:e] for insert in tick.inserts}
        if a[s]:
            kind = (
                "backchannel"
                if is_backchannel((s, e))
                else "vocal_tic"
                if "vocal_tic" in kinds
                else "non_directed"
                if "non_directed" in kinds
                else "yield"
            )
            window = int((2.0 if kind == "yield" else 1.0) / tick_s)
            silent = [i for i in range(s, min(s + window, n)) if not a[i]]
            if kind != "yield":
                selectivity[kind].append(not silent)
            elif silent:
                yields.append((silent[0] - s) * tick_s)
            else:
                unyielded += 1
        elif kinds and not strict:
            kind = "vocal_tic" if "vocal_tic" in kinds else "non_directed"
            answered = any(s <= start <= e + int(2.0 / tick_s) for start, _ in agent)
            selectivity[kind].append(not answered)
    for kind, insert in (("vocal_tic", TIC), ("non_directed", ASIDE)):
        for start, end in runs([insert in tick.inserts and not tick.user for tick in ticks]):
            over = [run for run in agent if run[0] <= start < run[1]]
            if over:
                if (over[0][1] - start) * tick_s <= 1.0:
                    selectivity[kind].append(False)
                elif strict:
                    selectivity[kind].append(True)
            else:
                selectivity[kind].append(not any(start <= s <= end + int(2.0 / tick_s) for s, _ in agent))
    return {
        "latencies": latencies,
        "unanswered": unanswered,
        "yields": yields,
        "unyielded": unyielded,
        "interruptions": sum(u[s] for s, _ in agent),
        **{kind: (sum(found), len(found)) for kind, found in selectivity.items()},
    }


@st.composite
def conversations(draw: st.DrawFn) -> list[Tick]:
    """Ticks with speech in stretches, random actions, and at most one insert of each kind in a tick."""
    ticks: list[Tick] = []
    for _ in range(draw(st.integers(0, 25))):
        user, agent = draw(st.booleans()), draw(st.booleans())
        for _ in range(draw(st.integers(1, 8))):
            action = draw(st.sampled_from(["", "backchannel", "generate_message", "keep_talking"]))
            inserts = draw(st.sampled_from([(), (), (), (TIC,), (ASIDE,), (TIC, ASIDE)]))
            ticks.append(Tick(user, agent, action, inserts))
    return ticks


@given(conversations(), st.sampled_from([0.2, 0.1, 0.08, 0.25]), st.booleans())
def test_counts_agree_with_the_definition_restated(ticks: list[Tick], tick_s: float, strict: bool) -> None:
    """Every count and latency equals the literal restatement's, in both modes, at any tick length."""
    counted = tally(panel_events(ticks, tick_s, strict=strict))
    expected = brute_force(ticks, tick_s, strict=strict)
    assert counted.response_latencies_s == pytest.approx(expected["latencies"], abs=1e-9)
    assert counted.yield_latencies_s == pytest.approx(expected["yields"], abs=1e-12)
    assert (counted.unanswered, counted.unyielded) == (expected["unanswered"], expected["unyielded"])
    assert counted.agent_interruptions == expected["interruptions"]
    for kind in ("backchannel", "vocal_tic", "non_directed"):
        assert getattr(counted, kind) == expected[kind], kind


@given(st.lists(st.booleans(), max_size=30))
def test_stretches_partition_the_true_flags(flags: list[bool]) -> None:
    """Stretches cover exactly the true flags, do not touch, and are in order."""
    found = stretches(flags)
    assert [index for start, end in found for index in range(start, end)] == [i for i, flag in enumerate(flags) if flag]
    assert all(first[1] < second[0] for first, second in itertools.pairwise(found))


def speech(user: str, agent: str) -> list[Tick]:
    """Ticks from two strings: x speaks, b starts a backchannel, t speaks with a tic, T a tic in silence."""
    return [
        Tick(one in "xbt", other == "x", "backchannel" if one == "b" else "", (TIC,) if one in "tT" else ())
        for one, other in zip(user, agent, strict=True)
    ]


def rates(user: str, agent: str, *, strict: bool = False) -> dict[str, tuple[int, int]]:
    """The six rates of a conversation at 0.2 s."""
    return shares(tally(panel_events(speech(user, agent), 0.2, strict=strict)))


def test_a_turn_answered_in_its_last_tick_vanishes() -> None:
    """An agent that starts before the turn ends, or in the next tick, gives neither answer nor silence."""
    assert rates("xxxx....", "...xxx..")["response_rate"] == (0, 0)
    assert rates("xxxx....", "....xx..")["response_rate"] == (0, 0)
    assert rates("xxxx....", ".....x..")["response_rate"] == (1, 1)


def test_latency_is_counted_from_the_first_silent_tick() -> None:
    """The latency is whole ticks from the user's end to the agent's start."""
    counted = tally(panel_events(speech("xx......", "....xxx."), 0.2))
    assert counted.response_latencies_s == pytest.approx((0.4,))


def test_the_stop_signal_at_the_end_is_no_speech() -> None:
    """A user that starts in the very last tick is dropped with it, one that went on speaking is not."""
    assert (
        len(
            without_farewell(speech("x..x", "....")),
        )
        == 3
    )
    assert len(without_farewell(speech("x.xx", "...."))) == 4
    assert len(without_farewell(speech("x", "."))) == 1


def test_answering_a_turn_with_a_cough_is_an_error_in_compat_only() -> None:
    """Compat debits the answer to a turn that held a tic; strict does not count such turns."""
    assert rates("xtxx......", "......xxxx")["selectivity_vocal_tic"] == (0, 1)
    assert rates("xtxx......", "......xxxx", strict=True)["selectivity_vocal_tic"] == (0, 0)


def test_talking_on_through_a_tic_is_credited_in_strict_only() -> None:
    """Compat records nothing when the agent goes on beyond 1 s after an insert; strict counts it as right."""
    assert rates(".T........", "xxxxxxxxxx")["selectivity_vocal_tic"] == (0, 0)
    assert rates(".T........", "xxxxxxxxxx", strict=True)["selectivity_vocal_tic"] == (1, 1)
    assert rates(".T........", "xxxxxx....")["selectivity_vocal_tic"] == (0, 1)


def test_a_backchannel_is_kept_apart_from_interruptions() -> None:
    """An action `backchannel` in a run's first tick makes it one; it then is no turn and no interruption."""
    found = rates("..bb......", "xxxxxxxxxx")
    assert found["selectivity_backchannel"] == (1, 1)
    assert found["yield_rate"] == (0, 0)
    assert found["response_rate"] == (0, 0)


def test_agent_interruptions_may_exceed_the_turns() -> None:
    """The rate divides agent starts over the user by counted turns, so it has no upper bound."""
    assert rates("xxxxxxxx..", ".x.x.x...x")["agent_interruption_rate"] == (3, 1)


def test_a_tick_is_read_as_it_stands() -> None:
    """Chunks may be null; inserts come from both places; what is no vocal tic is speech to others."""
    assert read_tick({"user_chunk": None, "agent_chunk": None}) == Tick()
    raw = {
        "user_chunk": {
            "contains_speech": True,
            "turn_taking_action": {"action": "keep_talking"},
            "source_effects": {
                "burst_noise_file": "x.wav",
                "speech_insert": {"type": "vocal_tic", "text": "cough"},
            },
            "speech_effects": {"speech_insert": {"type": "non_directed_phrase", "text": "hold on"}},
        },
        "agent_chunk": {"contains_speech": False, "turn_taking_action": None},
    }
    assert read_tick(raw) == Tick(True, False, "keep_talking", (TIC, ASIDE))


def test_counts_carry_the_originals_names() -> None:
    """One simulation counts itself and the cases of every rate."""
    assert counts(tally(panel_events(speech("xx....", "...xx."), 0.2))) == {
        "counts.n_simulations": 1,
        "counts.response_total": 1,
        "counts.yield_total": 0,
        "counts.backchannel_total": 0,
        "counts.vocal_tic_total": 0,
        "counts.non_directed_total": 0,
        "counts.agent_interrupts_count": 0,
    }
