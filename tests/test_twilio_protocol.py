"""Rules of Twilio Media Streams on both cores, and of the webhook: no socket, no clock."""

import json
from typing import Any

import numpy as np
import pytest

from agents.serve.stream import ClientTold, Frames, Over
from agents.twilio.protocol import MULAW, MediaStreamCore, StreamSettings
from agents.twilio.server_protocol import MediaStreamWords
from agents.twilio.webhook import read_order, signature
from simulator.errors import RemoteError
from simulator.events import Event
from simulator.testing import burst
from tests.contracts.stream_peers import Stepped

STREAM, CALL, ACCOUNT = "MZ" + "1" * 32, "CA" + "2" * 32, "AC" + "3" * 32
FRAME = 160


class Call(Stepped):
    """A call that is stepped by hand, 20 ms at a time; its media is sent in one sequence with the rest."""

    def __init__(self) -> None:
        self.core = MediaStreamCore(StreamSettings())
        super().__init__(self.core, FRAME)
        self.sounds = self.sent
        call = {"streamSid": STREAM, "callSid": CALL, "accountSid": ACCOUNT, "customParameters": {"k": "v"}}
        self.core.receive({"type": "opened", "call": call}, -1)
        self.take()

    def gets(self, event: str, **body: Any) -> "Call":
        """A message of the agent's."""
        self.core.receive({"json": {"event": event, "streamSid": STREAM, **({event: body} if body else {})}}, self.at)
        return self.take()

    def events(self, event: str) -> list[dict[str, Any]]:
        """What was sent of an event."""
        return [message for message in self.sent if message["event"] == event]


def test_a_call_in_the_words_of_the_documentation() -> None:
    """connected without a number, start, media of 160 bytes, dtmf, stop: one sequence of texts."""
    call = Call()
    loud = burst(FRAME)
    call.step(2, loud)
    call.core.press("5", call.at)
    call.core.close(call.at)
    call.take()
    payload = MULAW.encode(loud)
    place = {"streamSid": STREAM}
    assert call.sent == [
        {"event": "connected", "protocol": "Call", "version": "1.0.0"},
        {"event": "start", "sequenceNumber": "1", **place, "start": {
            "streamSid": STREAM, "accountSid": ACCOUNT, "callSid": CALL, "tracks": ["inbound"],
            "customParameters": {"k": "v"},
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}}},
        {"event": "media", "sequenceNumber": "2", **place,
         "media": {"track": "inbound", "chunk": "1", "timestamp": "0", "payload": payload}},
        {"event": "media", "sequenceNumber": "3", **place,
         "media": {"track": "inbound", "chunk": "2", "timestamp": "20", "payload": payload}},
        {"event": "dtmf", "sequenceNumber": "4", **place, "dtmf": {"track": "inbound_track", "digit": "5"}},
        {"event": "stop", "sequenceNumber": "5", **place, "stop": {"accountSid": ACCOUNT, "callSid": CALL}},
    ]  # fmt: skip


def test_marks_come_back_after_their_media_at_once_when_nothing_waits_and_on_a_clear() -> None:
    """The three cases of the documentation; a clear is silence with the next frame, and has no answer of its own."""
    call = Call()
    call.gets("mark", name="empty")
    call.gets("media", payload=MULAW.encode(burst(2 * FRAME)))
    call.gets("mark", name="after")
    call.gets("media", payload=MULAW.encode(burst(50 * FRAME)))
    call.gets("mark", name="cleared")
    found = []
    for _ in range(4):
        call.sent.clear()
        call.step()
        found.append([message["mark"]["name"] for message in call.events("mark")])
    assert found == [["empty"], [], ["after"], []]
    call.sent.clear()
    call.gets("clear")
    assert [message["mark"]["name"] for message in call.sent] == ["cleared"]
    assert not call.step(3).any()
    assert [fields["said_samples"] for fields in call.noted("audio_end")] == [4 * FRAME]


def test_what_the_agent_says_is_heard_sample_for_sample() -> None:
    """Pieces of any size, in order."""
    call, sound = Call(), MULAW.unpack(bytes(range(256)) * 5)
    for start, end in ((0, 1), (1, 500), (500, 1280)):
        call.gets("media", payload=MULAW.encode(sound[start:end]))
    assert np.array_equal(call.step(8), sound)


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        ({"json": {"event": "media", "media": {"payload": ""}}}, "it speaks before it has read `start`"),
        ({"json": {"event": "clear", "streamSid": "MZother"}}, "which is not this call's"),
        ({"binary": "AAAA"}, "no JSON object; Twilio takes media, mark and clear as JSON text"),
        ({"json": {"event": "media", "streamSid": STREAM, "media": {"payload": "#"}}}, "not base64"),
    ],
)
def test_what_no_stream_takes_is_told(message: Any, sentence: str) -> None:
    """One sentence each."""
    with pytest.raises(RemoteError) as refused:
        Call().core.receive(message, 0)
    assert sentence in str(refused.value)


