"""Scripts: in which role a turn is said, at its cue."""

from pathlib import Path
from typing import Any

import pytest

from simulator.testing import play_session
from simulator.testing.sessions import burst

RATE = 24_000


def roles(folder: Path, cue: dict[str, Any], agent: Any) -> list[str]:
    """Give the roles in which a caller said a greeting, and a turn at a cue."""
    turns = ["Hello.", {**cue, "say": "Wait, please."}]
    session = play_session({"user": {"kind": "scripted", "turns": turns}, "agent": agent, "duration": "7s"}, folder)
    return [event.data["role"] for event in session.by_type["speech_start"] if event.party == "user"]


@pytest.fixture
def talker(tmp_path: Path) -> dict[str, Any]:
    """An agent that makes sound from 2 s to 6 s."""
    import soundfile

    soundfile.write(tmp_path / "talk.wav", burst(4 * RATE), RATE, subtype="PCM_16")
    return {"kind": "player", "level": "keep", "clips": [{"file": "talk.wav", "at": "2s"}]}


def test_a_turn_that_waits_for_the_other_to_speak_is_an_interruption(tmp_path: Path, talker: dict[str, Any]) -> None:
    """It was meant to be said over the other's speech, and was."""
    assert roles(tmp_path, {"agent_speaking": "1s"}, talker) == ["turn", "interruption"]


@pytest.mark.parametrize("cue", [{"at": "3s"}, {"after": "agent_turn", "at_latest": "1s"}])
def test_a_turn_at_any_other_cue_is_a_turn(tmp_path: Path, talker: dict[str, Any], cue: dict[str, Any]) -> None:
    """Also where it happens to fall over the other's speech: nobody asked for that."""
    assert roles(tmp_path, cue, talker) == ["turn", "turn"]


def test_a_turn_that_came_at_last_to_a_silent_agent_interrupts_nobody(tmp_path: Path) -> None:
    """`at_latest` says it into silence."""
    assert roles(tmp_path, {"agent_speaking": "1s", "at_latest": "2s"}, "silent") == ["turn", "turn"]
