"""Rules of Pipecat's frames and of `pipecat` without a socket: bytes as protobuf has them, RTVI, sound at its pace."""

import json
from typing import Any

import numpy as np
import pytest

from agents.pipecat.frames import (
    decode_frame,
    encode_audio,
    encode_interruption,
    encode_message,
    encode_text,
)
from agents.pipecat.protocol import PipecatCore, PipecatSettings
from agents.pipecat.server_protocol import PipecatWords
from agents.pipecat.wire import told_of
from agents.serve.stream import AtOnce, ClientTold, Frames, Over
from simulator.errors import RemoteError
from simulator.events import Event
from simulator.sound.wav import encode_wav
from tests.contracts.peer_driver import Driver
from tests.contracts.stream_peers import count_of, counted

PCM_1234 = np.array([0x0201, 0x0403], np.float32) / 32_768


def binary(frame: bytes) -> Any:
    """A frame as the wire gives it."""
    return told_of(frame)


def told(type_: str, id_: str = "1", **data: Any) -> bytes:
    """A message of RTVI as a frame."""
    return encode_message({"label": "rtvi-ai", "type": type_, "id": id_, "data": data})


def driver(*, rtvi: bool = True, jitter_s: float = 0.0) -> Driver:
    """A core that was told of an open connection."""
    settings = PipecatSettings(input_rate=16_000, output_rate=24_000, rtvi=rtvi, jitter_s=jitter_s)
    return Driver(PipecatCore(settings)).receive({"type": "opened"})


def rtvi_sent(driven: Driver) -> list[Any]:
    """What it sent of RTVI."""
    return [message["json"] for message in driven.sent if message["type"] == "message"]


def test_frames_are_the_bytes_that_pipecat_writes() -> None:
    """As recorded of pipecat-ai 1.14: four bytes of sound at 16 kHz, an empty interruption."""
    assert encode_audio(PCM_1234, 16_000).hex() == "120b1a040102030420807d2801"
    assert encode_interruption().hex() == "2a00"
    frame = decode_frame(bytes.fromhex("120b1a040102030420807d2801"))
    assert (frame.kind, frame.sample_rate, frame.channels) == ("audio", 16_000, 1)
    assert np.array_equal(frame.samples(), PCM_1234)
    assert decode_frame(b"\x2a\x00").kind == "interruption"


def test_ids_names_and_fields_of_the_future_are_passed_over() -> None:
    """By hand: id 300 (ac02), name "a", text "hi", and unknown fields of every wire type inside and outside."""
    inside = bytes.fromhex("08ac021201611a026869f00105f9010000000000000000fd0100000000")
    frame = decode_frame(bytes.fromhex("7a0101") + b"\x0a" + bytes([len(inside)]) + inside)
    assert (frame.kind, frame.text) == ("text", "hi")
    assert decode_frame(encode_text("grüße")).text == "grüße"


def test_a_wav_header_on_every_chunk_is_no_sound() -> None:
    """add_wav_header: each chunk is a file of its own; two channels are averaged."""
    wav = encode_wav(counted(960), 24_000)
    body = b"\x1a" + bytes([len(wav) & 0x7F | 0x80, len(wav) >> 7]) + wav + bytes.fromhex("20c0bb012801")
    frame = decode_frame(b"\x12" + bytes([len(body) & 0x7F | 0x80, len(body) >> 7]) + body)
    assert frame.sample_rate == 24_000 and count_of(frame.samples()) == list(range(1, 961))
    stereo = decode_frame(bytes.fromhex("120b1a040200040020807d2802"))
    assert np.array_equal(stereo.samples() * 32_768, [3])


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ("", "no frame of Pipecat's"),
        ("1a00ff", "break off inside a number"),
        ("0b", "no protobuf; is its serializer"),
        ("120b1a04", "no protobuf; is its serializer"),
        ("0a021805", "field 3 is of the wrong type"),
        ("7b226576656e74223a22737461727422", "is its serializer the protobuf one"),
        ("ffffffffffffffffffffff", "break off inside a number"),
    ],
)
def test_bytes_that_are_no_frame_are_refused(data: str, sentence: str) -> None:
    """JSON of another serializer among them; nothing else than a RemoteError ever."""
    with pytest.raises(RemoteError, match=sentence):
        decode_frame(bytes.fromhex(data))


