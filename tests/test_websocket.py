"""Rules of `websocket` in whole sessions on loopback: what goes over a real socket, and what is said when it fails."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pytest
from websockets.asyncio.server import ServerConnection

from agents.remote.wire_audio import WireFormat
from simulator.cli import main
from simulator.doctor.probe import probe_party
from simulator.errors import RemoteError, ScenarioError, single
from simulator.testing import burst, scenario_of
from tests.contracts.http_peers import served
from tests.contracts.moshi_peers import scripted
from tests.contracts.peer_services import certificate
from tests.contracts.peer_sessions import KEY, assert_no_secret, of_type, refuse_key
from tests.contracts.stream_peers import TALKER, assert_replays, count_of, counted, say_json, talk_with

pytestmark = pytest.mark.usefixtures("loopback_key")

RATE = 16_000
PCM = WireFormat(rate=RATE)


def agent(url: str, **keys: Any) -> dict[str, Any]:
    """The spec of an agent at `url`, at the session's rate."""
    return {"kind": "websocket", "url": f"{url}/talk", **keys}


def test_a_session_in_words_of_json(tmp_path: Path) -> None:
    """Key, sub-protocol, hello and bye go over; a second of sound sent at once is heard whole; a clear stops the rest.

    The trace says it all again, to the sample, and holds no key.
    """
    seen: list[Any] = []

    async def talk(connection: ServerConnection) -> None:
        assert connection.request is not None
        seen.append((connection.request.headers["Authorization"], connection.subprotocol, connection.request.path))
        seen.append(json.loads(await connection.recv()))
        sound = base64.b64encode(PCM.pack(counted(4800))).decode()
        await say_json(connection, type="audio", data=sound)
        await say_json(connection, type="over")  # else what follows the mark at once would be the same burst
        await say_json(connection, type="mark", name="first")
        async for message in connection:
            told = json.loads(message)
            if told == {"type": "played", "name": "first", "key": KEY}:
                await say_json(connection, type="audio", data=base64.b64encode(PCM.pack(counted(32_000))).decode())
            elif told.get("ms", 0) > 500:
                await say_json(connection, type="interrupt")
            elif told["type"] != "sound":
                seen.append(told)

    words = {
        "headers": {"Authorization": "Bearer ${TEST_KEY}"}, "subprotocol": "voice.v1", "jitter": "0ms", "ping": "5s",
        "send": {"json": {"type": "sound", "data": "{audio}"}, "played_every": "20ms",
                 "mark": {"type": "played", "name": "{mark}", "key": "${TEST_KEY}"},
                 "played": {"type": "position", "ms": "{ms}"}},
        "receive": {"audio": "$.data", "clear": {"type": "interrupt"}, "done": {"type": "over"},
                    "mark": {"path": "$.name", "when": {"type": "mark"}}},
        "hello": {"type": "start", "rate": "{rate}", "key": "${TEST_KEY}"}, "bye": {"type": "stop"},
    }  # fmt: skip
    with scripted(talk, subprotocols=["voice.v1"]) as url:
        session = talk_with(agent(url, **words), tmp_path, duration="1200ms", sample_rate=RATE)
    assert session.meta.status == "completed", session.meta.problem
    assert seen[0] == (f"Bearer {KEY}", "voice.v1", "/talk")
    assert seen[1] == {"type": "start", "rate": RATE, "key": KEY} and seen[-1] == {"type": "stop"}
    heard = count_of(session.said("agent"))
    first, second = heard[:4800], heard[4800:]
    assert first == list(range(1, 4801)) and second == list(range(1, len(second) + 1))
    (end,) = [event for event in of_type(session, "audio_end") if event.get("cut")]
    assert end["said_samples"] == len(second) and end["dropped_samples"] == 32_000 - len(second)
    assert 500 * RATE // 1000 < len(heard) < 900 * RATE // 1000
    assert_no_secret(tmp_path)
    assert_replays(session, tmp_path / "again", "1200ms")


def test_our_own_server_in_the_same_words_and_opus(tmp_path: Path) -> None:
    """A served script is heard through Opus packets; its words come as text; the folder on its side completes."""
    opus = {"encoding": "opus"}
    words = {"audio": opus, "send": {"text": {"said": "{text}"}}}
    with served(TALKER, "websocket", tmp_path / "served", **words) as url:
        spec = {
            "kind": "websocket",
            "url": f"{url.replace('http', 'ws', 1)}/talk",
            "up": opus,
            "down": opus,
            "receive": {"text": "$.said"},
        }
        session = talk_with(spec, tmp_path, duration="1s")
    assert session.meta.status == "completed", session.meta.problem
    assert np.abs(session.said("agent")).max() > 0.05
    assert [event["text"] for event in of_type(session, "transcript")][:2] == ["Good", "evening."]
    (folder,) = (tmp_path / "served").glob("serve-websocket-*")
    assert json.loads((folder / "session.json").read_text())["status"] == "completed"


