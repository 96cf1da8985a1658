"""Rules of the chat_audio responder: sessions against our own server, scripted ones that misbehave, and traces."""

import json
import re
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulator.errors import RemoteError, ScenarioError
from simulator.session import Session
from simulator.testing import play_session, scenario_of
from tests.contracts.http_peers import Got, Json, Script, scripted, served, sound_in, wav

SECRET = "sk-loopback-0123456789"
TONE = (0.2 * np.sign(np.sin(np.arange(8_000) / 8))).astype(np.float32)
USER: Json = {"kind": "scripted", "turns": [{"at": "100ms", "say": "hello there"}]}
ANSWERING: Json = {
    "kind": "turn_based",
    "endpoint": "300ms",
    "ears": "level",
    "responder": {"kind": "rules", "rules": [{"say": ["of course", "as I said"]}]},
}
FRAMES = {
    "frame_idx": [0, 1, 2],
    "agent_stream_token": [12, 12, 7],
    "agent_stream_decoded": ["<SPECIAL_12>"] * 2 + [" yes"],
    "asr_stream_token": [3, 12, 12],
    "asr_stream_decoded": [" hello", "<SPECIAL_12>", "<SPECIAL_12>"],
}


def agent_at(url: str, **responder: Any) -> Json:
    """A turn-based agent that asks a server."""
    return {
        "kind": "turn_based",
        "ears": "level",
        "endpoint": "300ms",
        "responder": {"kind": "chat_audio", "base_url": f"{url}/v1", "model": "test", **responder},
    }


def talk(url: str, folder: Path, user: Any = USER, duration: str = "3s", **responder: Any) -> Session:
    """A session of a user with a server at `url`."""
    scenario = {"user": user, "agent": agent_at(url, **responder), "duration": duration, "scorers": []}
    return play_session(scenario, folder)


def completion(samples: Any = None, text: str = "of course", **fields: Any) -> Json:
    """A chat.completion."""
    message: Json = {"role": "assistant", "content": text}
    if samples is not None:
        message["audio"] = {"data": wav(samples), "format": "wav"}
    return {"id": "1", "choices": [{"index": 0, "message": message}], **fields}


def types(session: Session) -> list[str]:
    """The agent's events."""
    return [event.type for event in session.events if event.party == "agent"]


def asked_sound(got: Got) -> tuple[np.ndarray[Any, Any], int]:
    """The last sound of a request."""
    return sound_in(got.json["messages"][-1]["content"][-1]["input_audio"]["data"])


def test_a_conversation_with_our_own_server(tmp_path: Path) -> None:
    """Two turns in one dialogue of the server, which knows that the second is a second one."""
    user = {
        "kind": "scripted",
        "turns": [{"at": "100ms", "say": "hello there"}, {"after": "agent_turn", "say": "really?"}],
    }
    with served(ANSWERING, "chat_audio", tmp_path / "served", patience="1s", quiet="300ms") as url:
        session = talk(url, tmp_path, user, "6s")
    assert session.meta.status == "completed", session.meta.problem
    said = [event.data["text"] for event in session.by_type["speech_start"] if event.party == "agent"]
    assert said == ["of course", "as I said"]
    first, second = session.by_type["reply_received"]
    assert first.data["session_id"] == second.data["session_id"]
    assert "early_reply_dropped" not in session.by_type
    assert len(session.by_type["frame_alignment"]) == len(session.by_type["debug_info"]) == 2
    assert len(list((tmp_path / "served").glob("serve-*"))) == 1
    assert session.said("agent").any()


def test_the_turn_that_is_sent_ends_where_the_user_fell_silent(tmp_path: Path) -> None:
    """And the reply is heard from the moment that is known, at its own length."""
    with scripted(lambda got: got.answer(completion(TONE, usage={"prompt_tokens": 9, "completion_tokens": 2}))) as (
        url,
        seen,
    ):
        session = talk(url, tmp_path, seeded=False, max_tokens=50)
    samples, rate = asked_sound(seen[0])
    user, agent = np.flatnonzero(session.said("user")), np.flatnonzero(session.said("agent"))
    assert abs(len(samples) / rate - user[-1] / 24_000) < 0.15
    assert 0 <= agent[0] - session.by_type["turn_heard"][0].at <= 48
    assert len(agent) / 24_000 == pytest.approx(0.5, abs=0.01)
    assert seen[0].path == "/v1/chat/completions"
    assert {name: value for name, value in seen[0].json.items() if name != "messages"} == {
        "model": "test",
        "max_tokens": 50,
    }
    usage = session.by_type["usage"][0].data
    assert (usage["input_text_tokens"], usage["output_text_tokens"], usage["model"]) == (9, 2, "test")


