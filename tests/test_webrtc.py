"""Rules of `webrtc` in whole sessions: both ends are real, and loopback is their way to each other."""

import json
import re
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pytest

pytest.importorskip("aiortc", reason="needs the extra connect")

import av

from agents.webrtc.opus import OpusMouth
from simulator.cli import main
from simulator.doctor.probe import probe_party
from simulator.errors import ScenarioError
from simulator.testing import scenario_of
from tests.contracts.http_peers import Got
from tests.contracts.http_peers import scripted as scripted_http
from tests.contracts.peer_sessions import KEY, assert_no_secret, of_type
from tests.contracts.rtc_peers import PACKET, RtcFarEnd, rtc_far_end
from tests.contracts.stream_peers import TALKER, assert_replays, talk_with

pytestmark = pytest.mark.usefixtures("loopback_key")

TONE = (0.25 * np.sin(2 * np.pi * 440 * np.arange(15 * PACKET) / 48_000)).astype(np.float32)


def test_a_voice_is_encoded_packet_by_packet_and_comes_back_as_it_was() -> None:
    """A packet of 20 ms each, counted from 0; decoded it is the same sound, later by what libopus looks ahead."""
    rng = np.random.default_rng(1)
    voice = np.convolve(rng.standard_normal(50 * PACKET), np.ones(24) / 24, "same")
    said = np.rint(8000 * voice / np.abs(voice).max()).astype("<i2")
    mouth, decoder = OpusMouth(), av.AudioCodecContext.create("libopus", "r")
    decoder.format, decoder.layout, decoder.sample_rate = "s16", "mono", 48_000
    packets = [mouth.encode(piece.tobytes()) for piece in said.reshape(-1, PACKET)]
    assert [packet.pts for packet in packets] == list(range(0, 50 * PACKET, PACKET))
    back = np.concatenate([frame.to_ndarray().ravel() for packet in packets for frame in decoder.decode(packet)])
    ahead = 312  # samples at 48 kHz: 6.5 ms
    error = back[ahead:].astype(float) - said[: len(back) - ahead]
    assert 10 * np.log10(np.mean(said.astype(float) ** 2) / np.mean(error[PACKET:] ** 2)) > 15


def bot(text: str) -> list[str]:
    """What a bot of Pipecat's answers on its channel."""
    if not text.startswith("{"):
        return []
    told = json.loads(text)
    answer = {"label": "rtvi-ai", "type": "bot-ready", "id": told["id"], "data": {"version": "2.2.0"}}
    return [json.dumps(answer)] if told["type"] == "client-ready" else []


def test_a_call_with_a_bot_and_its_trace_say_the_same(tmp_path: Path) -> None:
    """Candidates follow the offer, the key is told to it alone; sound both ways, keys and pings over the channel."""
    far = RtcFarEnd(TONE, bot)
    with rtc_far_end(far) as (url, _):
        agent = {"kind": "webrtc", "dialect": "pipecat", "url": f"{url}/start", "trickle": True, "stun": [],
                 "headers": {"Authorization": "Bearer ${TEST_KEY}"}, "request": {"token": "${TEST_KEY}"}}  # fmt: skip
        user = {"kind": "scripted", "turns": [{"at": "100ms", "say": "Good evening."}, {"at": "1s", "press": "7"}]}
        session = talk_with(agent, tmp_path, user=user, duration="1300ms", sample_rate=48_000)
    assert session.meta.status == "completed", session.meta.problem
    assert [(asked.method, asked.path) for asked in far.asked] == [
        ("POST", "/start"), ("POST", "/sessions/s-1/api/offer"), ("PATCH", "/sessions/s-1/api/offer"),
    ]  # fmt: skip
    assert json.loads(far.asked[0].body)["body"] == {"token": KEY}
    codecs = re.findall(r"a=rtpmap:\d+ (\S+)", json.loads(far.asked[1].body)["sdp"])
    assert codecs == ["opus/48000/2"], "what is said is Opus already, so nothing else may be agreed on"
    assert {asked.headers["authorization"] for asked in far.asked} == {f"Bearer {KEY}"}
    loud = np.abs(session.said("agent")) > 0.01
    assert 0.2 < np.count_nonzero(loud) / 48_000 < 0.4, "the tone is 0.3 s long"
    assert max(np.abs(heard).max() for heard in far.heard) > 1500
    told = [json.loads(text) for text in far.told if text.startswith("{")]
    assert [message["data"].get("buttons") for message in told] == [None, ["7"]]
    assert "ping" in far.told
    assert_no_secret(tmp_path)
    assert_replays(session, tmp_path / "again", "1300ms")


