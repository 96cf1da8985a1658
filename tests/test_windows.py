"""When a channel of a line is on: by time, by who speaks; what is heard then, and what is told."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulator.call.windows import Windows
from simulator.errors import ScenarioError
from simulator.frame import AudioFrame, Samples
from simulator.line import ChannelContext, Line, Lines
from simulator.spec import decode
from simulator.testing import burst, play_session, scenario_of

RATE, FRAME = 24_000, 480


class Carried:
    """A line from the user to the agent, carried tick by tick or in blocks; heard: float32 (n,), events: as told."""

    def __init__(self, channels: list[dict[str, Any]], user: Samples, agent: Samples, at_once: int = 1) -> None:
        self.events: list[tuple[int, str]] = []
        lines = decode({"user_to_agent": channels}, Lines, source="t", folder=Path())
        windows = Windows("user", RATE, FRAME)
        context = ChannelContext(
            sample_rate=RATE,
            frame_samples=FRAME,
            rng=np.random.default_rng(0),
            emit=lambda at, type_, **fields: self.events.append((at, type_)),
        )
        self.line = Line(
            [windows.built(spec, context, index) for index, spec in enumerate(lines.user_to_agent)], windows.judge
        )
        ends = range(0, len(user) + 1, at_once * FRAME)
        frames = [(AudioFrame(a, user[a:b]), AudioFrame(a, agent[a:b])) for a, b in pairwise(ends)]
        self.heard = np.concatenate([self.line.carry(*pair).samples for pair in frames])


def speech(*stretches: tuple[float, float], length_s: float = 6.0) -> Samples:
    """Noise at the nominal level between so many seconds each, silence else."""
    sound = np.zeros(round(length_s * RATE), np.float32)
    for start, end in stretches:
        sound[round(start * RATE) : round(end * RATE)] = burst(round(end * RATE) - round(start * RATE))
    return sound


def silent(heard: Samples, said: Samples) -> list[tuple[float, float]]:
    """Where what is said is not heard, in seconds: ticks that hold sound and came out as zeros."""
    lost = (np.abs(said.reshape(-1, FRAME)).max(1) > 0) & (np.abs(heard.reshape(-1, FRAME)).max(1) == 0)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], lost, [False]]).astype(int))) * FRAME / RATE
    return [(round(float(a), 2), round(float(b), 2)) for a, b in edges.reshape(-1, 2)]


NOBODY = speech()
TALK = speech((1.0, 3.0), (4.0, 5.0))


@pytest.mark.parametrize(
    ("window", "user", "agent", "muted"),
    [
        ({"from": "1500ms", "until": "2s"}, TALK, NOBODY, [(1.5, 2.0)]),
        ({"from": "4500ms"}, TALK, NOBODY, [(4.5, 5.0)]),
        ({"until": "1500ms"}, TALK, NOBODY, [(1.0, 1.5)]),
        ({}, TALK, NOBODY, [(1.0, 3.0), (4.0, 5.0)]),
        # The tick that makes it half a second of speech is the first that is lost.
        ({"during": {"user_speaking": "500ms"}}, TALK, NOBODY, [(1.48, 3.0), (4.48, 5.0)]),
        ({"during": {"user_speaking": "500ms", "length": "200ms"}}, TALK, NOBODY, [(1.48, 1.68), (4.48, 4.68)]),
        ({"during": {"user_speaking": "500ms", "length": "200ms", "times": 1}}, TALK, NOBODY, [(1.48, 1.68)]),
        ({"during": {"user_speaking": "500ms"}, "from": "2s"}, TALK, NOBODY, [(2.0, 3.0), (4.48, 5.0)]),
        ({"during": {"agent_speaking": "0ms"}}, TALK, speech((2.0, 2.5)), [(2.0, 2.68)]),
        # A stretch is over after 200 ms of silence: then half a second of pause has already begun to count.
        ({"during": {"agent_pausing": "500ms"}}, TALK, speech((1.0, 2.0)), [(2.48, 3.0), (4.0, 5.0)]),
    ],
)
def test_a_mute_is_heard_where_its_window_is_open(
    window: dict[str, Any], user: Samples, agent: Samples, muted: list[tuple[float, float]]
) -> None:
    """By time, and by what either party says; tick by tick and in blocks."""
    carried = [Carried([{"kind": "mute", **window}], user, agent, at_once).heard for at_once in (1, 10, 300)]
    assert silent(carried[0], user) == muted
    assert np.array_equal(carried[0], carried[1]) and np.array_equal(carried[0], carried[2])


def test_what_comes_on_and_goes_off_is_told_once_each() -> None:
    """At the first tick that it is on, and the first that it is not."""
    carried = Carried([{"kind": "mute", "from": "1010ms", "until": "2s"}], TALK, NOBODY, at_once=50)
    assert carried.events == [(24_000, "channel_on"), (48_000, "channel_off")]


def test_sound_that_passes_by_is_as_late_as_the_channel_would_make_it() -> None:
    """Coming on or going off moves nothing in time."""
    delayed = Carried([{"kind": "delay", "time": "33ms", "from": "2s", "until": "3s"}], TALK, NOBODY)
    late = round(0.033 * RATE)
    assert delayed.line.delay_samples == late
    assert np.array_equal(delayed.heard[late:], TALK[:-late])


def test_what_happens_while_a_channel_is_off_is_not_told() -> None:
    """Bursts at 1 s and every 2 s, heard from 2 s to 4 s only."""
    channel = {"kind": "burst", "color": "white", "start": "1s", "every": "2s", "from": "2s", "until": "4s"}
    carried = Carried([channel], NOBODY, NOBODY)
    assert [at for at, type_ in carried.events if type_ == "noise_burst"] == [3 * RATE]
    assert not carried.heard[: 2 * RATE].any()


@pytest.mark.parametrize(
    ("window", "told"),
    [
        ({"during": {}}, "during has exactly one of user_speaking, agent_speaking, .*; found none"),
        ({"during": {"user_speaking": "1s", "agent_pausing": "1s"}}, "found user_speaking, agent_pausing"),
        ({"during": {"user_speaking": "1s", "times": 0}}, "times is 0; it must be at least 1"),
        ({"from": "3s", "until": "2s"}, r"lines.user_to_agent\[0\].until: is 2s; it must be after `from`"),
    ],
)
def test_a_window_that_cannot_be_meant_is_refused(window: dict[str, Any], told: str, tmp_path: Path) -> None:
    """Before anything starts."""
    parties = {"user": "silent", "agent": "silent"}
    with pytest.raises(ScenarioError, match=told):
        scenario_of({**parties, "lines": {"user_to_agent": [{"kind": "mute", **window}]}}, tmp_path)


def test_a_session_tells_of_a_mute_and_of_stated_delays(tmp_path: Path) -> None:
    """Events of the line have its direction, the channel's place and kind; session.json has what a reader subtracts."""
    session = play_session(
        {
            "user": {"kind": "scripted", "turns": ["Good evening to you all."]},
            "agent": "silent",
            "duration": "3s",
            "lines": {"user_to_agent": [{"kind": "delay", "time": "20ms"}, {"kind": "mute", "from": "1s"}]},
        },
        tmp_path,
    )
    (told,) = (event for event in session.events if event.type == "channel_on")
    assert told.data == {"direction": "user_to_agent", "channel": 1, "kind": "mute"}
    assert session.meta.measured == {"user_to_agent": {"0": {"delay_samples": 480}}}
    assert session.heard("agent")[:RATE].any() and not session.heard("agent")[RATE:].any()
