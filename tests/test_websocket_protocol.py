"""Rules of the WebSocket that a scenario describes, on its core: no socket, no clock."""

import base64
from typing import Any

import numpy as np
import pytest

from agents.remote.peer_core import Send
from agents.remote.wire_audio import WireFormat
from agents.silent import SilentSpec
from agents.websocket.actor import WebSocketSpec
from agents.websocket.protocol import SocketCore
from agents.websocket.server import ServedReceive, WebSocketServerSpec
from simulator.errors import RemoteError, ScenarioError
from simulator.frame import Samples
from simulator.sound.dtmf import tones
from simulator.spec import decode
from simulator.testing import burst
from tests.contracts.stream_peers import Stepped

PCM = WireFormat(rate=16_000)
FRAME = 320
"""Samples of 20 ms at 16 kHz."""
OPENED = {"type": "opened"}
WORDED: dict[str, Any] = {
    "send": {
        "json": {"type": "audio", "data": "{audio}", "at": "{ms}", "n": "{number}"},
        "mark": {"type": "played", "name": "{mark}"},
        "played": {"type": "position", "ms": "{ms}"},
        "played_every": "40ms",
        "digits": {"type": "keys", "digits": "key {digits}"},
        "pong": {"type": "pong"},
    },
    "receive": {
        "audio": "$.data", "text": "$.transcript", "heard": {"path": "$.user.text", "when": {"final": True}},
        "clear": {"type": "interrupt"}, "done": {"type": "end"}, "mark": "$.marks[0].name", "digits": "$.keys",
        "hang_up": {"type": "bye"}, "error": "$.error", "ping": {"type": "ping"}, "rate": "$.rate",
    },
}  # fmt: skip


class Socket(Stepped):
    """A socket whose core is stepped by hand."""

    def __init__(self, **keys: Any) -> None:
        data = {"kind": "websocket", "url": "ws://127.0.0.1:1/talk", "jitter": "0ms", **keys}
        spec: Any = decode(data, WebSocketSpec, source="test", folder=None)  # type: ignore[arg-type]
        self.core = SocketCore(spec.settings())
        super().__init__(self.core, FRAME)

    def gets(self, *messages: Any) -> "Socket":
        """Hand over JSON messages; bytes are binary ones."""
        for message in messages:
            told = {"binary": base64.b64encode(message).decode()} if isinstance(message, bytes) else {"json": message}
            self.core.receive(message if message == OPENED else told, self.at)
        return self.take()


def sound(samples: Samples) -> dict[str, Any]:
    """A message with sound, as the description has it."""
    return {"type": "audio", "data": PCM.encode(samples)}


def test_sound_goes_out_in_the_words_described() -> None:
    """Base64 in its place; a placeholder that stands alone becomes a number: the end in ms, the count."""
    socket = Socket(**WORDED).gets(OPENED)
    loud = burst(FRAME)
    socket.step(2, loud)
    assert socket.sounds[1] == {"type": "audio", "data": PCM.encode(loud), "at": 40, "n": 2}


def test_without_words_sound_is_binary_both_ways() -> None:
    """Bytes in the forms of `up` and `down`; what comes cut anywhere is joined."""
    socket = Socket(up={"encoding": "mulaw", "rate": 16_000}).gets(OPENED)
    ramp = np.arange(FRAME, dtype=np.float32) / 1024
    data = PCM.pack(ramp)
    socket.gets(data[:101], data[101:])
    assert np.array_equal(socket.step(heard=ramp), ramp)
    assert len(base64.b64decode(socket.sounds[0]["binary"])) == FRAME


def test_a_clear_is_silence_with_the_next_frame_and_tells_what_was_heard() -> None:
    """Of 2 s sent at once 60 ms were heard: the position says 60, the mark behind comes back, the rest is dropped."""
    socket = Socket(**WORDED).gets(OPENED, sound(burst(32_000)), {"marks": [{"name": "m1"}]})
    socket.step(3)
    socket.sent.clear()
    socket.gets({"type": "interrupt"})
    assert socket.sent == [{"type": "position", "ms": 60}, {"type": "played", "name": "m1"}]
    assert not socket.step(5).any()
    (end,) = socket.noted("audio_end")
    assert (end["said_samples"], end["cut"], end["dropped_samples"]) == (960, True, 31_040)


