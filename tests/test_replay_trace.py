"""Rules of traces and of their replay: what was recorded over a wire is said again without it."""

import json
from pathlib import Path
from typing import Any

import pytest

from agents.moshi.protocol import FRAME
from agents.remote.trace import read_trace
from simulator.errors import ScenarioError
from simulator.session import Session
from simulator.testing import play_session, scenario_of
from tests.contracts.moshi_peers import answering, numbers, scripted

LOGS = Path(__file__).parent / "data" / "moshi"


def replayed(trace: Path, folder: Path, *, user: Any = "silent", duration: str = "800ms", **settings: Any) -> Session:
    """A session in which a trace plays the agent."""
    agent = {"kind": "replay_trace", "file": str(trace), **settings}
    return play_session({"user": user, "agent": agent, "duration": duration}, folder)


def recorded(folder: Path, *, user: Any = "silent", **fields: Any) -> Session:
    """A session with a scripted server, recorded."""
    with scripted(answering("moshi")) as url:
        agent = {"kind": "moshi", "url": url, "drain": "50ms"}
        return play_session({"user": user, "agent": agent, "duration": "1.6s", **fields}, folder)


@pytest.mark.parametrize(("log", "first"), [("moshi", 2), ("personaplex", 2), ("rust", 3)])
def test_the_recorded_servers_speak_again(tmp_path: Path, log: str, first: int) -> None:
    """Each server's bytes give its frames, each at the place its count gives it."""
    session = replayed(LOGS / f"{log}.jsonl", tmp_path)
    assert session.meta.status == "completed"
    assert numbers(session.said("agent")) == ([-1] * first + list(range(8)))[:10]


def test_two_replays_give_the_same_bytes_and_the_recorded_channel(tmp_path: Path) -> None:
    """On the virtual clock a replay is the recorded session: sound and events of the agent."""
    original = recorded(tmp_path / "original")
    first = replayed(original.folder, tmp_path / "first", duration="1.6s")
    second = replayed(original.folder, tmp_path / "second", duration="1.6s")
    for file in ("conversation.wav", "events.jsonl"):
        assert (first.folder / file).read_bytes() == (second.folder / file).read_bytes()
        assert (first.folder / file).read_bytes() == (original.folder / file).read_bytes()


@pytest.mark.slow
def test_a_paced_session_replays_by_time(tmp_path: Path) -> None:
    """What was heard on the wall clock, gaps included, is what the replay says, at the same samples."""
    original = recorded(tmp_path / "original", clock="wall")
    replay = replayed(original.folder, tmp_path / "replay", duration="1.6s")
    assert (replay.said("agent") == original.said("agent")).all()
    # A paced actor may still hear the very last frame, whose answer nobody waits for.
    assert [event for event in replay.events if event.at < original.duration] == [
        event for event in original.events if event.at < original.duration
    ]


@pytest.mark.slow
def test_another_placement_lays_a_paced_session_end_to_end(tmp_path: Path) -> None:
    """The contiguous rendering of a recorded session is made from its trace afterwards."""
    original = recorded(tmp_path / "original", clock="wall")
    replay = replayed(original.folder, tmp_path / "replay", duration="1.6s", set={"placement": "contiguous"})
    assert numbers(replay.said("agent")) == [-1, -1, *range(18)]


