"""A live conversation at a sound device: two null sinks of PulseAudio, whose start-up stall must not shift anything."""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from simulator.session import read_session
from tests.live_browser import caller, talk, wait_until
from tests.live_counter import caught, misplaced_s
from tests.live_pulse import missing, sound_server
from tests.live_tap import captured

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(missing()), reason=str(missing()))]


def test_a_conversation_at_a_device_is_heard_answered_and_placed(tmp_path: Path) -> None:
    """The caller is understood and lies where the frame counter says; the agent comes out of the loudspeaker."""
    said = caller(tmp_path / "caller.wav", 30, 24_000, first_s=5.0, every_s=6.0)
    arguments = ("--audio", "device", "--set", "duration=32s")
    with sound_server(tmp_path) as sound, talk(tmp_path, *arguments, **sound) as process:
        wait_until(lambda: "a click did not come back" in process.lines, 40)
        environment = {**os.environ, **sound}
        heard = tmp_path / "heard.raw"
        recording = ["parec", "--device=speaker.monitor", "--raw", "--rate=24000", "--channels=1", str(heard)]
        playing = ["paplay", "--device=mouth", str(tmp_path / "caller.wav")]
        helpers = [subprocess.Popen(command, env=environment) for command in (recording, playing)]
        assert process.process.wait(90) == 0, process.lines
        for helper in helpers:
            helper.terminate()
            helper.wait(10)
    session = read_session(tmp_path / "run" / "talk-to-the-cascade-0")
    understood = " ".join(event.data["text"].lower() for event in session.by_type["recognised"])
    assert "good evening" in understood
    off = misplaced_s(session, caught(said, captured(process.microphone), session.sample_rate))
    assert len(off) >= 2 and max(map(abs, off)) < 0.04, off
    loudspeaker = np.fromfile(heard, "<i2").astype(np.float32) / 32768
    assert np.abs(loudspeaker).max() > 0.05
    stalls = [event.data["size"] for event in session.by_type.get("underrun", []) if event.party == "user"]
    assert max(stalls, default=0) < 24_000, "the stall of the driver lies before the session"


def test_a_click_measures_the_way_through_a_loopback(tmp_path: Path) -> None:
    """With the loudspeaker as the microphone the click comes back, and the session says how long it took."""
    with sound_server(tmp_path) as sound:
        arguments = ("--audio", "device", "--set", "duration=2s", "--set", "agent=silent", "--set", "scorers=[]")
        with talk(tmp_path, *arguments, PULSE_SOURCE="speaker.monitor", **sound) as process:
            assert process.process.wait(60) == 0, process.lines
    session = read_session(tmp_path / "run" / "talk-to-the-cascade-0")
    (delay,) = session.by_type["mouth_to_ear"]
    assert 50 < delay.data["round_trip_ms"] < 600
