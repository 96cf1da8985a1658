"""Rules of `twilio` in whole sessions on loopback: the webhook, the stream, and an agent that is at fault."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import numpy as np
import pytest
from websockets.asyncio.server import ServerConnection

from agents.remote.wire_audio import wire_format
from agents.twilio.webhook import signature
from simulator.cli import main
from simulator.errors import ScenarioError
from simulator.testing import scenario_of
from tests.contracts.http_peers import Got, served
from tests.contracts.http_peers import scripted as scripted_http
from tests.contracts.moshi_peers import scripted
from tests.contracts.peer_services import certificate
from tests.contracts.peer_sessions import KEY, assert_no_secret, of_type
from tests.contracts.stream_peers import TALKER, assert_replays, say_json, talk_with

pytestmark = pytest.mark.usefixtures("loopback_key")

MULAW = wire_format("mulaw")


def test_a_call_by_webhook_and_stream_with_keys(tmp_path: Path) -> None:
    """Signed as Twilio signs, parameters of both told; digits, marks and media go over; the trace says it again."""
    got: list[Any] = []
    signed: list[str] = []

    async def media(connection: ServerConnection) -> None:
        assert connection.request is not None
        signed.append(connection.request.headers["X-Twilio-Signature"])
        got.append(json.loads(await connection.recv()))
        got.append(json.loads(await connection.recv()))
        sid = got[1]["streamSid"]
        await say_json(connection, event="media", streamSid=sid, media={"payload": MULAW.encode(np.full(1600, 0.25))})
        await say_json(connection, event="mark", streamSid=sid, mark={"name": "greeting"})
        async for message in connection:
            told = json.loads(message)
            if told["event"] != "media":
                got.append(told)

    with scripted(media) as url:
        twiml = (
            f'<Response><Connect><Stream url="{url}/m"><Parameter name="k" value="v"/></Stream></Connect></Response>'
        )
        with scripted_http(lambda asked: asked.answer(twiml.encode())) as (address, requests):
            webhook = f"{address}/voice?tenant=1"
            agent = {"kind": "twilio", "webhook": webhook, "auth_token": "${TEST_KEY}", "parameters": {"who": "ann"}}
            user = {"kind": "scripted", "turns": [{"at": "100ms", "press": "7#"}]}
            session = talk_with(agent, tmp_path, user=user, duration="800ms", sample_rate=8000)
    assert session.meta.status == "completed", session.meta.problem
    form = dict(parse_qsl(requests[0].body.decode()))
    assert requests[0].headers["x-twilio-signature"] == signature(KEY, webhook, form)
    assert signed == [signature(KEY, f"{url}/m", {})]
    assert form["CallSid"] == got[1]["start"]["callSid"] and form["Direction"] == "inbound"
    assert got[1]["start"]["customParameters"] == {"who": "ann", "k": "v"}
    events = [(told["event"], told.get("dtmf", told.get("mark", {})).get("digit")) for told in got[2:]]
    assert sorted(events, key=str) == [("dtmf", "#"), ("dtmf", "7"), ("mark", None), ("stop", None)]
    assert events[-1] == ("stop", None)
    assert np.count_nonzero(session.said("agent")) == 1600
    assert [event["band"] for event in of_type(session, "keys_pressed")] == ["out", "out"]
    assert not session.said("user").any()
    assert_no_secret(tmp_path)
    assert_replays(session, tmp_path / "again", "800ms")


def test_a_served_actor_is_reached_by_its_webhook(tmp_path: Path) -> None:
    """`simulate serve --protocol twilio`: both ends are ours; its marks come back, its folder knows the keys."""
    with served(TALKER, "twilio", tmp_path / "served") as url:
        webhook = f"{url}/voice"
        user = {"kind": "scripted", "turns": [{"at": "100ms", "press": "5"}]}
        session = talk_with({"kind": "twilio", "webhook": webhook}, tmp_path, user=user, duration="1500ms")
    assert session.meta.status == "completed", session.meta.problem
    assert np.abs(session.said("agent")).max() > 0.05
    (folder,) = (tmp_path / "served").glob("serve-twilio-*")
    told = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    assert [event["digits"] for event in told if event["type"] == "keys_pressed"] == ["5"]
    marks = [event["settings"] for event in told if event["type"] == "client_message" and event["settings"]]
    assert marks == [{"mark": "agent-1"}]


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (403, b"bad signature", "refused the key (HTTP 403: bad signature); is `auth_token` the one it checks with?"),
        pytest.param(500, b"", "refused the connection (HTTP 500)", marks=pytest.mark.slow),
    ],
)
def test_a_webhook_at_fault_is_one_sentence(status: int, body: bytes, sentence: str, tmp_path: Path) -> None:
    """Its address, what it answered, and what to look at."""

    def answers(got: Got) -> None:
        got.answer(body, status)

    with scripted_http(answers) as (webhook, _):
        session = talk_with({"kind": "twilio", "webhook": webhook}, tmp_path, duration="100ms")
    assert session.meta.status == "failed" and sentence in (session.meta.problem or "")


def test_an_agent_that_speaks_before_start_or_never_is_told(tmp_path: Path) -> None:
    """The one ends the session, the other is noted when it is over."""

    async def early(connection: ServerConnection) -> None:
        await say_json(connection, event="media", media={"payload": "AAAA"})
        await connection.wait_closed()

    async def never(connection: ServerConnection) -> None:
        await connection.wait_closed()

    with scripted(early) as url:
        session = talk_with({"kind": "twilio", "url": f"{url}/m"}, tmp_path / "early", duration="200ms")
    assert "it speaks before it has read `start`" in (session.meta.problem or "")
    with scripted(never) as url:
        session = talk_with({"kind": "twilio", "url": f"{url}/m"}, tmp_path / "never", duration="200ms")
    (error,) = of_type(session, "remote_error")
    assert error["code"] == "never_spoke" and "sent no sound in 0.2 s" in error["message"]


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({}, "$.agent: a call goes to a `url` or by a `webhook`; give one of them"),
        ({"url": "ws://a", "webhook": "http://a"}, "$.agent: a call goes to a `url` or by a `webhook`"),
        ({"url": "ws://a/m?k=v"}, "$.agent.url: Twilio passes no query string on; use `parameters`"),
        ({"url": "http://a/m"}, "$.agent.url: expected ws://host:port/path"),
        ({"webhook": "ws://a"}, "$.agent.webhook: expected http://host:port"),
        ({"webhook": "http://a", "auth_token": "abc"}, "$.agent.auth_token: write it as ${NAME}"),
        ({"url": "ws://a/m", "auth_token": "abc"}, "$.agent.auth_token: write it as ${NAME}"),
    ],
)
def test_a_call_that_cannot_be_made_is_refused_with_its_place(
    keys: dict[str, Any], sentence: str, tmp_path: Path
) -> None:
    """Before anything starts."""
    with pytest.raises(ScenarioError) as refused:
        scenario_of({"user": "silent", "agent": {"kind": "twilio", **keys}}, tmp_path)
    assert sentence in str(refused.value)


def test_the_example_is_fine_as_it_stands(scenarios: Path) -> None:
    """`simulate check` reads it without a server or a key."""
    assert main(["check", str(scenarios / "remote" / "twilio.yaml")]) == 0


async def _nobody(connection: ServerConnection) -> None:
    await connection.wait_closed()


def test_a_webhook_whose_tls_cannot_be_is_one_sentence(tmp_path: Path) -> None:
    """A certificate of one's own, and a server that speaks HTTP alone where https is written."""

    def problem(url: str, name: str) -> str:
        agent = {"kind": "twilio", "webhook": f"https{url.removeprefix('ws')}/voice"}
        return talk_with(agent, tmp_path / name, duration="100ms").meta.problem or ""

    context, _ = certificate(tmp_path)
    with scripted(_nobody, ssl=context) as url:
        assert "shows a certificate that is not trusted (self-signed certificate)" in problem(url, "self-signed")
    with scripted(_nobody) as url:
        assert "does not speak TLS; write http:// rather than https://, if that is meant" in problem(url, "plain")