def test_marks_come_back_in_order_when_their_sound_was_heard() -> None:
    """The first behind 30 ms, the second behind 50: given with the frames that begin at 40 and at 60 ms."""
    socket = Socket(**WORDED).gets(OPENED)
    for name, count in (("a", 480), ("b", 320)):
        socket.gets(sound(burst(count)), {"marks": [{"name": name}]})
    found = []
    for _ in range(4):
        socket.step()
        found.append([message["name"] for message in socket.sent if message["type"] == "played"])
        socket.sent.clear()
    assert found == [[], [], ["a"], ["b"]]


def test_sound_that_comes_all_at_once_is_heard_at_its_pace_without_loss() -> None:
    """Three seconds in one message: sample for sample, in frames, acknowledged every 40 ms."""
    socket = Socket(**WORDED).gets(OPENED)
    counted = (np.arange(48_000, dtype=np.float32) % 30_000 + 1) / 32_768
    socket.gets(sound(counted), {"type": "end"})
    assert np.array_equal(socket.step(150), counted)
    socket.step(2)
    positions = [message["ms"] for message in socket.sent]
    assert positions == list(range(40, 3001, 40)) and socket.noted("audio_end")[0]["cut"] is False


def test_the_far_ends_words_are_events() -> None:
    """Its text, what it understood (where the match holds), its keys, its complaint; a ping is answered."""
    socket = Socket(**WORDED).gets(
        OPENED, {"transcript": "Good evening."}, {"user": {"text": "Hel"}, "final": False},
        {"user": {"text": "Hello."}, "final": True}, {"keys": "5#"}, {"error": {"code": 7}}, {"type": "ping"},
    )  # fmt: skip
    assert [(note["of"], note["text"]) for note in socket.noted("transcript")] == [
        ("agent", "Good evening."), ("user", "Hello."),
    ]  # fmt: skip
    assert socket.noted("keys_pressed") == [{"digits": "5#", "band": "out"}]
    assert socket.noted("remote_error") == [{"message": '{"code":7}'}]
    assert socket.sent == [{"type": "pong"}]


def test_keys_go_out_in_words_and_come_in_as_tones() -> None:
    """The caller's as described; the far end's are heard in what it says."""
    socket = Socket(**WORDED).gets(OPENED)
    socket.core.press("1", 0)
    socket.take().gets(sound(tones("4*", 16_000)))
    socket.step(40)
    assert {"type": "keys", "digits": "key 1"} in socket.sent
    assert [note["digits"] for note in socket.noted("keys_pressed")] == ["4", "*"]


def test_hello_waits_for_ready_and_bye_is_last() -> None:
    """Rates are filled in; sound before it is ready is the far end's fault, in a sentence."""
    keys: dict[str, Any] = {"hello": {"type": "start", "rate": "{rate}"}, "bye": [{"a": 1}, {"b": 2}],
                            "receive": {"ready": {"type": "ok"}}}  # fmt: skip
    early = Socket(**keys).gets(OPENED)
    with pytest.raises(RemoteError, match=r"speaks before it is ready: sound came before {\"type\":\"ok\"}"):
        early.gets(b"\0\0")
    socket = Socket(**keys).gets(OPENED)
    assert socket.sent == [{"type": "start", "rate": 16_000}] and not socket.core.ready
    socket.gets({"type": "ok", "more": 1})
    assert socket.core.ready
    socket.core.close(0)
    assert socket.take().sent[1:] == [{"a": 1}, {"b": 2}]


