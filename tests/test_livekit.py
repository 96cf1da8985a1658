"""Rules of `livekit` in whole sessions: against a double of the SDK, as no room server is to be had."""

import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

from agents.livekit import wire
from simulator.cli import main
from simulator.errors import ScenarioError
from simulator.testing import scenario_of
from tests.contracts import livekit_room
from tests.contracts.livekit_room import AGENT, LiveKitDouble, Participant, Room, TextStreamReader
from tests.contracts.moshi_peers import scripted
from tests.contracts.peer_sessions import KEY, assert_no_secret, of_type
from tests.contracts.stream_peers import assert_replays, talk_with

pytestmark = pytest.mark.usefixtures("loopback_key")

SPEC = {"kind": "livekit", "url": "ws://127.0.0.1:1", "api_key": "devkey", "api_secret": "${TEST_KEY}"}
TONE = (0.25 * np.sin(2 * np.pi * 440 * np.arange(10 * 960) / 48_000)).astype(np.float32)


def use(double: Any, patched: pytest.MonkeyPatch) -> None:
    """Have the double stand for the SDK."""

    async def sdk() -> Any:
        return double

    patched.setattr(wire, "need_sdk", sdk)


def test_a_call_in_a_room_and_its_trace_say_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One microphone at 48 kHz; sound, words and digits both ways; no token in the folder."""
    agent = Participant("agent-7", AGENT, {"lk.agent.state": "speaking"})

    async def script(room: Room) -> None:
        room.tell("participant_connected", agent)
        room.say(agent, TONE)
        reader = TextStreamReader("lk.transcription", ["Good ", "evening."], {}, {"lk.transcription_final": "true"})
        room.write("lk.transcription", reader, "agent-7")

    double = LiveKitDouble(script)
    use(double, monkeypatch)
    user = {"kind": "scripted", "turns": [{"at": "100ms", "press": "7"}]}
    session = talk_with({**SPEC, "agent_name": "booking"}, tmp_path, user=user, duration="600ms", sample_rate=48_000)
    assert session.meta.status == "completed", session.meta.problem
    assert np.count_nonzero(np.abs(session.said("agent")) > 0.01) > 9000
    assert of_type(session, "transcript") == [{"of": "agent", "text": "Good evening."}]
    (room,) = double.rooms
    ((track, options),) = room.local_participant.published
    assert options.source == double.TrackSource.SOURCE_MICROPHONE and track.source.form == (48_000, 1)
    assert len(track.source.frames) >= 25 and {len(frame.data) for frame in track.source.frames} == {1920}
    assert room.local_participant.digits == [(7, "7")] and room.left
    assert room.joined is not None and room.joined[1].count(".") == 2 and KEY not in room.joined[1]
    assert_no_secret(tmp_path)
    assert all(room.joined[1].encode() not in file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert_replays(session, tmp_path / "again", "600ms")


def test_a_room_that_is_refused_and_an_agent_that_never_comes_are_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key, the dispatch."""

    async def nobody(room: Room) -> None:
        """No one else is there."""

    use(LiveKitDouble(nobody, refuses="signal failure: 401 unauthorized"), monkeypatch)
    refused = talk_with(SPEC, tmp_path / "refused", duration="100ms")
    assert "refused the token; are key and secret the server's own?" in (refused.meta.problem or "")
    use(LiveKitDouble(nobody, [Participant("ann")]), monkeypatch)
    alone = talk_with({**SPEC, "connect_timeout": "100ms"}, tmp_path / "alone", duration="100ms")
    assert "was not ready within 0.1 s; no agent has joined the room" in (alone.meta.problem or "")


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"token": "${T}"}, "$.agent: a room is joined with `token`, or with `api_key` and `api_secret`"),
        ({"api_secret": "abc"}, "$.agent.api_secret: write it as ${NAME}"),
        ({"url": "https://a"}, "$.agent.url: expected ws://host:port"),
        ({"attributes": {"lk.simulator": "true"}}, "$.agent.attributes: `lk.simulator` makes agents"),
        ({"api_key": None, "api_secret": None, "token": "${T}", "room": "r"}, "$.agent.token: names room"),
    ],
)
def test_a_room_that_cannot_be_joined_is_refused_with_its_place(
    keys: dict[str, Any], sentence: str, tmp_path: Path
) -> None:
    """Before anything starts."""
    with pytest.raises(ScenarioError) as refused:
        scenario_of({"user": "silent", "agent": {**SPEC, **keys}}, tmp_path)
    assert sentence in str(refused.value)


