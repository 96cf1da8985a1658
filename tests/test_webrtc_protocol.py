"""Rules of `webrtc` without a connection: offers and answers, sound with holes in it, and what data channels say."""

import json
from typing import Any

import numpy as np
import pytest

from agents.webrtc.protocol import CLOSED, PCM, RtcCore, RtcSettings
from agents.webrtc.signalling import (
    OfferAddress,
    candidates_request,
    end_request,
    offer_request,
    read_answer,
    start_request,
    started,
    without_candidates,
)
from simulator.errors import RemoteError
from simulator.frame import Samples, silence
from simulator.remote.http_exchange import HttpAnswer
from tests.contracts.peer_driver import Driver
from tests.contracts.stream_peers import count_of, counted

FRAME = 960
LOUD = 20
"""The counted signal is silence up to here: what is below -66 dBFS counts as none."""

SDP = (
    "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\n"
    "m=audio 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\n"
    "a=candidate:1 1 udp 1 192.0.2.7 5000 typ host\r\na=end-of-candidates\r\n"
    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:1\r\na=candidate:2 1 udp 1 192.0.2.7 5001 typ host\r\n"
)


def address(dialect: Any, url: str = "http://h:1/offer", **keys: Any) -> OfferAddress:
    """Where an offer goes."""
    return OfferAddress(url=url, dialect=dialect, **keys)


def answered(dialect: Any, body: Any, status: int = 200, **headers: str) -> Any:
    """What is read from an answer."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_answer(address(dialect), "http://h:1/offer", HttpAnswer(status, data, headers))


def test_an_offer_is_made_in_each_dialects_form() -> None:
    """JSON with more fields, request_data, the bare SDP, and a form with the session beside it."""
    plain = offer_request(address("plain", request={"room": "a"}), "http://h:1/offer", SDP)
    assert json.loads(plain.body or b"") == {"room": "a", "sdp": SDP, "type": "offer"}
    small = offer_request(address("pipecat", request={"room": "a"}), "http://h:1/offer", SDP)
    assert json.loads(small.body or b"") == {"request_data": {"room": "a"}, "sdp": SDP, "type": "offer"}
    for dialect in ("whip", "openai"):
        bare = offer_request(address(dialect, headers={"Authorization": "Bearer k"}), "http://h:1/offer", SDP)
        assert (bare.body, bare.content_type, bare.headers["Authorization"]) == (
            SDP.encode(), "application/sdp", "Bearer k",
        )  # fmt: skip
    form = offer_request(address("openai", request={"model": "m"}), "http://h:1/offer", SDP)
    assert form.content_type.startswith("multipart/form-data; boundary=")
    parts = (form.body or b"").decode().split("--" + form.content_type.partition("boundary=")[2])
    assert parts[0] == "" and parts[3] == "--\r\n"
    assert parts[1] == (
        f'\r\nContent-Disposition: form-data; name="sdp"\r\nContent-Type: application/sdp\r\n\r\n{SDP}\r\n'
    )
    assert 'name="session"\r\nContent-Type: application/json\r\n\r\n{"model":"m"}' in parts[2]


def test_pipecats_runner_is_asked_for_a_session_first() -> None:
    """/start with the request as its body; the offer goes to the session's own address, without it."""
    where = address("pipecat", "http://h:1/v1/start", request={"room": "a"})
    asked = start_request(where)
    assert asked is not None and json.loads(asked.body or b"") == {"transport": "webrtc", "body": {"room": "a"}}
    url = started(where, HttpAnswer(200, b'{"sessionId": "s9"}'))
    assert url == "http://h:1/v1/sessions/s9/api/offer"
    assert "request_data" not in json.loads(offer_request(where, url, SDP).body or b"")
    assert start_request(address("pipecat")) is None
    with pytest.raises(RemoteError, match="without a sessionId; is its transport webrtc"):
        started(where, HttpAnswer(200, b"{}"))


def test_candidates_may_follow_the_offer() -> None:
    """The offer has none then; the PATCH names each with its media line."""
    assert "candidate" not in without_candidates(SDP) and without_candidates(SDP).count("a=mid") == 2
    asked = candidates_request(address("pipecat"), "http://h:1/api/offer", "pc-1", SDP)
    assert asked.method == "PATCH" and asked.url == "http://h:1/api/offer"
    assert json.loads(asked.body or b"") == {
        "pc_id": "pc-1",
        "candidates": [
            {"candidate": "candidate:1 1 udp 1 192.0.2.7 5000 typ host", "sdp_mid": "0", "sdp_mline_index": 0},
            {"candidate": "candidate:2 1 udp 1 192.0.2.7 5001 typ host", "sdp_mid": "1", "sdp_mline_index": 1},
        ],
    }