def test_who_hangs_up_is_heard_to_the_end_and_sent_no_more() -> None:
    """By its word or by closing in good order; a connection that breaks is a failure."""
    socket = Socket(**WORDED).gets(OPENED, sound(burst(640)), {"type": "bye"})
    socket.core.lost("closed the connection (code 1000)", 0)
    assert not socket.core.done
    assert socket.step(2).any() and socket.core.done and socket.sounds == []
    with pytest.raises(RemoteError, match="without a goodbye"):
        Socket().gets(OPENED, PCM.pack(burst(640))).core.lost("broke the connection without a goodbye", 0)
    with pytest.raises(RemoteError, match=r"code 1000.*keys hello"):
        Socket().gets(OPENED, {"hello": 1}).core.lost("closed the connection (code 1000)", 0)


def test_what_is_not_described_is_told_with_what_was_looked_for() -> None:
    """A place whose `when` fits and that is not there, at once; else, at the end, that nothing was anything."""
    receive = {"audio": {"path": "$.payload", "when": {"event": "media"}}, "text": "$.text"}
    media = {"event": "media", "media": {"payload": "AAAA"}}
    socket = Socket(receive=receive).gets(OPENED, media, media)
    lacking = "a message matched `audio` but has no `$.payload`"
    assert socket.noted("remote_error") == [{"code": "not_described", "message": lacking}]
    with pytest.raises(RemoteError, match=r"code 1000.*matched `audio` but has no"):
        socket.core.lost("closed the connection (code 1000)", 0)
    strange = Socket(receive=receive).gets(OPENED, {"type": "a", "b": 1}, {"type": "c"})
    strange.step(20)
    strange.core.close(strange.at)
    whole = "nothing that came is described by `receive`; the first was one with the keys type, b"
    described, silent = strange.take().noted("remote_error")
    assert (described, silent["code"]) == ({"code": "not_described", "message": whole}, "never_spoke")
    partly = Socket(receive=receive).gets(OPENED, {"type": "a"}, {"text": "Good evening."})
    partly.core.close(0)
    (silent,) = partly.take().noted("remote_error")
    assert silent["message"].endswith(
        "the last of its messages that `receive` says nothing of was one with the keys type"
    )


def doubts(data: list[bytes], **keys: Any) -> list[Any]:
    """The code of each complaint about a session with these binary messages, one a frame."""
    socket = Socket(**keys).gets(OPENED)
    for piece in data:
        socket.gets(piece)
        socket.step()
    socket.step(20)
    socket.core.close(socket.at)
    return [note.get("code") for note in socket.take().noted("remote_error")]


def test_typical_mistakes_are_told_by_what_the_sound_is_like() -> None:
    """Nothing comes; PCM is read as mu-law and mu-law as PCM; 8 kHz is read as 16: half of every frame is missing."""
    speech = burst(32_000)
    pcm, law = PCM.pack(speech), WireFormat(encoding="mulaw", rate=8000).pack(speech)
    frames = [pcm[at : at + 640] for at in range(0, len(pcm), 640)]
    assert doubts([]) == ["never_spoke"]
    assert doubts(frames) == []
    assert "wrong_codec" in doubts([pcm], down={"encoding": "mulaw"})
    assert "wrong_codec" in doubts([law])
    slow = [PCM.pack(speech[at : at + 160]) for at in range(0, 16_000, 160)]
    assert doubts(slow) == ["wrong_rate"]


def test_what_is_billed_is_told_in_seconds() -> None:
    """Under the name of its prices: time of the session, sound sent and received; without one nothing."""
    socket = Socket(billed_as="our-agent").gets(OPENED, PCM.pack(burst(3200)))
    socket.step(25)
    socket.core.close(socket.at)
    (usage,) = socket.take().noted("usage")
    assert usage == {"model": "our-agent", "session_s": 0.5, "input_s": 0.5, "output_s": 0.2}
    free = Socket().gets(OPENED)
    free.step()
    free.core.close(free.at)
    assert free.take().noted("usage") == []


def test_a_rate_that_is_told_must_be_the_one_described() -> None:
    """However it is written; the sentence names both."""
    Socket(**WORDED).gets(OPENED, {"rate": 16_000}, {"rate": 16_000.0}, {"rate": "16000"})
    with pytest.raises(RemoteError, match="at 24000 Hz; described is pcm16 at 16000 Hz"):
        Socket(**WORDED).gets(OPENED, {"rate": 24_000, "data": ""})