async def _greets(connection: ServerConnection) -> None:
    await connection.send(PCM.pack(counted(1600)))
    await connection.wait_closed()


async def _leaves(connection: ServerConnection) -> None:
    await connection.close(1011, "out of memory")


async def _drops(connection: ServerConnection) -> None:
    connection.transport.abort()


def _slow(*case: Any) -> Any:
    return pytest.param(*case, marks=pytest.mark.slow)


@pytest.mark.parametrize(
    ("talk", "settings", "keys", "sentence"),
    [
        (_greets, {"process_request": refuse_key}, {"headers": {"Authorization": "Bearer ${TEST_KEY}"}},
         "refused the key (HTTP 401: Incorrect API key provided: Bearer ${TEST_KEY})"),
        (_greets, {}, {"receive": {"ready": {"type": "ok"}}}, "speaks before it is ready"),
        _slow(_greets, {}, {"subprotocol": "voice.v2"}, "does not speak"),
        _slow(_greets, {}, {"receive": {"audio": "$.data"}}, "sent a binary message; sound is described as JSON at"),
        _slow(_greets, {}, {"down": {"encoding": "ogg_opus"}}, "Ogg page must begin"),
        _slow(_leaves, {}, {}, "closed the connection (code 1011: out of memory)"),
        _slow(_drops, {}, {}, "broke the connection without a goodbye"),
    ],
)  # fmt: skip
def test_a_far_end_at_fault_is_one_sentence(
    talk: Callable[..., Any], settings: dict[str, Any], keys: dict[str, Any], sentence: str, tmp_path: Path
) -> None:
    """Its name, what it did, what was described; no key in any file."""
    with scripted(talk, **settings) as url:
        session = talk_with(agent(url, **keys), tmp_path, duration="200ms")
    assert session.meta.status == "failed"
    assert sentence in (session.meta.problem or "") and "websocket at ws://127.0.0.1" in (session.meta.problem or "")
    assert_no_secret(tmp_path)


@pytest.mark.slow
def test_nobody_there_and_tls_that_is_not_trusted_are_told(tmp_path: Path) -> None:
    """A port without a listener, a self-signed certificate (with the way out), and no TLS at all."""
    context, _ = certificate(tmp_path)
    with scripted(_greets, ssl=context) as url:
        secure = url.replace("ws:", "wss:")
        found = [_problem(agent(secure), tmp_path / "self-signed"), _problem(agent(url), tmp_path / "no-tls")]
        trusting = talk_with(agent(secure, verify=False), tmp_path / "verify", duration="300ms")
    assert trusting.meta.status == "completed"
    assert "certificate that is not trusted" in found[0] and "`verify: false`" in found[0]
    assert "does not speak WebSocket" in found[1]
    with scripted(_greets) as url:
        assert "does not speak TLS" in _problem(agent(url.replace("ws:", "wss:")), tmp_path / "tls")
    assert "cannot be reached" in _problem(agent(url), tmp_path / "gone")


def _problem(spec: dict[str, Any], folder: Path) -> str:
    return talk_with(spec, folder, duration="100ms").meta.problem or ""


def test_the_doctor_reaches_the_far_end_or_says_why_not(tmp_path: Path) -> None:
    """Without a conversation."""
    with scripted(_greets) as url:
        scenario = scenario_of({"user": "silent", "agent": agent(url), "clock": "wall"}, tmp_path)
        assert "answers frames" in anyio.run(probe_party, "agent", scenario)
    with pytest.raises(ExceptionGroup) as refused:
        anyio.run(probe_party, "agent", scenario)
    error = single(refused.value)
    assert isinstance(error, RemoteError) and "cannot be reached" in str(error)


async def _loud(connection: ServerConnection) -> None:
    await connection.send(PCM.pack(burst(2 * RATE)))
    await connection.wait_closed()


def test_sound_that_is_read_as_another_codec_is_told_with_the_session(tmp_path: Path) -> None:
    """The session is completed, and what its table means nothing for stands beside it."""
    with scripted(_loud) as url:
        session = talk_with(agent(url, down={"encoding": "mulaw", "rate": RATE}), tmp_path, duration="300ms")
    assert session.meta.status == "completed"
    assert (session.meta.problem or "").startswith("the agent (websocket): its sound is at -")
    assert (session.meta.problem or "").endswith("louder than any speech: is it really mulaw at 16000 Hz?")