def test_an_answer_is_an_sdp_and_maybe_a_name() -> None:
    """pc_id, or the end of Location; a WHIP session is deleted at its own address."""
    assert answered("plain", {"sdp": SDP, "type": "answer"}).call is None
    assert answered("pipecat", {"sdp": SDP, "pc_id": "pc-1"}).call == "pc-1"
    openai = answered("openai", SDP.encode(), 201, location="/v1/realtime/calls/rtc_7")
    assert (openai.sdp, openai.call) == (SDP, "rtc_7") and end_request(address("openai"), openai) is None
    gone = end_request(address("whip"), answered("whip", SDP.encode(), 201, location="/ids/7"))
    assert gone is not None and (gone.method, gone.url) == ("DELETE", "http://h:1/ids/7")


@pytest.mark.parametrize(
    ("body", "status", "sentence"),
    [
        ({"error": {"message": "bad key"}}, 401, "refused the key (HTTP 401: bad key)"),
        ({"detail": "Not Found"}, 404, "refused the connection (HTTP 404: Not Found); does its path take offers?"),
        ({"ok": True}, 200, "answered the offer without an SDP; is `dialect: plain` what it speaks?"),
        (b"<html>", 200, "answered with no JSON"),
        (["v=0"], 200, "answered with no JSON object"),
    ],
)
def test_an_answer_that_is_none_is_one_sentence(body: Any, status: int, sentence: str) -> None:
    """The key, the path, the dialect."""
    with pytest.raises(RemoteError) as error:
        answered("plain", body, status)
    assert sentence in str(error.value)


def driver(dialect: Any = "plain", **keys: Any) -> Driver:
    """A core that was told of an open connection."""
    driven = Driver(RtcCore(RtcSettings(dialect=dialect, jitter_s=0, **keys)))
    return driven.receive({"type": "opened"})


def packet(samples: Samples, pts: int) -> dict[str, Any]:
    """A decoded packet."""
    return {"type": "audio", "audio": PCM.encode(samples), "pts": pts}


def rtvi(type_: str, **data: Any) -> dict[str, Any]:
    """A message of RTVI on the channel."""
    return {"type": type_, "json": {"label": "rtvi-ai", "type": type_, "id": "1", "data": data}}


def test_sound_is_heard_whole_and_a_lost_packet_is_silence_in_its_place() -> None:
    """Three packets, the second missing: what comes behind it keeps its place."""
    driven = driver()
    sound = counted(3 * FRAME + LOUD)[LOUD:]
    driven.receive(packet(sound[:FRAME], 0), packet(sound[2 * FRAME :], 2 * FRAME)).step(4)
    heard = np.concatenate(driven.said)
    assert count_of(heard[:FRAME]) == list(range(LOUD + 1, LOUD + FRAME + 1))
    assert not heard[FRAME : 2 * FRAME].any()
    assert count_of(heard[2 * FRAME : 3 * FRAME]) == list(range(LOUD + 2 * FRAME + 1, LOUD + 3 * FRAME + 1))
    assert driven.noted("sound_lost") == [{"lost_samples": FRAME}]


def test_endless_silence_is_no_utterance_and_no_delay_stays() -> None:
    """A pause within speech is kept; after 200 ms the burst is over, without a word on whether it was cut."""
    driven = driver()
    loud, still = counted(FRAME + LOUD)[LOUD:], silence(FRAME)
    for index in range(30):
        driven.receive(packet(loud if index in (0, 5, 25) else still, index * FRAME)).step()
    driven.step(2)
    assert [fields["id"] for fields in driven.noted("audio_start")] == ["burst-1", "burst-2"]
    first = driven.noted("audio_end")[0]
    assert first["said_samples"] == 15 * FRAME and "cut" not in first
    late = driver()
    for index in range(30):
        late.receive(packet(loud if index in (0, 29) else still, index * FRAME))  # a stall: all of it at once
    late.step(17)
    assert count_of(np.concatenate(late.said[-7:])) == list(range(LOUD + 1, LOUD + FRAME + 1))


def test_an_interruption_drops_what_waits_and_what_is_on_its_way() -> None:
    """Up to 300 ms of sound that left before it, until the first silence; the next utterance is whole."""
    driven = driver("pipecat", rtvi=False)
    loud, still = counted(FRAME + LOUD)[LOUD:], silence(FRAME)
    driven.receive(packet(loud, 0), packet(loud, FRAME)).step()
    driven.receive(rtvi("bot-interrupted"), packet(loud, 2 * FRAME)).step(2)
    (end,) = driven.noted("audio_end")
    assert (end["said_samples"], end["dropped_samples"], end["cut"]) == (FRAME, FRAME, True)
    driven.receive(packet(still, 3 * FRAME), packet(loud, 4 * FRAME)).step(2)
    assert driven.sound() == 2 * FRAME


