"""Named lines: each can be played, says whose numbers it has, and is seeded in all its parts."""

from pathlib import Path

import numpy as np
import pytest

from channels.preset import named_lines
from simulator.errors import ScenarioError
from simulator.testing import burst, bytes_of, play_session
from tests.channel_runs import RATE, Run, level_db
from tests.distributions import own_kinds
from tests.lines_figure import ROWS, figure

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "lines.md").read_text(encoding="utf-8")


def test_the_page_has_every_named_line_with_its_source() -> None:
    """What stands in the file stands in docs/lines.md, word by word."""
    for name, line in named_lines().items():
        assert not any(part.windowed for part in line.channels), "a window inside would not be looked at"
        assert f"| `{name}` | {line.says} | {line.source} |" in PAGE


def test_the_page_has_every_kind() -> None:
    """A channel that is added gets a row; the figure can be drawn."""
    for kind in own_kinds("channels"):
        assert f"| `{kind}` | " in PAGE
    assert figure().count('class="heard"') == len(ROWS) + 1


@pytest.mark.parametrize("name", named_lines())
def test_every_named_line_carries_speech(name: str) -> None:
    """Of two seconds of noise at the nominal level something comes out, late by what is stated, and the same again."""
    sound = np.concatenate([burst(2 * RATE), np.zeros(RATE, np.float32)])
    first, again = (Run({"kind": "preset", "name": name}, sound) for _ in range(2))
    assert np.array_equal(first.heard, again.heard)
    late = first.channel.delay_samples
    assert -40 < level_db(first.heard[late : late + 2 * RATE]) < -15
    assert all(set(report) for report in first.measured().values())


def test_the_parts_of_a_line_have_chance_of_their_own() -> None:
    """Two channels that draw do not draw the same; another seed is another session."""
    sound = burst(5 * RATE)
    runs = [Run({"kind": "preset", "name": "voip_bad_wifi"}, sound, seed=seed).heard for seed in (1, 2)]
    assert not np.array_equal(runs[0], runs[1])


def test_a_name_that_is_none_is_refused_with_those_there_are() -> None:
    """In a sentence."""
    with pytest.raises(ScenarioError, match="name is 'mars'; choose one of pstn, mobile_3g, "):
        Run({"kind": "preset", "name": "mars"}, burst(480))


def test_a_session_over_named_lines_repeats_and_tells_what_they_did(tmp_path: Path) -> None:
    """Both directions, one of them for a while only; the report stands by place and kind in session.json."""
    data = {
        "user": {"kind": "scripted", "turns": ["Good evening, this is a rather long sentence to be carried."]},
        "agent": {"kind": "cascade"},
        "duration": "8s",
        "lines": {
            "user_to_agent": [{"kind": "preset", "name": "voip_bad_wifi"}],
            "agent_to_user": [{"kind": "preset", "name": "speakerphone", "from": "2s"}],
        },
    }
    sessions = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        sessions.append(play_session(data, tmp_path / name))
    assert bytes_of(sessions[0]) == bytes_of(sessions[1])
    measured = sessions[0].meta.measured
    assert measured["user_to_agent"]["0"]["0_loss"]["packets"] == 400
    assert measured["user_to_agent"]["0"]["1_jitter"]["packets"] >= 390
    assert measured["agent_to_user"]["0"]["0_reverb"]["rt60_s"] == pytest.approx(0.35, rel=0.05)