def test_a_reply_that_lies_wholly_before_the_end_of_the_turn_is_told(tmp_path: Path) -> None:
    """Nothing of it is heard, and an event says so."""

    def script(got: Got) -> None:
        samples, _ = asked_sound(got)
        text = "of course\n<debug_info>" + json.dumps({"frame_alignment": FRAMES}) + "</debug_info>"
        got.answer(completion(np.concatenate([TONE[:4_000], np.zeros(len(samples))]), text))

    with scripted(script) as (url, _):
        session = talk(url, tmp_path)
    assert session.meta.status == "completed", session.meta.problem
    assert session.by_type["early_reply_dropped"][0].data["dropped_s"] == pytest.approx(0.25, abs=0.03)
    assert not session.said("agent").any()


def test_sound_that_a_server_placed_before_the_end_of_the_turn_is_not_heard(tmp_path: Path) -> None:
    """An event says how much; stamps, debug_info, both token streams and what was understood are told."""

    def script(got: Got) -> None:
        samples, _ = asked_sound(got)
        agent = np.concatenate([np.zeros(len(samples) - 4_000), TONE[:4_000], np.zeros(1_600), TONE])
        stereo = np.stack([np.zeros(len(agent)), agent], axis=1)
        text = "<|0.24|> of<$0.4$> course\n<debug_info>" + json.dumps({"asr_text": "hello", "frame_alignment": FRAMES})
        got.answer(completion(stereo, text + "</debug_info>", session_id="abc"))

    with scripted(script) as (url, _):
        session = talk(url, tmp_path)
    assert session.meta.status == "completed", session.meta.problem
    assert session.by_type["early_reply_dropped"][0].data["dropped_s"] == pytest.approx(0.25, abs=0.03)
    agent = np.flatnonzero(session.said("agent"))
    at = session.by_type["turn_heard"][0].at
    assert (agent[0] - at) / 24_000 == pytest.approx(0.1, abs=0.01)
    told = session.by_type["reply_received"][0].data
    assert (told["text"], told["stamps"]) == ("of course", [["open", 0.24], ["close", 0.4]])
    assert session.by_type["frame_alignment"][0].data["frames"] == FRAMES
    transcript = session.by_type["transcript"][0].data
    assert (transcript["of"], transcript["text"]) == ("user", "hello")
    assert session.by_type["debug_info"][0].data["heard_since"] == 0


def test_a_base_url_may_carry_a_query(tmp_path: Path) -> None:
    """It stays behind the path, and what looks like a key in it is masked in what is written."""
    with scripted(lambda got: got.answer(completion(), 500)) as (url, seen):
        agent = agent_at(url)
        agent["responder"]["base_url"] = f"{url}/v1?api_key=written-out&region=x"
        session = play_session({"user": USER, "agent": agent, "duration": "3s", "scorers": []}, tmp_path)
    assert seen[0].path == "/v1/chat/completions?api_key=written-out&region=x"
    assert "api_key=***&region=x refused" in (session.meta.problem or "")
    assert all(b"written-out" not in file.read_bytes() for file in session.folder.iterdir())