def test_client_ready_is_answered_before_a_session_begins() -> None:
    """With a version, a library and an id; a version of RTVI that is not known is refused."""
    driven = driver()
    (ready,) = rtvi_sent(driven)
    assert (ready["label"], ready["type"], bool(ready["id"])) == ("rtvi-ai", "client-ready", True)
    assert ready["data"]["version"] == "2.2.0" and ready["data"]["about"]["library"]
    assert not driven.core.ready
    driven.receive(binary(told("bot-ready", version="1.0.0")))
    assert driven.core.ready and driven.noted("remote_ready") == [{"server": "rtvi 1.0.0"}]
    with pytest.raises(RemoteError, match=r"speaks RTVI '3\.0\.0'; versions 1 and 2"):
        driver().receive(binary(told("bot-ready", version="3.0.0")))
    assert driver(rtvi=False).core.ready


def test_sound_comes_twice_as_fast_and_is_heard_at_its_pace() -> None:
    """40 ms chunks every 20 ms: nothing is lost, nothing early; an interruption is silence with the next frame."""
    driven = driver(rtvi=False)
    sound = counted(24_000)
    for chunk in range(20):
        driven.receive(binary(encode_audio(sound[960 * chunk : 960 * (chunk + 1)], 24_000))).step()
    assert count_of(np.concatenate(driven.said)) == list(range(1, 20 * 480 + 1))
    driven.receive(binary(encode_interruption()), binary(told("bot-interrupted"))).step(3)
    assert count_of(np.concatenate(driven.said)) == list(range(1, 20 * 480 + 1))
    (end,) = driven.noted("audio_end")
    assert (end["said_samples"], end["dropped_samples"], end["cut"]) == (9600, 9600, True)


def test_a_burst_that_is_over_is_told_by_the_bot() -> None:
    """A word shorter than the jitter buffer is said at once when the bot has stopped."""
    driven = driver(rtvi=False, jitter_s=10)
    driven.receive(binary(encode_audio(counted(480), 24_000))).step()
    assert not driven.sound()
    driven.receive(binary(told("bot-stopped-speaking"))).step(2)
    assert count_of(np.concatenate(driven.said)) == list(range(1, 481))
    assert driven.noted("audio_end")[0]["cut"] is False


def test_words_and_calls_become_events() -> None:
    """What both said, told once whichever word the bot has for it; functions with what it tells of them."""
    driven = driver()
    driven.receive(
        binary(told("bot-ready", version="2.2.0")),
        binary(told("user-transcription", text="A ta", final=False)),
        binary(told("user-transcription", text="A table.", final=True)),
        binary(told("user-input", text="A table.", final=True, input_type="transcription")),
        binary(told("user-input", text="typed", final=True, input_type="chat")),
        binary(told("user-input", text="A table.", final=True, input_type="transcription")),
        binary(told("bot-transcription", text=" For two? ")),
        binary(told("llm-function-call-in-progress", tool_call_id="c", function_name="book", arguments={"n": 2})),
        binary(told("llm-function-call-stopped", tool_call_id="c", function_name="book", cancelled=False, result="ok")),
        binary(told("server-message", type="mood", value=3)),
        binary(told("error-response", error="Unsupported type x")),
        binary(encode_text("plain")),
    )
    said = [(fields["of"], fields["text"]) for fields in driven.noted("transcript")]
    assert said == [("user", "A table."), ("user", "A table."), ("agent", "For two?"), ("agent", "plain")]
    assert driven.noted("tool_call") == [{"id": "c", "name": "book", "arguments": {"n": 2}}]
    assert driven.noted("tool_result") == [{"id": "c", "name": "book", "answer": "ok"}]
    assert driven.noted("remote_message") == [{"topic": "mood", "data": {"type": "mood", "value": 3}}]
    assert driven.noted("remote_error")[0]["message"] == "Unsupported type x"
    with pytest.raises(RemoteError, match="an error that ended its pipeline: no credit"):
        driven.receive(binary(told("error", error="no credit.", fatal=True)))


def test_keys_go_as_buttons() -> None:
    """One message for keys pressed at once, as its clients do."""
    driven = driver(rtvi=False)
    driven.core.press("12#", 0)  # type: ignore[attr-defined] # of TakesKeys
    driven.receive()
    assert rtvi_sent(driven)[-1]["type"] == "dtmf"
    assert rtvi_sent(driven)[-1]["data"] == {"buttons": ["1", "2", "#"]}


