"""Players of recordings: files of any rate, at given times or after turns, again and again."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from simulator.errors import ScenarioError
from simulator.session import Session
from simulator.sound.loudness import active_level_dbfs
from simulator.testing import burst, play_session, scenario_of

RATE = 24_000


def turns(session: Session, party: str = "user") -> list[int]:
    """When a party's utterances began, in samples."""
    return [event.at for event in session.by_type.get("speech_start", []) if event.party == party]


def speech(folder: Path, name: str, length_s: float, rate: int = RATE) -> str:
    """Write speech-like noise and give its name."""
    soundfile.write(folder / name, burst(round(length_s * rate)), rate, subtype="PCM_16")
    return name


def test_a_recording_at_the_sessions_rate_is_said_bit_for_bit(tmp_path: Path) -> None:
    """`level: keep`, the same rate: what is said is the file, from `at` on."""
    speech(tmp_path, "call.wav", 1.0)
    user = {"kind": "player", "file": "call.wav", "at": "500ms", "level": "keep"}
    said = play_session({"user": user, "agent": "silent"}, tmp_path).said("user")
    assert np.array_equal(said[12_000 : 12_000 + RATE], burst(RATE))
    assert not said[:12_000].any()
    assert not said[36_000:].any()


@pytest.mark.parametrize("rate", [4000, 8000, 11_025, 44_100, 48_000, 192_000])
def test_any_rate_keeps_its_place_its_length_and_the_nominal_level(tmp_path: Path, rate: int) -> None:
    """A whole file is resampled without delay, and scaled to -26 dBFS active level."""
    time_s = np.arange(rate * 2) / rate
    tone = (0.4 * np.sin(2 * np.pi * 500 * time_s)).astype(np.float32)
    soundfile.write(tmp_path / "tone.wav", tone, rate, subtype="PCM_16")
    user = {"kind": "player", "file": "tone.wav"}
    said = play_session({"user": user, "agent": "silent", "duration": "3s"}, tmp_path).said("user")
    assert active_level_dbfs(said[: 2 * RATE], RATE) == pytest.approx(-26, abs=0.1)
    ideal = np.sin(2 * np.pi * 500 * np.arange(2 * RATE) / RATE)
    middle = slice(RATE // 2, RATE + RATE // 2)
    assert float(np.corrcoef(ideal[middle], said[middle])[0, 1]) > 0.9999
    assert not said[2 * RATE + 2 :].any()


def test_a_channel_of_a_stereo_file_is_played(tmp_path: Path) -> None:
    """`channel: 1` is the right one; without it a stereo file is refused."""
    both = np.stack([np.zeros(RATE, np.float32), burst(RATE)], axis=1)
    soundfile.write(tmp_path / "both.wav", both, RATE, subtype="PCM_16")
    user = {"kind": "player", "file": "both.wav", "channel": 1, "level": "keep"}
    session = play_session({"user": user, "agent": "silent"}, tmp_path)
    assert np.array_equal(session.said("user")[:RATE], burst(RATE))
    for wrong, sentence in ((None, "name one with"), (2, "no channel 2"), (-1, "no channel -1")):
        with pytest.raises(ScenarioError, match=rf"\$\.user\.file.*{sentence}"):
            scenario_of({"user": {**user, "channel": wrong}, "agent": "silent"}, tmp_path)


def test_a_clip_after_a_turn_starts_half_a_second_after_the_others_last_sound(tmp_path: Path) -> None:
    """`after: agent_turn`: 500 ms after the agent's end, to the tick."""
    agent = {"kind": "player", "file": speech(tmp_path, "agent.wav", 1.0), "at": "300ms", "level": "keep"}
    user = {"kind": "player", "clips": [{"file": speech(tmp_path, "user.wav", 0.5), "after": "agent_turn"}]}
    session = play_session({"user": user, "agent": agent, "duration": "4s"}, tmp_path)
    assert turns(session) == [round(1.8 * RATE)]


def test_a_repeating_clip_speaks_once_per_stretch_of_the_other(tmp_path: Path) -> None:
    """A turn that comes again knows the stretch it has spoken in: `every` is for speaking more often in one."""
    agent = {"kind": "player", "file": speech(tmp_path, "agent.wav", 3.0), "at": "0s", "level": "keep"}
    name = speech(tmp_path, "mhm.wav", 0.2)
    clip = {"file": name, "agent_speaking": "500ms", "repeat": True}
    data = {"agent": agent, "duration": "4s"}
    once = play_session({**data, "name": "once", "user": {"kind": "player", "clips": [clip]}}, tmp_path)
    assert turns(once) == [12_000]
    often = play_session(
        {**data, "name": "often", "user": {"kind": "player", "clips": [{**clip, "every": "1s"}]}}, tmp_path
    )
    assert turns(often) == [12_000, 36_000, 60_000]


def test_times_ends_a_repeating_clip_and_the_next_one_comes(tmp_path: Path) -> None:
    """`repeat: true, times: 2`: twice, then the script goes on."""
    agent = {"kind": "player", "file": speech(tmp_path, "agent.wav", 3.9), "at": "0s", "level": "keep"}
    short, other = speech(tmp_path, "mhm.wav", 0.1), speech(tmp_path, "other.wav", 0.2)
    first = {"file": short, "agent_speaking": "200ms", "every": "500ms", "repeat": True, "times": 2}
    user = {"kind": "player", "clips": [first, {"file": other, "at": "2s"}]}
    session = play_session({"user": user, "agent": agent, "duration": "4s"}, tmp_path)
    assert turns(session) == [4800, 16_800, 48_000]


def test_a_clip_at_a_time_that_repeats_is_a_loop(tmp_path: Path) -> None:
    """`at: 0s, repeat: true` says the recording over and over."""
    user = {"kind": "player", "clips": [{"file": speech(tmp_path, "loop.wav", 0.5), "at": "0s", "repeat": True}]}
    session = play_session({"user": user, "agent": "silent"}, tmp_path)
    assert turns(session) == [0, 12_000, 24_000, 36_000]


@pytest.mark.parametrize(
    ("user", "sentence"),
    [
        ({"clips": [{"file": "a.wav", "every": "1s", "agent_speaking": "1s"}]}, "repeat: true"),
        ({"clips": [{"file": "a.wav", "after": "user_turn"}]}, r"clips\[0\]: after is about the user itself"),
        ({"clips": [{"file": "a.wav"}], "at": "1s"}, "belong to `file`"),
        ({"file": "a.wav", "clips": [{"file": "a.wav"}]}, "exactly one of file and clips"),
        ({"file": "empty.wav"}, "is empty"),
        ({"file": "nan.wav"}, "not numbers"),
        ({"file": "fast.wav"}, "rate of 200000 Hz"),
    ],
)
def test_what_cannot_be_played_is_refused(tmp_path: Path, user: dict[str, Any], sentence: str) -> None:
    """Before anything starts, in one sentence."""
    speech(tmp_path, "a.wav", 0.2)
    soundfile.write(tmp_path / "empty.wav", np.zeros(0, np.float32), RATE)
    soundfile.write(tmp_path / "nan.wav", np.full(9, np.nan, np.float32), RATE, subtype="FLOAT")
    soundfile.write(tmp_path / "fast.wav", np.zeros(9, np.float32), 200_000)
    with pytest.raises(ScenarioError, match=sentence):
        scenario_of({"user": {"kind": "player", **user}, "agent": "silent"}, tmp_path)


def test_one_sample_is_a_recording(tmp_path: Path) -> None:
    """The shortest file there is plays, at any rate."""
    for rate in (RATE, 44_100):
        soundfile.write(tmp_path / f"{rate}.wav", np.full(1, 0.5, np.float32), rate)
        session = play_session(
            {"name": f"one {rate}", "user": {"kind": "player", "file": f"{rate}.wav"}, "agent": "silent"}, tmp_path
        )
        assert session.meta.status == "completed"
