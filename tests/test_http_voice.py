"""Rules of the http_voice responder: sessions against our own server, scripted ones that misbehave, and traces."""

import re
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.http_voice.npy_wire import decode_npy, encode_npy
from simulator.errors import RemoteError, ScenarioError
from simulator.session import Session
from simulator.testing import play_session, scenario_of
from tests.contracts.http_peers import Got, Json, Script, ask, scripted, served

SECRET = "bt-loopback-0123456789"
SAID = (0.2 * np.sign(np.sin(np.arange(8_000) / 8))).astype(np.float32)
ANSWER: Json = {"text": "of course", "audio_data": encode_npy(SAID[None, :])}
USER = {"kind": "scripted", "turns": [{"at": "100ms", "say": "hello there"}]}


def talk(url: str, folder: Path, **responder: Any) -> Session:
    """A session of a user who says hello with a voice server at `url`."""
    settings = {"ready_within": "0s", **responder}
    agent = {"kind": "turn_based", "ears": "level", "endpoint": "300ms",
             "responder": {"kind": "http_voice", "base_url": url, **settings}}  # fmt: skip
    return play_session({"user": USER, "agent": agent, "duration": "3s", "scorers": []}, folder)


def healthy(script: Script) -> Script:
    """A server that is well and answers POSTs by a script."""
    return lambda got: got.answer({"status": "healthy"}) if got.method == "GET" else script(got)


def types(session: Session) -> list[str]:
    """The agent's events."""
    return [event.type for event in session.events if event.party == "agent"]


def test_a_conversation_with_our_own_server(tmp_path: Path) -> None:
    """The turn is sent, the answer is heard, its text is told, both sides record."""
    actor = {"kind": "turn_based", "ears": "level", "endpoint": "300ms",
             "responder": {"kind": "rules", "rules": [{"say": "of course"}]}}  # fmt: skip
    with served(actor, "http_voice", tmp_path / "served") as url:
        session = talk(url, tmp_path)
    assert session.meta.status == "completed", session.meta.problem
    assert types(session) == ["turn_heard", "usage", "speech_start", "speech_end"]
    assert session.by_type["speech_start"][1].data["text"] == "of course"
    assert np.abs(session.said("agent")).max() > 0.05
    assert len(list((tmp_path / "served").glob("serve-*"))) == 1


def test_the_turn_that_is_sent_ends_where_the_user_fell_silent(tmp_path: Path) -> None:
    """The silence that told that it was over is our own waiting; the reply begins when that is known."""
    with scripted(healthy(lambda got: got.answer(ANSWER))) as (url, seen):
        session = talk(url, tmp_path)
    sent = decode_npy(seen[-1].json["audio_data"], longest=10**6)
    user = np.flatnonzero(session.said("user"))
    assert abs(len(sent) / 16_000 - (user[-1] / 24_000)) < 0.15
    heard = session.by_type["turn_heard"][0]
    agent = np.flatnonzero(session.said("agent"))
    assert 0 <= agent[0] - heard.at <= 48
    assert np.abs(len(agent) / 24_000 - 0.5) < 0.02
    assert session.by_type["usage"][0].data["input_s"] == pytest.approx(len(sent) / 16_000, abs=1e-3)


def test_a_text_alone_is_spoken_by_the_actors_voice(tmp_path: Path) -> None:
    """`modality: text`: the miner gives words and no sound, they are told and heard."""
    with scripted(healthy(lambda got: got.answer({"text": "in words"}))) as (url, seen):
        session = talk(url, tmp_path, modality="text")
    assert session.meta.status == "completed", session.meta.problem
    assert seen[-1].path == "/api/v1/v2t"
    assert session.by_type["speech_start"][1].data["text"] == "in words"
    assert np.abs(session.said("agent")).max() > 0.05


def test_an_older_server_is_found_by_its_404(tmp_path: Path) -> None:
    """v2v, then inference; a base URL may carry a path."""

    def old(got: Got) -> None:
        got.answer(ANSWER) if got.path.endswith("/inference") else got.answer({"detail": "Not Found"}, 404)

    with scripted(healthy(old)) as (url, seen):
        session = talk(url + "/miner/7/", tmp_path)
    assert session.meta.status == "completed"
    assert [got.path for got in seen] == [f"/miner/7/api/v1/{name}" for name in ("health", "v2v", "inference")]


def test_generation_v2_reads_sound_from_v2t(tmp_path: Path) -> None:
    """One dimension, on the text path."""
    with scripted(healthy(lambda got: got.answer(ANSWER))) as (url, seen):
        talk(url, tmp_path, generation="v2")
    assert seen[-1].path == "/api/v1/v2t"