@pytest.mark.parametrize(
    ("frame", "sentence"),
    [
        (encode_audio(counted(10), 16_000), "sends sound at 16000 Hz; described are 24000 Hz (`output_rate`)"),
        (b"\x22\x02\x0a\x00", "sent a message that is no JSON"),
        (encode_message([1]), "sent a message that is no JSON object"),
    ],
)
def test_a_bot_that_is_set_otherwise_is_told_in_a_sentence(frame: bytes, sentence: str) -> None:
    """The rate, the message."""
    with pytest.raises(RemoteError) as error:
        driver(rtvi=False).receive(binary(frame))
    assert sentence in str(error.value)


def test_a_bot_that_speaks_before_it_is_ready_and_one_that_is_taken_are_told() -> None:
    """The one is heard all the same, the other ends the session."""
    driven = driver().receive(binary(encode_audio(counted(480), 24_000)), binary(told("bot-ready", version="2.0.0")))
    assert driven.noted("remote_error") == [
        {"code": "early", "message": "it speaks before it has answered client-ready"}
    ]
    assert driven.step(2).sound() == 480
    with pytest.raises(RemoteError, match=r"one client at a time"):
        driver().core.lost("closed the connection (code 1013: Server already has a connected client)", -1)
    assert "rtvi: false" in driver().core.awaited  # type: ignore[attr-defined] # of Awaiting
    left = driver(rtvi=False)
    left.core.lost("closed the connection (code 1000)", 0)
    assert left.core.done


def served_told(found: list[Any]) -> list[tuple[str, Any]]:
    """What a served bot answered, by its kind and data."""
    frames = [decode_frame(data) for data in found]
    messages = [json.loads(frame.text) if frame.kind == "message" else {} for frame in frames]
    return [
        (message.get("type", frame.kind), message.get("data")) for frame, message in zip(frames, messages, strict=True)
    ]


def test_a_served_bot_answers_a_client_in_its_words() -> None:
    """bot-ready with the client's id and version; keys, text and goodbye; another version is told, and goes on."""
    words = PipecatWords(16_000, 20)
    about, answer = words.receive(told("client-ready", "x", version="1.2.0", about={"library": "js"}))
    assert isinstance(about, ClientTold) and isinstance(answer, AtOnce)
    (ready,) = answer.messages
    assert isinstance(ready, bytes)
    assert json.loads(decode_frame(ready).text)["id"] == "x"
    assert served_told([ready])[0][1]["version"] == "1.2.0"
    assert words.receive(told("dtmf", buttons=["4", "2"])) == [
        ClientTold("keys_pressed", {"digits": "42", "band": "out"})
    ]
    assert words.receive(told("send-text", content="Hi")) == [ClientTold("client_message", {"text": "Hi"})]
    assert words.receive(told("disconnect-bot")) == [Over()]
    (answer,) = PipecatWords(16_000, 20).receive(told("client-ready"))[1:]
    assert [type_ for type_, _ in served_told(answer.messages)] == ["error-response", "bot-ready"]  # type: ignore[union-attr]
    (answer,) = words.receive(told("raw-video", "y"))
    assert served_told(answer.messages) == [("error-response", {"error": "Unsupported type raw-video"})]  # type: ignore[union-attr]


def test_a_served_bot_tells_of_its_speech_and_takes_any_rate() -> None:
    """A cut is an interruption; RTVI only behind client-ready; 24 kHz become frames of 20 ms at 16 kHz."""
    words = PipecatWords(16_000, 20)
    start = Event(0, "speech_start", "agent", {"id": "agent-1", "text": "Good evening."})
    cut = Event(9, "speech_end", "agent", {"id": "agent-1", "cut": True})
    assert words.tell([start], [" Good"]) == []
    assert served_told(words.tell([cut], [])) == [("interruption", None)]
    words.receive(told("client-ready", version="2.2.0"))
    assert served_told(words.tell([start, cut], [" Good"])) == [
        ("bot-started-speaking", None),
        ("bot-transcription", {"text": "Good evening."}),
        ("interruption", None),
        ("bot-interrupted", None),
        ("bot-stopped-speaking", None),
        ("bot-tts-text", {"text": "Good"}),
    ]
    (frames,) = words.receive(encode_audio(counted(24_000), 24_000))
    assert isinstance(frames, Frames) and {len(frame) for frame in frames.frames} == {320}
    assert 45 <= len(frames.frames) <= 50
    with pytest.raises(RemoteError, match="sent sound at 0 Hz"):
        words.receive(bytes.fromhex("12021a00"))
    with pytest.raises(RemoteError, match="sent a text message"):
        words.receive("hello")