def test_an_answer_of_text_alone_is_spoken(tmp_path: Path) -> None:
    """With the actor's own voice."""
    with scripted(lambda got: got.answer(completion())) as (url, _):
        session = talk(url, tmp_path)
    start = next(event for event in session.by_type["speech_start"] if event.party == "agent")
    assert start.data["text"] == "of course"
    assert [word for word, _ in start.data["words"]] == ["of", "course"]


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        (
            lambda got: got.answer({"error": {"message": "Incorrect API key provided"}}, 401),
            r"refused the key \(HTTP 401: Inc",
        ),
        (
            lambda got: got.answer({"detail": "Request must have either text or audio input"}, 400),
            r"\(HTTP 400: Request must",
        ),
        (lambda got: got.answer({"detail": "Model not loaded"}, 503), r"\(HTTP 503: Model not loaded\)"),
        (lambda got: got.answer(b"Internal Server Error", 500), r"\(HTTP 500: Internal Server Error\)"),
        (lambda got: got.answer(b"<html>hello"), "what is no JSON object"),
        (lambda got: got.answer({"choices": []}), r"without choices\[0\].message"),
        (
            lambda got: got.answer(completion() | {"choices": [{"message": {"audio": {"data": "####"}}}]}),
            "is not base64",
        ),
        (lambda got: got.begin(), "broke off its answer"),
        (lambda got: got.vanish(), "broke off its answer"),
    ],
)
def test_a_server_that_misbehaves_fails_the_session_with_a_sentence(
    tmp_path: Path, script: Script, complaint: str
) -> None:
    """The folder is readable and names the server and what it did; nothing is asked twice."""
    with scripted(script) as (url, seen):
        session = talk(url, tmp_path)
    assert (session.meta.status, len(seen)) == ("failed", 1)
    assert (session.meta.problem or "").startswith(f"chat_audio at {url}/v1 ")
    assert re.search(complaint, session.meta.problem or ""), session.meta.problem
    assert session.said("user").any()


def test_a_server_that_is_not_there_or_stalls(tmp_path: Path) -> None:
    """Refused connections and time limits are told."""
    with scripted(lambda got: None) as (url, _):
        pass
    assert "cannot be reached" in (talk(url, tmp_path / "gone").meta.problem or "")
    leave = threading.Event()

    def stall(got: Got) -> None:
        leave.wait(5)

    with scripted(stall) as (url, _):
        problem = talk(url, tmp_path / "stalls", timeout="200ms").meta.problem
        leave.set()
    assert "did not answer within 0.2 s" in (problem or "")


def test_a_recorded_session_is_replayed_without_the_server(tmp_path: Path) -> None:
    """Two replays give the same bytes and the recorded agent channel, yields included."""
    user = {
        "kind": "scripted",
        "turns": [
            {"at": "100ms", "say": "hello there"},
            {"agent_speaking": "300ms", "say": "wait, stop, that is not what I meant"},
        ],
    }
    with scripted(lambda got: got.answer(completion(np.tile(TONE, 6)))) as (url, seen):
        first = talk(url, tmp_path, user, "5s")
        asked = len(seen)
        replay = {"kind": "replay_trace", "file": str(first.folder)}
        again = [
            play_session({"user": user, "agent": replay, "duration": "5s", "scorers": []}, tmp_path / name)
            for name in ("a", "b")
        ]
        assert (len(seen), asked) == (2, 2)
    assert "yielded" in types(first)
    for session in again:
        assert session.meta.status == "completed", session.meta.problem
        assert np.array_equal(session.said("agent"), first.said("agent"))
        assert [name for name in types(session) if name.startswith("speech")] == [
            name for name in types(first) if name.startswith("speech")
        ]
    files = [(session.folder / name).read_bytes() for session in again for name in ("conversation.wav", "events.jsonl")]
    assert files[:2] == files[2:]