def test_health_is_asked_until_it_is_well(tmp_path: Path) -> None:
    """Three paths in turn, any 200 will do; the last one here."""

    def script(got: Got) -> None:
        got.answer({}, 200 if got.path == "/" or got.method == "POST" else 503) if got.method == "GET" else got.answer(
            ANSWER
        )

    with scripted(script) as (url, seen):
        talk(url, tmp_path)
    assert [got.path for got in seen[:3]] == ["/api/v1/health", "/health", "/"]


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        (
            lambda got: got.answer({"status": "initializing"}, 503),
            "answered /api/v1/health with HTTP 503; it was not ready",
        ),
        (lambda got: got.answer({"detail": "no"}, 401), r"refused the key \(HTTP 401\)"),
        (healthy(lambda got: got.answer({"detail": "out of memory"}, 500)), r"\(HTTP 500: out of memory\)"),
        (healthy(lambda got: got.answer(b"<html>hello")), "with what is no JSON object"),
        (healthy(lambda got: got.answer({"text": "no sound"})), "without audio_data"),
        (healthy(lambda got: got.begin()), r"broke off its answer after 10 bytes|closed the connection"),
        (healthy(lambda got: got.vanish()), r"closed the connection without an answer|broke the connection"),
    ],
)
def test_a_server_that_misbehaves_fails_the_session_with_a_sentence(
    tmp_path: Path, script: Script, complaint: str
) -> None:
    """The folder is readable and names the server and what it did."""
    with scripted(script) as (url, _):
        session = talk(url, tmp_path)
    assert session.meta.status == "failed"
    assert (session.meta.problem or "").startswith(f"http_voice at {url} ")
    assert re.search(complaint, session.meta.problem or ""), session.meta.problem


def test_a_server_that_is_not_there_or_stalls(tmp_path: Path) -> None:
    """Refused connections and time limits are told."""
    with scripted(lambda got: None) as (url, _):
        pass
    assert "cannot be reached at 127.0.0.1:" in (talk(url, tmp_path / "gone").meta.problem or "")
    leave = threading.Event()

    def stall(got: Got) -> None:
        leave.wait(5)

    with scripted(healthy(stall)) as (url, _):
        problem = talk(url, tmp_path / "stalls", timeout="200ms").meta.problem
        leave.set()
    assert "did not answer within 0.2 s" in (problem or "")


def test_a_recorded_session_is_replayed_without_the_server(tmp_path: Path) -> None:
    """Two replays give the same bytes and the recorded agent channel; other audio is told as trace_diverged."""
    with scripted(healthy(lambda got: got.answer(ANSWER))) as (url, seen):
        first = talk(url, tmp_path)
        asked = len(seen)
        replay = {"kind": "replay_trace", "file": str(first.folder)}
        again = [play_session({"user": USER, "agent": replay, "duration": "3s", "scorers": []}, tmp_path / name)
                 for name in ("a", "b")]  # fmt: skip
        other = play_session({"user": "silent", "agent": replay, "duration": "3s", "scorers": []}, tmp_path / "c")
        assert len(seen) == asked
    for session in again:
        assert np.array_equal(session.said("agent"), first.said("agent"))
    files = [(session.folder / name).read_bytes() for session in again for name in ("conversation.wav", "events.jsonl")]
    assert files[:2] == files[2:]
    assert "trace_diverged" in types(other)
    assert np.array_equal(other.said("agent"), first.said("agent"))


def test_no_secret_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """${NAME} stays as it is, also when the server quotes the key."""
    monkeypatch.setenv("TEST_KEY", SECRET)

    def script(got: Got) -> None:
        assert got.headers["authorization"] == f"Bearer {SECRET}"
        got.answer({"detail": f"bad key {SECRET}"}, 500)

    with scripted(healthy(script)) as (url, _):
        session = talk(url, tmp_path, token="${TEST_KEY}")
    assert "bad key ${TEST_KEY}" in (session.meta.problem or "")
    for file in session.folder.iterdir():
        assert SECRET.encode() not in file.read_bytes(), file


@pytest.mark.parametrize(
    ("responder", "complaint"),
    [
        ({"base_url": "ftp://host"}, r"\$.agent.responder.base_url: expected http://host:port"),
        ({"base_url": "host:8000"}, r"\$.agent.responder.base_url"),
        ({"base_url": "http://h", "token": "written-out"}, r"\$.agent.responder.token: write it as \$\{NAME\}"),
        ({"base_url": "http://h", "generation": "v9"}, r"\$.agent.responder.generation"),
        ({"base_url": "http://h", "generation": "v1", "modality": "text"}, "which v1 does not have"),
        ({"base_url": "http://h", "nonsense": 1}, "nonsense"),
    ],
)
def test_a_spec_that_cannot_work_is_refused(tmp_path: Path, responder: Json, complaint: str) -> None:
    """Before anything connects."""
    agent = {"kind": "turn_based", "responder": {"kind": "http_voice", **responder}}
    with pytest.raises(ScenarioError, match=complaint):
        scenario_of({"user": "silent", "agent": agent}, tmp_path)


def test_a_probe_says_what_it_found(tmp_path: Path) -> None:
    """Healthy, and an answer came; or the sentence that says what is wrong."""
    import anyio

    from agents.http_voice.responder import HttpVoiceSpec

    with served({"kind": "silent"}, "http_voice", tmp_path, patience="200ms") as url:
        assert "is healthy; v4 answered half a second of silence with" in anyio.run(HttpVoiceSpec(base_url=url).probe)
        assert ask(url, "/health")[0] == 200
    with scripted(lambda got: got.answer({}, 401)) as (url, _), pytest.raises(RemoteError, match="refused the key"):
        anyio.run(HttpVoiceSpec(base_url=url).probe)