def test_a_recorded_session_is_laid_as_the_benchmarks_client_lays_it(tmp_path: Path) -> None:
    """Replayed as fdb: one zero frame, then end to end, each frame beside the one of the user's that it answers."""
    original = recorded(tmp_path / "original")
    replay = replayed(original.folder, tmp_path / "replay", duration="1.6s", set={"placement": "fdb"})
    assert numbers(original.said("agent")) == [-1, -1, *range(18)]
    assert numbers(replay.said("agent")) == [-1, *range(18), -1]
    beside = [(event.model_at // FRAME, event.text) for event in replay.events if event.type == "text"]
    assert beside[:3] == [(1, " 1"), (2, " 2"), (3, " 3")]


def test_other_audio_is_noticed(tmp_path: Path) -> None:
    """A user that says something else than at the recording: an event, the session goes on; strict fails it."""
    other = {"kind": "scripted", "turns": [{"at": "0s", "say": "something else entirely"}]}
    original = recorded(tmp_path / "original")
    lenient = replayed(original.folder, tmp_path / "lenient", user=other, duration="1.6s")
    strict = replayed(original.folder, tmp_path / "strict", user=other, duration="1.6s", strict=True)
    assert [event.data for event in lenient.events if event.type == "trace_diverged"] == [{"agreed_s": 0.0}]
    assert lenient.meta.status == "completed"
    assert strict.meta.status == "failed"
    assert "against other audio from about 0.00 s on" in (strict.meta.problem or "")


def test_a_recorded_failure_fails_again(tmp_path: Path) -> None:
    """A session that its server left early is left early in the replay, and says so."""
    with scripted(answering("moshi", stop_after=3)) as url:
        agent = {"kind": "moshi", "url": url}
        original = play_session({"user": "silent", "agent": agent, "duration": "1s"}, tmp_path / "original")
    replay = replayed(original.folder, tmp_path / "replay", duration="1s")
    assert (original.meta.status, replay.meta.status) == ("failed", "failed")
    assert original.meta.problem is not None
    assert "ended the session after 3 of 4 frames owed (code 1000)" in original.meta.problem
    assert "ended the session after 3 of 4 frames owed (code 1000)" in (replay.meta.problem or "")


def test_a_trace_says_what_was_heard_how_and_with_which_spec(tmp_path: Path) -> None:
    """The header names protocol, spec and rates; records are in order; the last one hashes all that was heard."""
    trace = read_trace(recorded(tmp_path).folder)
    assert (trace.header.protocol, trace.header.frame_samples) == ("moshi", FRAME)
    assert trace.header.spec["placement"] == "contiguous"
    assert [record.at for record in trace.records] == sorted(record.at for record in trace.records)
    assert [record.samples for record in trace.records if record.dir == "heard"] == [13 * FRAME, 19 * FRAME]
    assert trace.received()[0].payload == b"\x00"


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        ([], "no trace of a party"),
        (['{"trace": 1}'], "line 1 is not a trace record"),
        (["nonsense"], "line 1 is not a trace record"),
        ([{"trace": 9}], "trace format 9 is newer"),
        ([{}, {"party": "user"}], "holds traces of both parties"),
        ([{"spec": {"kind": "silent"}}], "kind 'silent' cannot replay its traces"),
        ([{"spec": {"kind": "nothing"}}], "'nothing' is not installed"),
    ],
)
def test_a_file_that_is_no_trace_is_refused(tmp_path: Path, lines: list[Any], complaint: str) -> None:
    """Before anything runs, in a sentence."""
    header = json.loads((LOGS / "moshi.jsonl").read_text().splitlines()[0])
    file = tmp_path / "trace.jsonl"
    file.write_text("".join((line if isinstance(line, str) else json.dumps(header | line)) + "\n" for line in lines))
    with pytest.raises(ScenarioError, match=complaint):
        scenario_of({"user": "silent", "agent": {"kind": "replay_trace", "file": str(file)}}, tmp_path)


def test_a_half_written_last_line_is_left_out(tmp_path: Path) -> None:
    """A killed run's trace is read up to its last whole line."""
    file = tmp_path / "trace.jsonl"
    file.write_bytes((LOGS / "moshi.jsonl").read_bytes() + b'{"party": "agent", "at": 19')
    assert len(read_trace(file).records) == 17


def test_a_replay_needs_the_virtual_clock(tmp_path: Path) -> None:
    """A trace has its own time."""
    agent = {"kind": "replay_trace", "file": str(LOGS / "moshi.jsonl")}
    with pytest.raises(ScenarioError, match="replayed on the virtual clock"):
        scenario_of({"user": "silent", "agent": agent, "clock": "wall"}, tmp_path)
