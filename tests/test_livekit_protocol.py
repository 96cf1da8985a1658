"""Rules of `livekit` without a room: tokens as known ones, and what an ordinary participant makes of what is told."""

import base64
import json
from typing import Any

import numpy as np
import pytest

from agents.livekit.protocol import RoomCore, RoomSettings, spoken_words
from agents.livekit.token import RoomGrant, claims_of, signed
from agents.webrtc.protocol import PCM
from simulator.errors import RemoteError
from tests.contracts.peer_driver import Driver
from tests.contracts.stream_peers import count_of, counted

AGENT = "agent-7"


def test_a_token_is_signed_as_the_known_one() -> None:
    """The example of jwt.io: HS256 of its claims with `your-256-bit-secret`."""
    claims = {"sub": "1234567890", "name": "John Doe", "iat": 1516239022}
    assert signed(claims, "your-256-bit-secret") == (
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"
        ".eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ"
        ".SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c"
    )


def test_its_claims_let_in_and_call_an_agent() -> None:
    """Key, identity, six hours, what it may do, and the agent by name; none is called unless one is named."""
    grant = RoomGrant(room="r", identity="caller", agent_name="booking", metadata="{}", attributes={"a": "b"})
    token = signed(claims_of(grant, "key", 1_000), "secret")
    middle = token.split(".")[1]
    assert json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4))) == {
        "iss": "key", "sub": "caller", "nbf": 1_000, "exp": 22_600,
        "video": {"roomJoin": True, "room": "r", "canPublish": True, "canSubscribe": True, "canPublishData": True},
        "attributes": {"a": "b"},
        "roomConfig": {"agents": [{"agentName": "booking", "metadata": "{}"}]},
    }  # fmt: skip
    assert set(claims_of(RoomGrant(room="r", identity="c"), "key", 0)) == {"iss", "sub", "nbf", "exp", "video"}


def told(type_: str, identity: str = AGENT, **fields: Any) -> dict[str, Any]:
    """A message of the wire."""
    return {"type": type_, "identity": identity, **fields}


def driver(**settings: Any) -> Driver:
    """A core in a room where an agent has published its track."""
    driven = Driver(RoomCore(RoomSettings(jitter_s=0, **settings)))
    return driven.receive(
        told("joined", "caller"),
        told("participant", "somebody", kind="other", attributes={}),
        told("participant", kind="agent", attributes={"lk.agent.state": "initializing"}),
        told("track"),
    )


def stream(name: str, identity: str, pieces: list[str], opening: Any, closing: Any) -> list[dict[str, Any]]:
    """A text stream on lk.transcription."""
    return [
        {
            "type": "text_opened",
            "stream": name,
            "topic": "lk.transcription",
            "identity": identity,
            "attributes": opening,
        },
        *({"type": "text", "stream": name, "text": piece} for piece in pieces),
        {"type": "text_closed", "stream": name, "attributes": {**opening, **closing}},
    ]


def test_the_agent_is_found_and_its_sound_alone_is_heard() -> None:
    """The first agent, whoever else is there; others' sound is not its own."""
    driven = driver()
    assert driven.core.ready and driven.noted("remote_state") == [{"state": "initializing"}]
    sound = counted(980)[20:]
    driven.receive(
        told("audio", "somebody", audio=PCM.encode(counted(960)), pts=0),
        told("audio", audio=PCM.encode(sound), pts=0),
    ).step(2)
    assert count_of(np.concatenate(driven.said)) == list(range(21, 981))


def test_an_avatar_carries_the_agents_sound_and_a_name_chooses_among_many() -> None:
    """lk.publish_on_behalf names the agent; agent_identity names an ordinary participant, too."""
    driven = Driver(RoomCore(RoomSettings(jitter_s=0)))
    driven.receive(told("participant", kind="agent", attributes={}),
                   told("participant", "avatar", kind="agent", attributes={"lk.publish_on_behalf": AGENT}))  # fmt: skip
    assert not driven.receive(told("track")).core.ready
    assert driven.receive(told("track", "avatar")).core.ready
    named = Driver(RoomCore(RoomSettings(identity="ann")))
    assert not named.receive(told("participant", kind="agent", attributes={}), told("track")).core.ready
    named.receive(told("participant", "ann", kind="other", attributes={}), told("track", "ann"))
    assert named.core.ready