def test_no_secret_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key goes to the server and nowhere else, also when the server quotes it."""
    monkeypatch.setenv("TEST_KEY", SECRET)

    def script(got: Got) -> None:
        assert got.headers["authorization"] == f"Bearer {SECRET}"
        got.answer({"detail": f"bad key {SECRET}"}, 500)

    with scripted(script) as (url, _):
        session = talk(url, tmp_path, api_key_env="TEST_KEY")
    assert "bad key ${TEST_KEY}" in (session.meta.problem or "")
    for file in session.folder.iterdir():
        assert SECRET.encode() not in file.read_bytes(), file


def player(folder: Path, **keys: Any) -> Json:
    """A player of a recording of two seconds with sound from 0.2 to 1 s."""
    import soundfile

    samples = np.zeros(32_000, np.float32)
    samples[3_200:16_000] = np.random.default_rng(1).standard_normal(12_800) * 0.05
    folder.mkdir(exist_ok=True)
    soundfile.write(folder / "caller.wav", samples, 16_000)
    return {"kind": "player", "file": str(folder / "caller.wav"), "level": "keep", **keys}


def whole_reply(samples: np.ndarray[Any, Any], begin_s: float, length_s: float) -> Json:
    """An answer beside a question of these samples: sound from begin_s on."""
    agent = np.zeros(max(len(samples), round((begin_s + length_s) * 16_000)))
    agent[round(begin_s * 16_000) : round((begin_s + length_s) * 16_000)] = 0.1
    left = np.zeros(len(agent))
    left[: len(samples)] = samples[:, 0]
    text = f"<|{begin_s}|> yes<${begin_s + length_s}$>"
    return completion(np.stack([left, agent], axis=1), text, debug_info={"total_frames": 3, "frame_alignment": FRAMES})


def test_a_whole_track_is_asked_once_and_its_reply_laid_beside_it(tmp_path: Path) -> None:
    """From sample 0, also under the user's speech; offline, with no response latencies."""
    with scripted(lambda got: got.answer(whole_reply(asked_sound(got)[0], 0.4, 1.0))) as (url, seen):
        scenario = {"user": player(tmp_path), "agent": agent_at(url, request="whole"), "duration": "3s", "scorers": []}
        session = play_session(scenario, tmp_path)
        replay = {"kind": "replay_trace", "file": str(session.folder)}
        again = play_session({**scenario, "agent": replay}, tmp_path / "again")
    assert session.meta.status == "completed", session.meta.problem
    assert (session.meta.offline, len(seen)) == (True, 1)
    samples, rate = asked_sound(seen[0])
    assert len(samples) / rate == pytest.approx(2.0, abs=0.03)
    assert (np.flatnonzero(np.abs(samples[:, 0]) > 0.01)[0] / rate) == pytest.approx(0.2, abs=0.01)
    agent = np.flatnonzero(np.abs(session.said("agent")) > 0.05) / 24_000
    assert agent[0] == pytest.approx(0.4, abs=0.005) and agent[-1] == pytest.approx(1.4, abs=0.005)
    told = session.by_type["reply_received"][0]
    assert (told.at, told.data["since"], told.data["stamps"]) == (0, 0, [["open", 0.4], ["close", 1.4]])
    assert session.by_type["frame_alignment"][0].data["since"] == 0
    assert "track_diverged" not in session.by_type
    assert np.array_equal(again.said("agent"), session.said("agent"))
    assert again.meta.offline

    from metrics.latency import LatencySpec

    scores = {score.id: score for score in LatencySpec().build().score(session)}
    assert scores["latency.response_p50_s"].value is None
    assert "before the session" in (scores["latency.response_p50_s"].reason or "")


def test_a_second_turn_may_arrive_while_the_first_is_answered(tmp_path: Path) -> None:
    """Asked first without it, then with it where the reply has begun; the session says the same as was asked."""
    clip = {"file": player(tmp_path)["file"]}
    user = {"kind": "player", "level": "keep", "clips": [{**clip, "at": "0s"}, {**clip, "agent_speaking": "500ms"}]}
    with scripted(lambda got: got.answer(whole_reply(asked_sound(got)[0], 2.5, 1.5))) as (url, seen):
        session = play_session(
            {"user": user, "agent": agent_at(url, request="whole"), "duration": "6s", "scorers": []}, tmp_path
        )
    assert session.meta.status == "completed", session.meta.problem
    assert len(seen) == 2
    first, second = (asked_sound(got)[0][:, 0] for got in seen)
    assert len(first) / 16_000 == pytest.approx(2.0, abs=0.03)
    assert np.abs(second[: len(first)] - first).max() < 1e-3
    begin = 1.5 + np.flatnonzero(np.abs(second[24_000:]) > 0.003)[0] / 16_000
    assert begin == pytest.approx(2.5 + 0.5 + 0.2, abs=0.05)  # the clip itself begins with 0.2 s of silence
    assert "track_diverged" not in session.by_type
    assert len(session.by_type["usage"]) == 2


