"""Replays: a recorded party before another agent, sample for sample."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from simulator.cli import main
from simulator.errors import ScenarioError
from simulator.session import read_session
from simulator.testing import burst, play_session, scenario_of

CALL: dict[str, Any] = {
    "name": "call",
    "duration": "9s",
    "user": {"kind": "scripted", "turns": ["Hello there.", {"after": "agent_turn", "say": "A table for two, please."}]},
    "agent": {
        "kind": "scripted",
        "turns": [{"after": "user_turn", "say": "Good evening."}, {"after": "user_turn", "say": "Of course."}],
    },
    "injectors": [{"kind": "backchannel", "cue": {"agent_speaking": "400ms", "times": 1}, "say": "mm-hm"}],
    "lines": {"user_to_agent": [{"kind": "noise", "color": "pink", "snr_db": 20}]},
    "seed": 3,
}


def replayed(folder: Path, **fields: Any) -> dict[str, Any]:
    """The same call with its recorded user; what was injected is part of the recording."""
    user = {"kind": "replay", "session": str(folder / "call-0")}
    return CALL | {"name": "again", "user": user, "injectors": []} | fields


def test_a_replay_against_the_same_agent_gives_the_same_conversation(tmp_path: Path) -> None:
    """Both tracks, what both heard, and what is known of both parties' utterances are those of the recording."""
    call = play_session(CALL, tmp_path)
    again = play_session(replayed(tmp_path), tmp_path)
    for party in ("user", "agent"):
        assert np.array_equal(call.said(party), again.said(party))
        assert np.array_equal(call.heard(party), again.heard(party))
    assert [event for event in again.events if event.type in ("speech_start", "speech_end")] == [
        event for event in call.events if event.type in ("speech_start", "speech_end")
    ]


def test_the_user_of_a_replay_does_not_react(tmp_path: Path) -> None:
    """Against another agent the user's track stays as it was recorded."""
    call = play_session(CALL, tmp_path)
    again = play_session(replayed(tmp_path, agent="silent"), tmp_path)
    assert np.array_equal(call.said("user"), again.said("user"))
    assert not again.said("agent").any()


def test_a_session_replayed_at_another_rate_keeps_its_times(tmp_path: Path) -> None:
    """Sound and events are carried over to the new rate."""
    call = play_session(CALL, tmp_path)
    again = play_session(replayed(tmp_path, sample_rate=16_000, agent="silent"), tmp_path)
    begun = [event for event in call.by_type["speech_start"] if event.party == "user"]
    carried = again.by_type["speech_start"]
    assert [event.at for event in carried] == [round(event.at * 2 / 3) for event in begun]
    assert [word for event in carried for word, _ in event.words] == [
        word for event in begun for word, _ in event.words
    ]


def test_the_agents_track_may_be_replayed_too(tmp_path: Path) -> None:
    """`party` says whose track; without it that of the side it plays."""
    call = play_session(CALL, tmp_path)
    session = str(tmp_path / "call-0")
    swapped = play_session(
        {
            "name": "swapped",
            "duration": "9s",
            "user": {"kind": "replay", "session": session, "party": "agent"},
            "agent": {"kind": "replay", "session": session},
        },
        tmp_path,
    )
    assert np.array_equal(swapped.said("user"), call.said("agent"))
    assert np.array_equal(swapped.said("agent"), call.said("agent"))


def test_a_channel_of_any_recording_may_be_replayed(tmp_path: Path) -> None:
    """A stereo file of anybody, at its own level."""
    both = np.stack([burst(24_000), burst(24_000, 1)], axis=1)
    soundfile.write(tmp_path / "both.wav", both, 24_000, subtype="PCM_16")
    session = play_session({"user": {"kind": "replay", "file": "both.wav", "channel": 1}, "agent": "silent"}, tmp_path)
    assert np.array_equal(session.said("user")[:24_000], burst(24_000, 1))


def test_duration_may_end_with_the_recording(tmp_path: Path) -> None:
    """A replay is done when its track is over: `{after: user, tail: 1s}`."""
    soundfile.write(tmp_path / "one.wav", burst(24_000), 24_000, subtype="PCM_16")
    data = {
        "user": {"kind": "replay", "file": "one.wav"},
        "agent": "silent",
        "duration": {"after": "user", "tail": "1s"},
    }
    assert play_session(data, tmp_path).duration == 48_000


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "exactly one of session and file"),
        ({"session": "."}, r"\$\.user\.session: .*not a session folder"),
        ({"file": "nothing.wav"}, r"\$\.user\.file: .*does not exist"),
    ],
)
def test_what_cannot_be_replayed_is_refused(tmp_path: Path, fields: dict[str, Any], sentence: str) -> None:
    """Before anything starts, with the place in the file."""
    with pytest.raises(ScenarioError, match=sentence):
        scenario_of({"user": {"kind": "replay", **fields}, "agent": "silent"}, tmp_path)


def test_the_other_agents_file_may_name_files_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths in `--agent other.yaml` are relative to that file, wherever the run goes and whoever stands where."""
    play_session(CALL, tmp_path)
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    soundfile.write(folder / "one.wav", burst(24_000), 24_000)
    (folder / "other.yaml").write_text("agent: {kind: player, file: one.wav}\n")
    monkeypatch.chdir(tmp_path)
    assert main(["replay", "call-0", "--agent", "elsewhere/other.yaml", "--out", "again"]) == 0
    session = read_session(tmp_path / "again" / "replay-of-call-0-0")
    assert session.said("agent").any()
    assert [path.name for path in tmp_path.glob(".*")] == []