def test_an_avatar_may_be_there_and_heard_before_its_agent() -> None:
    """In a room that is joined late they are told in any order; the agent's own sound is not heard beside it."""
    driven = Driver(RoomCore(RoomSettings(jitter_s=0)))
    driven.receive(told("participant", "avatar", kind="agent", attributes={"lk.publish_on_behalf": AGENT}),
                   told("track", "avatar", track="TR_1"))  # fmt: skip
    assert not driven.core.ready
    driven.receive(told("participant", kind="agent", attributes={}), told("track", track="TR_2"))
    assert driven.core.ready and driven.core.people.voice == "TR_1"


def test_of_several_tracks_of_the_agent_the_first_is_its_voice_until_it_is_gone() -> None:
    """Music beside it would be pushed between its pieces; a track that is published again is heard again."""
    driven = driver()
    music, voice = PCM.encode(counted(960)), PCM.encode(counted(1920)[960:])
    driven.receive(told("track", track="TR_music"), told("audio", track="TR_music", audio=music, pts=0),
                   told("audio", audio=voice, pts=0)).step()  # fmt: skip
    assert count_of(driven.said[-1]) == list(range(961, 1921))
    driven.receive(told("track_gone"), told("track", track="TR_again"), told("track_gone", track="TR_music"),
                   told("audio", track="TR_again", audio=voice, pts=0)).step()  # fmt: skip
    assert count_of(driven.said[-1]) == list(range(961, 1921))


def test_transcripts_are_of_whoever_sent_them() -> None:
    """The agent's in pieces, final in the closing attributes alone; ours once, by the final guess; JSON as words."""
    driven = driver()
    final = {"lk.transcription_final": "true"}
    for message in (
        *stream("a", AGENT, ["Good ", "evening."], {"lk.segment_id": "S1"}, final),
        *stream("b", "caller", ["A ta"], {"lk.segment_id": "S2", "lk.transcription_final": "false"}, {}),
        *stream("c", "caller", ["A table."], {"lk.segment_id": "S2", **final}, {}),
    ):
        driven.receive(message)
    assert driven.noted("transcript") == [
        {"of": "agent", "id": "S1", "text": "Good evening."},
        {"of": "user", "id": "S2", "text": "A table."},
    ]
    assert spoken_words('{"text": "Good ", "start_time": 0.1}\n{"text": "evening."}\n') == "Good evening."
    assert spoken_words("{not json") == "{not json"


def test_states_data_and_digits_are_events_and_keys_are_codes() -> None:
    """Each state once; digits by RFC 4733's numbers."""
    driven = driver().drop()
    driven.receive(
        told("attributes", attributes={"lk.agent.state": "speaking"}),
        told("attributes", attributes={"lk.agent.state": "speaking"}),
        told("attributes", "somebody", attributes={"lk.agent.state": "idle"}),
        told("data", topic="mood", data="3"),
        told("dtmf", digit="5"),
    )
    assert driven.noted("remote_state") == [{"state": "speaking"}]
    assert driven.noted("remote_message") == [{"topic": "mood", "data": "3"}]
    assert driven.noted("keys_pressed") == [{"digits": "5", "band": "out"}]
    driven.core.press("9*#A", 0)  # type: ignore[attr-defined] # of TakesKeys
    driven.receive()
    assert [(sent["code"], sent["digit"]) for sent in driven.sent] == [(9, "9"), (10, "*"), (11, "#"), (12, "A")]


def test_a_room_that_is_left_is_a_hang_up_and_one_that_nobody_joins_is_told() -> None:
    """The agent leaves; the room breaks before there was one; what to look at meanwhile."""
    driven = driver().receive(told("left", "somebody"), told("left", reason="reason 1"))
    assert driven.core.done and driven.noted("hang_up") == [{"reason": "left the room: reason 1"}]
    alone = Driver(RoomCore(RoomSettings()))
    assert "is `agent_name` the name that it registers?" in alone.core.awaited  # type: ignore[attr-defined]
    alone.receive(told("participant", kind="agent", attributes={}))
    assert alone.core.awaited == f"; {AGENT} is in the room and publishes no sound"  # type: ignore[attr-defined]
    with pytest.raises(RemoteError, match="left the room: room deleted"):
        alone.core.lost("left the room: room deleted", 0)