def test_whole_needs_a_player(tmp_path: Path) -> None:
    """Nobody else's track is known before the session, and a clip that repeats has no end: refused before the run."""
    clips = {"kind": "player", "clips": [{"file": player(tmp_path)["file"], "at": "0s", "repeat": True}]}
    for user, complaint in ((USER, "needs the user to be a player"), (clips, "a clip that repeats has no end")):
        with pytest.raises(ScenarioError, match=r"\$.agent.responder.request: whole.*" + complaint):
            scenario_of({"user": user, "agent": agent_at("http://h", request="whole")}, tmp_path)


@pytest.mark.parametrize(
    ("responder", "complaint"),
    [
        ({"base_url": "ftp://host"}, r"\$.agent.responder.base_url: expected http://host:port"),
        ({"base_url": "http://h", "extra": {"stream": True}}, r"\$.agent.responder.extra: 'stream' cannot be given"),
        ({"base_url": "http://h", "request": "half"}, r"\$.agent.responder.request"),
        ({"base_url": "http://h", "sample_rate": 100}, r"\$.agent.responder.sample_rate"),
        ({}, "base_url"),
    ],
)
def test_a_spec_that_cannot_work_is_refused(tmp_path: Path, responder: Json, complaint: str) -> None:
    """Before anything connects."""
    agent = {"kind": "turn_based", "responder": {"kind": "chat_audio", **responder}}
    with pytest.raises(ScenarioError, match=complaint):
        scenario_of({"user": "silent", "agent": agent}, tmp_path)


def test_a_probe_costs_nothing(tmp_path: Path) -> None:
    """It asks for the models."""
    import anyio

    from agents.chat_audio.responder import ChatAudioSpec

    with served({"kind": "silent"}, "chat_audio", tmp_path) as url:
        assert "its models: silent" in anyio.run(ChatAudioSpec(base_url=f"{url}/v1").probe)
    with scripted(lambda got: got.answer({}, 401)) as (url, _), pytest.raises(RemoteError, match="refused the key"):
        anyio.run(ChatAudioSpec(base_url=f"{url}/v1").probe)


def test_whole_refuses_an_impaired_line(tmp_path: Path) -> None:
    """What the line adds is only known while the session runs."""
    lines = {"user_to_agent": [{"kind": "gain", "db": -6}]}
    scenario = {"user": player(tmp_path), "agent": agent_at("http://h", request="whole"), "lines": lines}
    with pytest.raises(ScenarioError, match=r"\$.agent.responder.request: what is asked before the session"):
        scenario_of(scenario, tmp_path)


def test_a_server_that_sends_silence_said_nothing(tmp_path: Path) -> None:
    """Whatever its text is: nobody could hear it."""
    with scripted(lambda got: got.answer(completion(np.zeros((4_000, 2))))) as (url, _):
        session = talk(url, tmp_path)
    assert session.meta.status == "completed"
    assert not session.said("agent").any()
    assert session.by_type["reply_received"][0].data["text"] == "of course"


@pytest.mark.slow
def test_on_the_wall_clock_the_actor_goes_on_hearing_while_it_waits(tmp_path: Path) -> None:
    """The reply is heard when it comes; its trace replays on the virtual clock to the same sound."""

    def slowly(got: Got) -> None:
        threading.Event().wait(0.3)
        got.answer(completion(TONE))

    with scripted(slowly) as (url, _):
        scenario = {"user": USER, "agent": agent_at(url), "duration": "3s", "scorers": [], "clock": "wall"}
        session = play_session(scenario, tmp_path)
    assert (session.meta.status, session.meta.clock) == ("completed", "wall")
    begin = np.flatnonzero(session.said("agent"))[0]
    assert 0.25 < (begin - session.by_type["turn_heard"][0].at) / 24_000 < 1.5
    replay = {"kind": "replay_trace", "file": str(session.folder)}
    again = play_session({"user": USER, "agent": replay, "duration": "3s", "scorers": []}, tmp_path / "again")
    said = [recorded.said("agent")[recorded.said("agent") != 0] for recorded in (session, again)]
    assert np.array_equal(*said)
    assert abs(np.flatnonzero(again.said("agent"))[0] - begin) <= 480
