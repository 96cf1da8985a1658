"""Rules of the Realtime client's core: message logs in, what it sends and says out."""

from typing import Any

import pytest

from agents.openai.realtime import OpenAIRealtimeSpec
from agents.openai.realtime_protocol import RealtimeCore
from agents.remote.peer_core import Message
from agents.remote.wire_audio import WireFormat
from simulator.errors import RemoteError
from simulator.spec import decode
from tests.contracts.peer_driver import Driver
from tests.contracts.peer_services import RATE, speech, tone

READY: dict[str, Any] = {"type": "session.updated", "session": {}}
HEARS: dict[str, Any] = {
    "type": "input_audio_buffer.speech_started",
    "audio_start_ms": 100,
    "item_id": "item_u",
}


def driver(**spec: Any) -> Driver:
    """A core whose handshake is over, stepped once."""
    from pathlib import Path

    made = decode({"kind": "openai_realtime", "jitter": "0s", **spec}, OpenAIRealtimeSpec, source="test", folder=Path())
    return Driver(RealtimeCore(made.settings())).receive(READY).step()


def call(name: str, call_id: str, arguments: str = "{}") -> dict[str, Any]:
    """A function call as an item that is done."""
    item = {"type": "function_call", "call_id": call_id, "name": name, "arguments": arguments}
    return {"type": "response.output_item.done", "item": item}


def created(response: str = "resp_1") -> dict[str, Any]:
    """A response begins."""
    return {"type": "response.created", "response": {"id": response}}


def done(response: str = "resp_1", status: str = "completed") -> dict[str, Any]:
    """A response is over."""
    return {"type": "response.done", "response": {"id": response, "status": status}}


def test_the_session_is_configured_first() -> None:
    """session.update holds formats, turn detection, transcription, instructions and functions."""
    spec = OpenAIRealtimeSpec(voice="marin", instructions="Be brief.", session={"audio": {"output": {"speed": 1.2}}})
    (update,) = RealtimeCore(spec.settings()).opening()
    session = update["session"]
    assert (update["type"], session["instructions"]) == ("session.update", "Be brief.")
    assert session["audio"]["input"]["turn_detection"]["type"] == "server_vad"
    assert session["audio"]["output"] == {
        "format": {"type": "audio/pcm", "rate": 24000},
        "voice": "marin",
        "speed": 1.2,
    }


def test_it_is_ready_when_the_update_is_acknowledged() -> None:
    """session.created is not enough; an error before is a refusal."""
    core = RealtimeCore(OpenAIRealtimeSpec().settings())
    core.receive({"type": "session.created"}, -1)
    assert not core.ready
    core.receive(READY, -1)
    assert core.ready
    with pytest.raises(RemoteError, match="refused the session: invalid_value: bad voice"):
        RealtimeCore(OpenAIRealtimeSpec().settings()).receive(
            {"type": "error", "error": {"code": "invalid_value", "message": "bad voice."}}, -1)  # fmt: skip


def test_a_truncation_counts_what_left_the_buffer_and_no_padding() -> None:
    """Cut after 5 frames and a half of sound in 8 frames: 110 ms, not 160; the item behind it, unheard, goes."""
    peer = driver().receive(*speech("resp_1", "item_1", tone(0.11))[:-3]).step(8)
    assert peer.sound() == int(0.11 * RATE)
    peer.receive({"type": "response.output_audio.delta", "item_id": "item_1", "response_id": "resp_1",
                  "delta": WireFormat().encode(peer.said[1])})  # fmt: skip
    peer.receive(*speech("resp_1", "item_2", tone(1.0))[1:-3])
    peer.receive(HEARS)
    assert [(message["type"], message["item_id"], message.get("audio_end_ms")) for message in peer.sent] == [
        ("conversation.item.truncate", "item_1", 110),
        ("conversation.item.delete", "item_2", None),
    ]
    assert peer.step(5).sound() == int(0.11 * RATE)
    assert peer.noted("audio_end")[0]["said_samples"] == int(0.11 * RATE)


def test_sound_of_an_interrupted_response_is_ignored() -> None:
    """Deltas that were on their way when speech cut the response off are not said; the next response's
    are."""
    log = speech("resp_1", "item_1", tone(0.4))
    peer = driver().receive(*log[:2]).step(2).receive(HEARS, *log[2:]).step(3)
    assert peer.sound() == 2 * 480
    assert peer.receive(*speech("resp_2", "item_2", tone(0.06))).step(5).sound() == 2 * 480 + int(0.06 * RATE)


def test_nothing_is_truncated_when_nothing_is_being_said() -> None:
    """Speech in silence, or after an item was said whole, is only told."""
    peer = driver().receive(HEARS)
    assert (peer.sent, peer.noted("heard_speech_start")) == ([], [{"heard_since": 2400}])
    peer.receive(*speech("resp_1", "item_1", tone(0.1))).step(6).receive(HEARS)
    assert peer.sent == []


def test_a_session_that_does_not_yield_goes_on() -> None:
    """`interrupt: false` is told to the service, and nothing is cut here."""
    peer = driver(vad={"kind": "server", "interrupt": False})
    peer.receive(*speech("resp_1", "item_1", tone(0.2))).step(2).receive(HEARS).step(10)
    assert (peer.sent, peer.sound()) == ([], int(0.2 * RATE))
    peer = driver(vad={"kind": "none", "interrupt": False}).receive(*speech("resp_1", "item_1", tone(0.2)))
    assert (peer.step(10, speech=True).sent, peer.sound()) == ([], int(0.2 * RATE))