def test_an_unknown_event_is_told_with_twilios_number_and_a_polite_end_is_a_hang_up() -> None:
    """31951, and the call goes on; an agent that closes before it said anything has failed."""
    call = Call().gets("dtmf", digit="1")
    assert [fields["code"] for fields in call.noted("remote_error")] == ["31951"]
    with pytest.raises(RemoteError):
        call.core.lost("closed the connection (code 1000)", 0)
    call.gets("media", payload=MULAW.encode(burst(FRAME)))
    call.core.lost("closed the connection (code 1000)", 0)
    assert not call.core.done and call.step().any() and call.core.done


def test_the_signature_is_the_documentations_own() -> None:
    """Twilio's worked example."""
    form = {
        "CallSid": "CA1234567890ABCDE", "Caller": "+12349013030", "Digits": "1234", "From": "+12349013030",
        "To": "+18005551212",
    }  # fmt: skip
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert signature("12345", url, form) == "0/KCTR6DLpKmkAf8muzZqo1nDgQ="


def twiml(inside: str) -> bytes:
    """An answer to a call."""
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{inside}</Response>'.encode()


def test_twiml_names_the_stream_and_its_parameters() -> None:
    """Verbs before <Connect> are passed over; ws:// goes on this machine alone."""
    body = twiml(
        '<Say>Hi</Say><Connect><Stream url="wss://a.example/s"><Parameter name="k" value="v"/></Stream></Connect>'
    )
    order = read_order(body)
    assert (order.url, order.parameters) == ("wss://a.example/s", {"k": "v"})
    assert read_order(twiml('<Connect><Stream url="ws://127.0.0.1:8/s"/></Connect>')).url == "ws://127.0.0.1:8/s"


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"hello", "answered with no TwiML"),
        (b"<html/>", "answered with <html>; TwiML is a <Response>"),
        (twiml("<Say>Hi</Say><Hangup/>"), "answered with <Say>, <Hangup>; <Connect><Stream> is expected"),
        (twiml('<Start><Stream url="wss://a/b"/></Start>'), "which only listens"),
        (twiml("<Connect/>"), "<Connect> without a <Stream>"),
        (twiml('<Connect><Stream url="wss://a.example/s?k=v"/></Connect>'), "query string"),
        (twiml('<Connect><Stream url="https://a.example/s"/></Connect>'), "Twilio dials wss:// only"),
        (twiml('<Connect><Stream url="ws://a.example/s"/></Connect>'), "Twilio dials wss:// only"),
        (twiml('<Connect><Stream url="wss://a/b"><Parameter value="v"/></Stream></Connect>'), "without a name"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><Response/>', "document type"),
        (b"<Response>" + b" " * 70_000 + b"</Response>", "too large"),
    ],
)
def test_an_answer_that_connects_nobody_is_told(body: bytes, sentence: str) -> None:
    """One sentence each."""
    with pytest.raises(RemoteError) as refused:
        read_order(body)
    assert sentence in str(refused.value)


def given(words: MediaStreamWords, **message: Any) -> list[Any]:
    """A message of the client's."""
    return list(words.receive(json.dumps(message)))


def test_the_served_side_answers_20_ms_with_20_ms_and_marks_utterances() -> None:
    """Media of any size becomes frames; keys, marks and parameters are told; stop is the end."""
    words = MediaStreamWords()
    assert given(words, event="connected", protocol="Call", version="1.0.0") == []
    (told,) = given(words, event="start", streamSid=STREAM, start={"customParameters": {"k": "v"}})
    assert told == ClientTold("client_message", {"settings": {"k": "v"}})
    sound = burst(400)
    (frames,) = given(words, event="media", media={"payload": MULAW.encode(sound)})
    assert isinstance(frames, Frames) and [len(frame) for frame in frames.frames] == [160, 160]
    assert given(words, event="dtmf", dtmf={"digit": "#"}) == [
        ClientTold("keys_pressed", {"digits": "#", "band": "out"})
    ]
    assert given(words, event="mark", mark={"name": "a"}) == [ClientTold("client_message", {"settings": {"mark": "a"}})]
    assert given(words, event="stop", stop={}) == [Over()]
    (said,) = words.say(sound[:160])
    assert json.loads(said)["media"]["payload"] == MULAW.encode(sound[:160]) and json.loads(said)["streamSid"] == STREAM
    (mark,) = words.tell([Event(0, "speech_end", "agent", {"id": "agent-1"})], [])
    assert json.loads(mark) == {"event": "mark", "streamSid": STREAM, "mark": {"name": "agent-1"}}


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        ("{", "no JSON"),
        (b"\0", "binary message"),
        ('{"event": "media"}', "media before start"),
        ('{"event": "speak"}', "known are connected, start"),
        ('{"event": "start", "start": {}}', "start without a streamSid"),
        ('{"event": "start", "streamSid": "MZ", "start": {"mediaFormat": {"encoding": "audio/l16"}}}', "mulaw at 8000"),
        ('{"event": "start", "streamSid": "MZ", "start": "MZ"}', "sent 'start', but start is no object"),
        ('{"event": "start", "streamSid": "MZ", "start": {"customParameters": []}}', "customParameters is no object"),
    ],
)
def test_a_client_that_does_not_speak_as_twilio_does_is_told(message: Any, sentence: str) -> None:
    """One sentence each."""
    with pytest.raises(RemoteError, match=sentence):
        MediaStreamWords().receive(message)