async def _in_other_words(connection: ServerConnection) -> None:
    await say_json(connection, event="media", media={"payload": "AAAA"})
    await connection.wait_closed()


def test_an_agent_that_is_not_understood_is_told_by_run_and_doctor(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The session is completed and says why nothing was heard; the doctor warns of what it got."""
    (tmp_path / "call.yaml").write_text(
        'name: call\nuser: silent\nagent: {kind: websocket, url: "${PEER}/talk", receive: {audio: $.payload}}\n'
        "duration: 600ms\nscorers: []\n",
        encoding="utf-8",
    )
    worded = "nothing that came is described by `receive`; the first was one with the keys event, media"
    with scripted(_in_other_words) as url, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PEER", url)
        assert main(["doctor", str(tmp_path / "call.yaml")]) == 0
        assert f"warn agent (websocket): {worded}\n" in capsys.readouterr().out
        assert main([str(tmp_path / "call.yaml"), "--out", str(tmp_path / "run")]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert f"completed call-0: the agent (websocket) never spoke: {worded}" in told
    with scripted(_greets) as url, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PEER", url)
        (tmp_path / "call.yaml").write_text(
            'name: call\nuser: silent\nagent: {kind: websocket, url: "${PEER}/talk"}\n', encoding="utf-8"
        )
        assert main(["doctor", str(tmp_path / "call.yaml")]) == 0
    assert "warn" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"url": "http://a.example"}, "$.agent.url: expected ws://host:port/path or wss://host/path"),
        ({"send": {"json": {"data": "{sound}"}}}, "$.agent.send.json.data: {sound} is no word of this message"),
        ({"send": {"json": {"type": "audio"}}}, "$.agent.send.json: {audio} stands nowhere in it"),
        ({"send": {"json": {"a": {"b": ["x{audio}"]}}}}, "$.agent.send.json.a.b[0]: the sound is a text of its own"),
        ({"send": {"digits": {"d": "1"}}}, "$.agent.send.digits: {digits} stands nowhere in it"),
        ({"send": {"mark": {"n": "{mark}"}}}, "$.agent.send.mark: nothing asks for it; say what does, as `rec"),
        ({"receive": {"audio": "data"}}, "$.agent.receive.audio: 'data' is no path; write it like $.data"),
        ({"receive": {"audio": "$.a[x]"}}, "$.agent.receive.audio: '$.a[x]' is no path"),
        ({"receive": {"text": {"path": "$.a", "when": "b"}}}, "$.agent.receive.text.when: expected `object | null`"),
        ({"receive": {"audio": {"at": "$.a"}}}, "$.agent.receive.audio: expected a path like $.data"),
        ({"receive": {"clear": {}}}, "$.agent.receive.clear: an empty match is every message"),
        ({"receive": {"stop": {"a": 1}}}, "$.agent.receive: object contains unknown field `stop`"),
        ({"hello": [{"a": 1}, {"b": "{audio}"}]}, "$.agent.hello[1].b: {audio} is no word of this message"),
        ({"up": {"encoding": "gsm"}}, "$.agent.up.encoding: invalid enum value 'gsm'"),
        ({"down": {"encoding": "opus", "rate": 8000}}, "$.agent.down: rate is 8000; Opus is spoken at 24000 Hz"),
        ({"up": {"rate": 100}}, "$.agent.up.rate"),
        ({"receive": {"ready": ""}}, "$.agent.receive.ready: an empty match is every message"),
        ({"send": {"pong": {"id": "{ping_id}"}}, "receive": {"ping": {"a": 1}}}, "$.agent.send.pong: nothing says wh"),
        ({"ping": "0s"}, "$.agent.ping: must be above 0"),
        ({"latency": "300ms"}, "$.agent.latency: a far end with its own real time has its own latency"),
    ],
)  # fmt: skip
def test_a_description_that_cannot_be_meant_is_refused_with_its_place(
    keys: dict[str, Any], sentence: str, tmp_path: Path
) -> None:
    """Before anything starts, by `simulate check` too."""
    with pytest.raises(ScenarioError) as refused:
        scenario_of({"user": "silent", "agent": agent("ws://127.0.0.1:1") | keys}, tmp_path)
    assert sentence in str(refused.value)


def test_the_example_is_fine_as_it_stands(scenarios: Path) -> None:
    """`simulate check` reads it without a server or a key."""
    assert main(["check", str(scenarios / "remote" / "websocket.yaml")]) == 0