def test_binary_sound_where_json_is_described_is_told() -> None:
    """With the key to leave out."""
    with pytest.raises(RemoteError, match=r"described as JSON at \$\.data"):
        Socket(**WORDED).gets(OPENED, b"\0\0")


def test_a_server_refuses_a_goodbye_that_every_message_would_be() -> None:
    """An empty match is in every message: the first one would end the session."""
    spec = WebSocketServerSpec(receive=ServedReceive(bye={}))
    with pytest.raises(ScenarioError, match="an empty match is every message"):
        spec.check(SilentSpec())


def test_messages_may_be_texts_that_are_no_json() -> None:
    """A text described is the whole message, both ways; another one is told as what nothing describes."""
    words: dict[str, Any] = {
        "hello": "start {rate}", "bye": "stop", "send": {"pong": "pong", "digits": "{digits}", "json": "{audio}"},
        "receive": {"ready": "ok", "ping": "ping", "clear": "stop", "audio": "$.data"},
    }  # fmt: skip
    socket = Socket(**words).gets(OPENED)
    for text in ("ok", "ping", "pinging"):  # nothing says what the last one is
        socket.core.receive({"text": text}, socket.at)
    socket.core.press("1", 0)
    loud = burst(FRAME)
    socket.step(2, loud)
    socket.gets(sound(burst(FRAME)))
    socket.core.receive({"text": "stop"}, socket.at)
    assert not socket.step().any()
    assert [message["text"] for message in socket.sent] == ["start 16000", "pong", "1"]
    assert socket.sounds[1]["text"] == PCM.encode(loud)
    assert "the text 'pinging'" in socket.core.unheard.hint


def test_a_pong_repeats_what_the_ping_said() -> None:
    """As it was, number or text; a ping without it is answered with nothing there."""
    receive = {"ping": {"type": "ping"}, "ping_id": "$.event.id"}
    socket = Socket(send={"pong": {"type": "pong", "id": "{ping_id}"}}, receive=receive).gets(OPENED)
    socket.gets({"type": "ping", "event": {"id": 7}}, {"type": "ping"})
    assert [message["id"] for message in socket.sent] == [7, None]


def test_secrets_stand_in_every_message_that_is_sent() -> None:
    """`${NAME}` goes to the socket as what it expands; a message with words of the far end's expands none of theirs."""
    send = {"json": {"key": "${TEST_KEY}", "data": "{audio}"}, "mark": {"key": "${TEST_KEY}", "name": "{mark}"}}
    core = Socket(send=send, receive={"mark": "$.mark"}, jitter="0ms").gets(OPENED).core
    core.hear(burst(FRAME), 0)
    core.receive({"json": {"mark": "plain"}}, 0)
    core.hear(burst(FRAME), FRAME)
    core.receive({"json": {"mark": "${OTHER_KEY}"}}, FRAME)
    core.hear(burst(FRAME), 2 * FRAME)
    sent = [action.message for action in core.actions.take() if isinstance(action, Send)]
    assert [message.get("secret", False) for message in sent] == [True, True, True, False, True]


def test_a_text_that_is_no_json_is_its_own_place() -> None:
    """`$` finds what is said in bare texts, and nothing in an object."""
    socket = Socket(receive={"text": "$"}).gets(OPENED, {"type": "status"})
    socket.core.receive({"text": "Good evening."}, 0)
    assert [note["text"] for note in socket.take().noted("transcript")] == ["Good evening."]


def test_a_text_that_is_meant_as_a_value_is_told() -> None:
    """`clear: interrupt` is a bare text; an object that holds it is named, once."""
    socket = Socket(receive={"clear": "interrupt"}).gets(OPENED, {"type": "interrupt"}, {"type": "interrupt"})
    (told,) = socket.noted("remote_error")
    assert told["message"] == "`clear` describes a bare text, and a message came with {type: interrupt}"