def test_own_ears_commit_turns_and_ask_for_answers() -> None:
    """vad none: only turns are sent, from before their start on; one that ended is committed and answered."""
    peer = driver(vad={"kind": "none", "end_silence": "200ms"}).step(30)
    assert peer.sounds == 0
    peer.step(20, speech=True)
    assert peer.sounds > 20
    peer.step(15)
    assert peer.types() == ["input_audio_buffer.commit", "response.create"]


def test_own_ears_cancel_what_they_interrupt() -> None:
    """Nobody else cancels the response then: response.cancel goes out before the truncation."""
    peer = driver(vad={"kind": "none"}).receive(*speech("resp_1", "item_1", tone(2.0))[:-1]).step(5)
    peer.step(3, speech=True)
    assert peer.types() == ["response.cancel", "conversation.item.truncate"]
    assert peer.sent[1]["audio_end_ms"] == peer.sound() * 1000 // RATE


def test_answers_wait_for_their_delay_and_for_the_response() -> None:
    """Two calls, one slow: both are answered, then one response is asked for, after the running one is
    done."""
    tools = [{"name": "fast", "answer": 1}, {"name": "slow", "answer": {"x": [2]}, "delay": "100ms"}]
    peer = driver(tools=tools).receive(created(), call("fast", "c1"), call("slow", "c2"), call("slow", "c2")).step(2)
    assert [message["item"]["output"] for message in peer.sent] == ["1"]
    peer.step(6)
    assert [message["item"]["output"] for message in peer.sent] == ["1", '{"x":[2]}']
    peer.receive(done()).step(2)
    assert peer.types()[2:] == ["response.create"]


def test_an_unknown_function_is_answered_with_what_there_is() -> None:
    """The model is told, the session goes on."""
    peer = driver(tools=[{"name": "book"}]).receive(created(), call("cook", "c1", "no json")).step()
    assert "there is no function 'cook'; there are: book" in peer.sent[0]["item"]["output"]
    assert peer.noted("tool_call")[0]["arguments"] == "no json"


def test_a_caller_is_done_when_its_goodbye_was_said() -> None:
    """hang_up ends the part of a persona, once its sound has been said; what comes after is not said."""
    peer = driver(persona={"goal": "a table"})
    peer.receive(created(), call("hang_up", "c1", '{"reason": "booked"}'), *speech("resp_1", "i", tone(0.1))[1:])
    assert (peer.core.done, peer.noted("hang_up")) == (False, [{"reason": "booked"}])
    assert peer.step(6).core.done
    assert peer.sent == []
    assert peer.receive(*speech("resp_2", "j", tone(0.1))).step(6).sound() == int(0.1 * RATE)
    assert peer.core.done


def test_the_model_is_asked_to_begin() -> None:
    """speaks_first: a response is asked for with the first frame of the session, not before."""
    peer = driver(speaks_first=True)
    assert peer.step(3).types() == ["response.create"]


def test_what_nobody_knows_is_ignored() -> None:
    """New types and fields do no harm; the names before general availability still work."""
    old = [{**message, "type": message["type"].replace("output_audio", "audio")}
           for message in speech("resp_1", "item_1", tone(0.1), text="hello")]  # fmt: skip
    peer = driver().receive({"type": "conversation.cookie", "crumbs": 3}, {"no": "type"}, *old).step(6)
    assert peer.sound() == int(0.1 * RATE)
    assert peer.noted("transcript") == [{"of": "agent", "id": "item_1", "text": "hello"}]


def test_both_sides_are_transcribed_and_priced_by_their_own_models() -> None:
    """The user's transcript is the recogniser's, with a usage of its own."""
    heard: Message = {"type": "conversation.item.input_audio_transcription.completed", "item_id": "u1",
                      "transcript": "a table", "usage": {"type": "duration", "seconds": 1.5}}  # fmt: skip
    peer = driver(model="m").receive(dict(heard), *speech("resp_1", "item_1", tone(0.1), text="sure"))
    assert [note["of"] for note in peer.noted("transcript")] == ["user", "agent"]
    assert peer.noted("usage") == [
        {"model": "gpt-4o-transcribe", "input_s": 1.5},
        {"model": "m", "input_text_tokens": 10, "input_audio_tokens": 100, "cached_text_tokens": 10,
         "output_text_tokens": 10, "output_audio_tokens": 50},
    ]  # fmt: skip


def test_errors_are_told_and_the_session_limit_ends_it() -> None:
    """An error is an event; session_expired is the end."""
    peer = driver().receive({"type": "error", "error": {"type": "invalid_request_error", "message": "no"}})
    assert peer.noted("remote_error") == [{"code": "invalid_request_error", "message": "no"}]
    with pytest.raises(RemoteError, match="reached its session limit: over"):
        peer.receive({"type": "error", "error": {"code": "session_expired", "message": "over."}})


def test_an_answer_that_is_due_may_not_take_for_ever() -> None:
    """From the end of the user's turn on; while the service listens nothing is due."""
    stopped = {"type": "input_audio_buffer.speech_stopped", "audio_end_ms": 500, "item_id": "u"}
    peer = driver(stall_timeout="1s").receive(stopped).step(40).receive(HEARS).step(60).receive(stopped)
    with pytest.raises(RemoteError, match="sent nothing for 1 s while an answer was due"):
        peer.step(60)


def test_what_is_open_at_the_end_is_accounted_for() -> None:
    """The session's end cuts what was being said and tells the last seconds."""
    peer = driver().receive(*speech("resp_1", "item_1", tone(1.0))).step(5)
    peer.core.close(peer.at)
    peer.receive()
    assert peer.noted("audio_end")[0]["cut"]
    assert peer.noted("usage")[-1]["output_s"] == 1.0
