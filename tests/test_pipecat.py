"""Rules of `pipecat` in whole sessions on loopback: a scripted bot, a served actor, and bots that are set otherwise."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from websockets.asyncio.server import ServerConnection

from agents.pipecat.frames import decode_frame, encode_audio, encode_message, encode_text
from simulator.cli import main
from simulator.errors import ScenarioError
from simulator.testing import play_session, scenario_of
from tests.contracts.http_peers import served
from tests.contracts.moshi_peers import scripted
from tests.contracts.peer_sessions import KEY, assert_no_secret, of_type, refuse_key
from tests.contracts.stream_peers import TALKER, count_of, counted, talk_with

pytestmark = pytest.mark.usefixtures("loopback_key")


async def ready(connection: ServerConnection) -> Any:
    """Wait for client-ready, answer it; gives the client's message."""
    asked = json.loads(decode_frame(await connection.recv(decode=False)).text)
    answer = {"label": "rtvi-ai", "type": "bot-ready", "id": asked["id"], "data": {"version": "2.2.0"}}
    await connection.send(encode_message(answer))
    return asked


@pytest.mark.parametrize("party", ["agent", pytest.param("user", marks=pytest.mark.slow)])
def test_a_call_with_a_bot_and_its_trace_say_the_same(party: str, tmp_path: Path) -> None:
    """It plays either party; every sample is heard; its headers hold the key, the folder does not; keys reach it."""
    got: list[Any] = []
    headers: list[str] = []

    async def bot(connection: ServerConnection) -> None:
        assert connection.request is not None
        headers.append(connection.request.headers["Authorization"])
        got.append(await ready(connection))
        await connection.send(encode_text(f"The key is {KEY}."))
        await connection.send(encode_audio(counted(4800), 24_000))
        async for data in connection:
            frame = decode_frame(bytes(data, "utf-8") if isinstance(data, str) else data)
            got.append(json.loads(frame.text) if frame.kind == "message" else frame.sample_rate)

    other = "user" if party == "agent" else "agent"
    with scripted(bot) as url:
        spec = {"kind": "pipecat", "url": url, "headers": {"Authorization": "Bearer ${TEST_KEY}"}}
        talker = {"kind": "scripted", "turns": [{"at": "100ms", "press": "7#"}]}
        parties = {party: spec, other: talker, "duration": "700ms", "sample_rate": 24_000, "scorers": []}
        session = play_session(parties, tmp_path)
    assert session.meta.status == "completed", session.meta.problem
    assert headers == [f"Bearer {KEY}"]
    assert count_of(session.said(party)) == list(range(1, 4801))
    assert got[0]["type"] == "client-ready"
    assert [told["data"]["buttons"] for told in got[1:] if isinstance(told, dict)] == [["7"], ["#"]]
    assert {told for told in got[1:] if isinstance(told, int)} == {16_000}
    assert_no_secret(tmp_path)
    replay = {**parties, party: {"kind": "replay_trace", "file": str(session.folder)}, other: "silent"}
    again = play_session(replay, tmp_path / "again")
    assert np.array_equal(again.said(party), session.said(party))


def test_a_served_actor_is_a_bot(tmp_path: Path) -> None:
    """`simulate serve --protocol pipecat`: both ends are ours; what is said is told, keys are in its folder."""
    with served(TALKER, "pipecat", tmp_path / "served", rate=24_000) as url:
        address = url.replace("http", "ws", 1) + "/ws"
        user = {"kind": "scripted", "turns": [{"at": "100ms", "press": "5"}]}
        session = talk_with({"kind": "pipecat", "url": address}, tmp_path, user=user, duration="1500ms")
    assert session.meta.status == "completed", session.meta.problem
    assert np.abs(session.said("agent")).max() > 0.05
    assert of_type(session, "transcript") == [{"of": "agent", "text": "Good evening."}]
    (folder,) = (tmp_path / "served").glob("serve-pipecat-*")
    told = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    assert [event["digits"] for event in told if event["type"] == "keys_pressed"] == ["5"]


def test_a_bot_at_fault_is_one_sentence(tmp_path: Path) -> None:
    """No RTVI, no key, another serializer: who, what, and what to write."""

    async def mute(connection: ServerConnection) -> None:
        await connection.wait_closed()

    async def other_serializer(connection: ServerConnection) -> None:
        await connection.send('{"event": "media"}')
        await connection.wait_closed()

    def problem(url: str, name: str, **keys: Any) -> str:
        session = talk_with({"kind": "pipecat", "url": url, **keys}, tmp_path / name, duration="200ms")
        assert session.meta.status == "failed"
        return session.meta.problem or ""

    with scripted(mute) as url:
        told = problem(url, "mute", connect_timeout="300ms")
        assert "was not ready within 0.3 s; it has not answered client-ready" in told and "`rtvi: false`" in told
        never = talk_with({"kind": "pipecat", "url": url, "rtvi": False}, tmp_path / "never", duration="200ms")
    assert "sent no sound in 0.2 s" in of_type(never, "remote_error")[0]["message"]
    with scripted(mute, process_request=refuse_key) as url:
        assert "refused the key (HTTP 401" in problem(url, "key")
    with scripted(other_serializer) as url:
        assert "sent a text message where frames in protobuf are expected" in problem(url, "serializer")


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"url": "http://a"}, "$.agent.url: expected ws://host:port/path"),
        ({"url": "ws://a", "output_rate": 0}, "$.agent.output_rate: "),
        ({"url": "ws://a", "latency": "measured"}, "$.agent.latency: "),
    ],
)
def test_a_bot_that_cannot_be_dialled_is_refused_with_its_place(
    keys: dict[str, Any], sentence: str, tmp_path: Path
) -> None:
    """Before anything starts."""
    with pytest.raises(ScenarioError) as refused:
        scenario_of({"user": "silent", "agent": {"kind": "pipecat", **keys}}, tmp_path)
    assert sentence in str(refused.value)


def test_doctor_reaches_a_bot_without_a_conversation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And the example is fine as it stands."""

    async def bot(connection: ServerConnection) -> None:
        await ready(connection)
        await connection.wait_closed()

    scenario = tmp_path / "call.yaml"
    with scripted(bot) as url:
        scenario.write_text(f"name: call\nduration: 1s\nuser: silent\nagent: {{kind: pipecat, url: '{url}'}}\n")
        assert main(["doctor", str(scenario)]) == 0
    assert "ready after" in capsys.readouterr().out


def test_the_example_is_fine_as_it_stands(scenarios: Path) -> None:
    """`simulate check` reads it without a bot."""
    assert main(["check", str(scenarios / "remote" / "pipecat.yaml")]) == 0