def test_pipecats_channel_is_pinged_and_speaks_rtvi() -> None:
    """client-ready first, a ping a second, buttons for keys; a bot that leaves is heard to its end."""
    driven = driver("pipecat")
    assert [message.get("text") or message["type"] for message in driven.sent] == ["ping", "client-ready"]
    assert not driven.core.ready and "rtvi: false" in driven.core.awaited  # type: ignore[attr-defined] # of Awaiting
    driven.receive(rtvi("bot-ready", version="2.2.0"), {"text": "pong"}, rtvi("bot-transcription", text="Hi."))
    assert driven.core.ready and driven.noted("transcript") == [{"of": "agent", "text": "Hi."}]
    driven.drop().step(149)
    assert driven.sent == [{"text": "ping"}] * 2 and driven.sounds == 149
    driven.core.press("1#", 0)  # type: ignore[attr-defined] # of TakesKeys
    driven.receive({"type": "signalling", "json": {"type": "signalling", "message": {"type": "renegotiate"}}})
    assert driven.sent[-1]["json"]["data"] == {"buttons": ["1", "#"]}
    assert driven.noted("remote_error")[0]["code"] == "renegotiate"
    driven.receive({"type": "signalling", "json": {"type": "signalling", "message": {"type": "peerLeft"}}})
    assert driven.core.done and driven.noted("hang_up") == [{"reason": "it told that it leaves"}]


def test_the_realtime_protocols_events_come_without_their_sound() -> None:
    """Ready on session.created; words, turns, tokens, failures; what the service cleared is dropped."""
    driven = driver("openai", billed_as="gpt-realtime")
    driven.receive({"json": {"type": "session.created", "session": {"model": "gpt-realtime-2"}}})
    driven.receive(packet(counted(FRAME + LOUD)[LOUD:], 0)).step()
    usage = {"output_token_details": {"audio_tokens": 5}, "output_tokens": 5}
    for event in (
        {"type": "input_audio_buffer.speech_started", "audio_start_ms": 20},
        {"type": "output_audio_buffer.cleared"},
        {"type": "response.output_audio_transcript.done", "item_id": "i", "transcript": " Good evening. "},
        {"type": "conversation.item.input_audio_transcription.completed", "item_id": "u", "transcript": "Hi."},
        {"type": "error", "error": {"code": "odd", "message": "something was odd"}},
        {"type": "response.done", "response": {"id": "r", "status": "failed", "usage": usage,
                                               "status_details": {"error": {"message": "no quota"}}}},
    ):  # fmt: skip
        driven.receive({"json": event})
    driven.step()
    assert driven.noted("remote_ready") == [{"server": "gpt-realtime-2"}]
    assert driven.noted("heard_speech_start") == [{"heard_since": FRAME}]
    assert [(fields["of"], fields["text"]) for fields in driven.noted("transcript")] == [
        ("agent", "Good evening."), ("user", "Hi."),
    ]  # fmt: skip
    assert driven.noted("response_failed")[0]["reason"] == "no quota"
    assert driven.noted("usage") == [{"model": "gpt-realtime", "output_audio_tokens": 5}]
    assert driven.noted("remote_error") == [{"code": "odd", "message": "something was odd"}]
    with pytest.raises(RemoteError, match="refused the session: no such model"):
        driver("openai").receive({"json": {"type": "error", "error": {"message": "no such model."}}})


def test_a_plain_channel_is_kept_as_events_and_a_goodbye_is_no_fault() -> None:
    """Objects and texts; a connection that is closed is a hang-up, one that breaks is a fault."""
    driven = driver().receive({"type": "mood", "json": {"type": "mood", "value": 1}}, {"text": "hello"})
    assert driven.noted("remote_message") == [
        {"topic": "mood", "data": {"type": "mood", "value": 1}},
        {"data": "hello"},
    ]
    driven.core.lost(CLOSED, 0)
    assert driven.core.done
    with pytest.raises(RemoteError, match="lost the connection"):
        driver().core.lost("lost the connection: its candidates are not reached any more (ICE)", 0)
    silent = driver().step(3)
    silent.core.close(silent.at)
    silent.receive()
    assert "does it take the track that it is offered" in silent.noted("remote_error")[0]["message"]