def test_the_double_has_the_sdks_own_names(tmp_path: Path) -> None:
    """Whatever it offers is there in livekit.rtc, and takes parameters of these names."""
    rtc = pytest.importorskip("livekit.rtc", reason="needs the extra connect")
    pairs = [
        (rtc.Room.connect, livekit_room.Room.connect),
        (rtc.Room.on, livekit_room.Room.on),
        (rtc.Room.register_text_stream_handler, livekit_room.Room.register_text_stream_handler),
        (rtc.AudioSource.__init__, livekit_room.AudioSource.__init__),
        (rtc.AudioSource.capture_frame, livekit_room.AudioSource.capture_frame),
        (rtc.AudioFrame.__init__, livekit_room.AudioFrame.__init__),
        (rtc.LocalParticipant.publish_dtmf, livekit_room.LocalParticipant.publish_dtmf),
        (rtc.LocalParticipant.publish_track, livekit_room.LocalParticipant.publish_track),
        (rtc.LocalAudioTrack.create_audio_track, LiveKitDouble.LocalAudioTrack.create_audio_track),
        (rtc.AudioStream.from_track, LiveKitDouble.AudioStream.from_track),
    ]
    for real, ours in pairs:
        wanted = [name for name in inspect.signature(ours).parameters if name not in ("self", "cls")]
        assert set(wanted) <= set(inspect.signature(real).parameters), real
    assert rtc.ParticipantKind.PARTICIPANT_KIND_AGENT == AGENT and rtc.TrackSource.SOURCE_MICROPHONE == 2
    assert rtc.TrackKind.KIND_AUDIO == livekit_room.AUDIO and callable(rtc.Room.disconnect)
    assert {"auto_subscribe"} <= set(inspect.signature(rtc.RoomOptions).parameters)
    assert isinstance(rtc.RemoteTrackPublication.sid, property)
    assert {"source"} <= set(dir(rtc.TrackPublishOptions())) and rtc.ConnectError("x").message == "x"


def test_the_sdk_itself_says_that_a_token_is_refused(tmp_path: Path) -> None:
    """Its own error, in a sentence; a server that quotes the token as it came does not bring it into the folder."""
    pytest.importorskip("livekit.rtc", reason="needs the extra connect")
    tokens: list[str] = []

    async def never(connection: ServerConnection) -> None:
        raise AssertionError("it was let in")

    async def refuse(connection: ServerConnection, request: Request) -> Response | None:
        tokens.append(request.headers["Authorization"].removeprefix("Bearer "))
        return connection.respond(401, f"invalid token: {tokens[-1]}")

    with scripted(never, process_request=refuse) as url:
        session = talk_with({**SPEC, "url": url, "connect_timeout": "8s"}, tmp_path, duration="100ms")
    assert session.meta.status == "failed"
    assert "refused the token; are key and secret the server's own?" in (session.meta.problem or "")
    assert tokens and tokens[0].count(".") == 2
    held = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert tokens[0][:60].encode() not in held and KEY.encode() not in held


def test_the_example_is_fine_as_it_stands(scenarios: Path) -> None:
    """`simulate check` reads it without a server or a key."""
    assert main(["check", str(scenarios / "remote" / "livekit.yaml")]) == 0