@pytest.mark.slow
@pytest.mark.parametrize("dialect", ["whip", "openai"])
def test_an_offer_that_is_answered_with_an_sdp(dialect: str, tmp_path: Path) -> None:
    """As the user's party: what it hears comes back; WHIP's session is deleted, OpenAI's begins with its event."""
    far = RtcFarEnd(None)
    created = json.dumps({"type": "session.created", "session": {"model": "m"}})
    with rtc_far_end(far, dialect, [created] if dialect == "openai" else []) as (url, _):
        user = {"kind": "webrtc", "dialect": dialect, "url": f"{url}/offer"}
        user |= {"request": {"model": "m"}} if dialect == "openai" else {}
        session = talk_with(TALKER, tmp_path, user=user, duration="1500ms", sample_rate=48_000)
    assert session.meta.status == "completed", session.meta.problem
    assert np.abs(session.said("user")).max() > 0.05
    methods = [asked.method for asked in far.asked]
    assert methods == (["POST", "DELETE"] if dialect == "whip" else ["POST"])


def test_doctor_reaches_an_agent_and_one_that_leaves_is_a_hang_up(tmp_path: Path) -> None:
    """A probe connects and goes; a connection that its other end closes is no fault."""
    far = RtcFarEnd(TONE, leaves_after=20)
    with rtc_far_end(far) as (url, _):
        agent = {"kind": "webrtc", "url": f"{url}/offer"}
        scenario = scenario_of({"user": "silent", "agent": agent, "clock": "wall"}, tmp_path)
        assert "ready after" in anyio.run(probe_party, "agent", scenario)
        session = talk_with(agent, tmp_path, duration="1s")
    assert session.meta.status == "completed", session.meta.problem
    assert of_type(session, "hang_up") == [{"reason": "closed the connection"}]


@pytest.mark.slow
def test_what_is_at_fault_before_a_connection_is_one_sentence(tmp_path: Path) -> None:
    """The key, an SDP without sound."""
    sdp = ("v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"
           "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\n")  # fmt: skip

    def problem(status: int, body: Any) -> str:
        def script(got: Got) -> None:
            got.answer(body, status)

        with scripted_http(script) as (url, _):
            agent = {"kind": "webrtc", "url": url, "connect_timeout": "2s"}
            session = talk_with(agent, tmp_path / str(status), duration="100ms")
        assert session.meta.status == "failed"
        return session.meta.problem or ""

    assert "refused the key (HTTP 401: no)" in problem(401, {"error": "no"})
    assert "answered with an SDP that cannot be used" in problem(200, {"sdp": sdp, "type": "answer"})


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"url": "ws://a"}, "$.agent.url: expected http://host:port"),
        ({"url": "http://a", "dialect": "sip"}, "$.agent.dialect: "),
        ({"url": "http://a", "dialect": "whip", "request": {"a": 1}}, "$.agent.request: WHIP's offer is an SDP"),
        ({"url": "http://a", "trickle": True}, "$.agent.trickle: candidates follow an offer"),
        ({"url": "http://a", "stun": ["stun.a:1"]}, "$.agent.stun[0]: expected stun:host:port"),
    ],
)
def test_an_offer_that_cannot_be_made_is_refused_with_its_place(
    keys: dict[str, Any], sentence: str, tmp_path: Path
) -> None:
    """Before anything starts."""
    with pytest.raises(ScenarioError) as refused:
        scenario_of({"user": "silent", "agent": {"kind": "webrtc", **keys}}, tmp_path)
    assert sentence in str(refused.value)


def test_the_example_is_fine_as_it_stands(scenarios: Path) -> None:
    """`simulate check` reads it without an agent or a key."""
    assert main(["check", str(scenarios / "remote" / "webrtc.yaml")]) == 0
