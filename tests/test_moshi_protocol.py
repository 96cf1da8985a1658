"""Rules of the Moshi protocol, both ends, on recorded bytes and without I/O."""

from pathlib import Path

import numpy as np
import pytest

from agents.moshi.protocol import (
    FRAME,
    MOST_AHEAD,
    LocalProtocolError,
    Metadata,
    MoshiClient,
    MoshiServer,
    Ready,
    RemoteProtocolError,
    Sound,
    Text,
    Trouble,
)
from agents.moshi.protocol import Server as ServerName
from agents.remote.trace import read_trace
from simulator.frame import silence
from simulator.sound.opus import OpusEncoder
from tests.contracts.moshi_peers import numbers

LOGS = Path(__file__).parent / "data" / "moshi"
HANDSHAKE = b"\x00"


def talking(server: ServerName = "auto", handshake: bytes = HANDSHAKE, frames: int = 0) -> MoshiClient:
    """A client that has shaken hands and sent so many frames."""
    client = MoshiClient(server)
    client.receive(handshake)
    for _ in range(frames):
        client.send(silence(FRAME))
    return client


def sounding(frames: int) -> bytes:
    """An audio message of so many silent frames."""
    return b"\x01" + OpusEncoder().encode(silence(frames * FRAME))


@pytest.mark.parametrize(
    ("log", "dialect", "frames_of_text"),
    [("moshi", "moshi", range(1, 9)), ("personaplex", "moshi", range(8)), ("rust", "rust", range(2, 10))],
)
def test_recorded_servers_are_understood(log: str, dialect: str, frames_of_text: range) -> None:
    """From the bytes of each server come its dialect, every frame in order, and the model's frame of each text."""
    client, events = MoshiClient(), []
    for record in read_trace(LOGS / f"{log}.jsonl").received():
        if client.state == "open":
            client.send(silence(FRAME))
        events += client.receive(record.payload)
    assert [event.dialect for event in events if isinstance(event, Ready)] == [dialect]
    sound = np.concatenate([event.samples for event in events if isinstance(event, Sound)])
    assert numbers(sound) == list(range(8))
    assert [event.text for event in events if isinstance(event, Text)] == [f" w{index}" for index in range(8)]
    if log != "personaplex":
        assert [event.frame for event in events if isinstance(event, Text)] == list(frames_of_text)


def test_text_of_personaplex_belongs_to_the_next_frame() -> None:
    """Its text precedes its audio, and its frame n answers input frame n: the first text is of frame 0."""
    client = talking("personaplex")
    frames = [
        event.frame
        for record in read_trace(LOGS / "personaplex.jsonl").received()[1:]
        for event in client.receive(record.payload)
        if isinstance(event, Text)
    ]
    assert frames == list(range(8))


@pytest.mark.parametrize(
    ("server", "handshake", "owed", "due"),
    [
        ("auto", HANDSHAKE, 9, 9),
        ("auto", HANDSHAKE + bytes(8), 8, 8),
        ("auto", HANDSHAKE + b"any", 9, 9),
        ("moshi", HANDSHAKE + bytes(8), 9, 9),
        ("personaplex", HANDSHAKE, 10, 9),
        ("rust", HANDSHAKE, 8, 8),
    ],
)
def test_frames_owed_and_in_flight(server: ServerName, handshake: bytes, owed: int, due: int) -> None:
    """For ten frames each server owes by its rule, and as many must be in before the next is sent in lock-step."""
    client = talking(server, handshake, frames=10)
    assert (client.owed, client.due) == (owed, due)


def test_metadata_before_the_handshake_is_the_rust_server() -> None:
    """0x04 before 0x00 decides, whatever the handshake's length; afterwards it decides nothing."""
    client = MoshiClient()
    assert client.receive(b"\x04{}") == [Metadata("{}")]
    assert client.receive(HANDSHAKE) == [Ready("rust")]
    late = talking()
    late.receive(b"\x04{}")
    assert late.dialect.first == 1


def test_nothing_is_sent_before_the_handshake() -> None:
    """Audio before 0x00 is lost, or worse, so the core refuses to make it."""
    with pytest.raises(LocalProtocolError, match="while waiting"):
        MoshiClient().send(silence(FRAME))


@pytest.mark.parametrize("message", [b"", b"\x06", b"\x07colour", b"\xff", b"\x03\x00", "text"])
def test_what_is_not_understood_is_ignored(message: bytes | str) -> None:
    """Unknown kinds, pings, empty messages and text frames change nothing, before and after the handshake."""
    assert MoshiClient().receive(message) == []
    client = talking()
    assert client.receive(message) == []
    assert client.state == "open"


def test_an_error_text_is_told() -> None:
    """0x05 is handed on; the server may go on."""
    assert talking().receive(b"\x05out of memory") == [Trouble("out of memory")]


@pytest.mark.parametrize(
    ("messages", "complaint"),
    [
        ([b"\x01OggS"], "sent audio before its handshake"),
        ([b"\x02hi"], "sent text before its handshake"),
        ([HANDSHAKE, b"\x01garbage"], "where an Ogg page must begin"),
        ([HANDSHAKE, sounding(MOST_AHEAD + 1)], f"sent {MOST_AHEAD + 1} frames for 0"),
    ],
)
def test_a_server_that_breaks_the_protocol_is_told_so(messages: list[bytes], complaint: str) -> None:
    """Each fault is one sentence, and the client is over."""
    client = MoshiClient()
    *before, last = messages
    for message in before:
        client.receive(message)
    with pytest.raises(RemoteProtocolError, match=complaint):
        client.receive(last)
    assert client.state == "failed"


def test_an_end_after_everything_owed_is_none_of_our_business() -> None:
    """Once nothing more is sent and the owed frames are in, any close is fine."""
    client = talking(frames=3)
    client.receive(sounding(2))
    client.finish()
    assert client.complete
    client.lost(1006)


@pytest.mark.parametrize(
    ("frames", "answered", "code", "complaint"),
    [
        (0, 0, 1006, r"closed the connection before its handshake \(code 1006\).*voice_prompt"),
        (10, 4, 1006, r"dropped the connection after 4 of 9 frames owed \(code 1006\); its own log says why"),
        (10, 4, 1000, r"ended the session after 4 of 9 frames owed \(code 1000\)"),
        (10, 9, 1000, r"ended the session after 9 of 9 frames owed"),
    ],
)
def test_an_early_end_says_what_to_check(frames: int, answered: int, code: int, complaint: str) -> None:
    """1006, or 1000 before done, is a failure with a sentence."""
    client = talking(frames=frames) if frames else MoshiClient()
    if answered:
        client.receive(sounding(answered))
    with pytest.raises(RemoteProtocolError, match=complaint):
        client.lost(code)


def test_the_server_gives_frames_for_pages_cut_anywhere() -> None:
    """N whole frames go in, N come out, whatever the client's messages look like."""
    server = MoshiServer()
    assert server.greet() == HANDSHAKE
    coded = OpusEncoder().encode(silence(10 * FRAME + 960))
    messages = [b"\x01" + coded[start : start + 61] for start in range(0, len(coded), 61)]
    frames = [frame for message in messages for frame in server.receive(message)]
    assert [len(frame) for frame in frames] == [FRAME] * 10


@pytest.mark.parametrize("message", [b"", b"\x01", b"\x00", b"\x03\x01", b"\x06", b"\x08x", "hello"])
def test_the_server_ignores_what_is_no_audio(message: bytes | str) -> None:
    """Control messages, pings, empty audio and text go unanswered, as Moshi's own servers do it."""
    assert MoshiServer().receive(message) == []


def test_the_server_refuses_audio_that_is_none() -> None:
    """Garbage ends the stream: it cannot be picked up again."""
    server = MoshiServer()
    with pytest.raises(RemoteProtocolError, match="Ogg page"):
        server.receive(b"\x01garbage")
    with pytest.raises(LocalProtocolError):
        server.receive(b"\x01garbage")
