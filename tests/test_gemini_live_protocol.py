"""Rules of the Gemini client's core: message logs in, what it sends and says out."""

from pathlib import Path
from typing import Any

import pytest

from agents.gemini.live import GeminiLiveSpec
from agents.gemini.protocol import DOWN, GeminiCore
from simulator.errors import RemoteError
from simulator.spec import decode
from tests.contracts.peer_driver import Driver
from tests.contracts.peer_services import RATE, tone

READY = {"setup_complete": {"session_id": "s"}}
OVER = {"server_content": {"turn_complete": True}}
GENERATED = {"server_content": {"generation_complete": True}}
HANDLE = {"session_resumption_update": {"new_handle": "h1", "resumable": True}}


def driver(**spec: Any) -> Driver:
    """A core whose session stands, stepped once."""
    made = decode({"kind": "gemini_live", "jitter": "0s", **spec}, GeminiLiveSpec, source="test", folder=Path())
    return Driver(GeminiCore(made.settings())).receive(READY).step()


def sound(seconds: float, kind: str = "audio/pcm;rate=24000") -> dict[str, Any]:
    """Sound of the model's turn."""
    data = {"mime_type": kind, "data": DOWN.encode(DOWN.unpack(tone(seconds)))}
    return {"server_content": {"model_turn": {"parts": [{"inline_data": data}, {"text": "thinking", "thought": True}]}}}


def used(prompt: int, said: int) -> dict[str, Any]:
    """A usage report."""
    return {"usage_metadata": {"prompt_token_count": prompt, "response_token_count": said}}


def test_a_turn_is_said_from_its_first_sound_to_its_last() -> None:
    """Generation may be complete long before the sound was said."""
    peer = driver().receive(sound(0.1), sound(0.1), GENERATED, OVER).step(12)
    assert peer.sound() == int(0.2 * RATE)
    assert [note["said_samples"] for note in peer.noted("audio_end")] == [int(0.2 * RATE)]
    assert len(peer.noted("response_start")) == len(peer.noted("response_end")) == 1


def test_interrupted_drops_what_waits_and_nothing_else() -> None:
    """The next turn's sound is said again."""
    peer = driver().receive(sound(1.0)).step(5).receive({"server_content": {"interrupted": True}}, OVER).step(3)
    assert peer.sound() == 5 * 480
    assert peer.noted("audio_end")[0] == {
        "id": "turn-1",
        "said_samples": 2400,
        "cut": True,
        "dropped_samples": 21600,
    }
    assert peer.receive(sound(0.1), OVER).step(6).sound() == 5 * 480 + 2400


def test_a_turns_last_word_on_usage_counts_once() -> None:
    """Reports within a turn replace each other; it is told when the turn is over for two seconds, or the next
    begins."""
    peer = driver().receive(sound(0.1), used(10, 1), OVER, used(10, 5)).step(20)
    assert peer.noted("usage") == []
    peer.receive(sound(0.1), used(30, 2), OVER)
    assert [(note["input_text_tokens"], note["output_text_tokens"]) for note in peer.noted("usage")] == [(10, 5)]
    peer.step(150)
    assert peer.noted("usage")[1]["input_text_tokens"] == 30


def test_functions_are_answered_unless_they_are_taken_back() -> None:
    """An answer that is no object is wrapped; a cancelled call gets none."""
    tools = [{"name": "book", "answer": "ok", "delay": "100ms"}, {"name": "find", "answer": {"free": 2}}]
    calls = [{"id": "1", "name": "book", "args": {}}, {"id": "2", "name": "find", "args": {"day": "today"}},
             {"id": "3", "name": "book"}]  # fmt: skip
    peer = driver(tools=tools).receive({"tool_call": {"function_calls": calls}}).step()
    peer.receive({"tool_call_cancellation": {"ids": ["3"]}}).step(10)
    answers = [message["tool_response"]["function_responses"][0] for message in peer.sent]
    assert [(answer["id"], answer["response"]) for answer in answers] == [
        ("2", {"free": 2}),
        ("1", {"result": "ok"}),
    ]


def test_an_announced_leave_waits_for_the_end_of_the_turn() -> None:
    """With a handle another connection is opened between turns, long before the time is up."""
    peer = driver().receive(HANDLE, sound(0.1), {"go_away": {"time_left": "30s"}}).step(10)
    assert peer.redials == 0
    assert peer.receive(OVER).step().redials == 1
    assert peer.receive(READY).step(5).noted("resumed") == [{}]
    assert peer.redials == 1


def test_an_announced_leave_does_not_miss_its_time() -> None:
    """A service that goes silent in the middle of a turn is left a second before its time is up."""
    peer = driver().receive(HANDLE, sound(0.1), {"go_away": {"time_left": "2s"}}).step(49)
    assert peer.redials == 0
    assert peer.step(3).redials == 1


def test_without_a_handle_a_lost_connection_is_the_end() -> None:
    """With one it is resumed, three times in a row at most unless the model speaks."""
    with pytest.raises(RemoteError, match="gone, as announced; it gave no handle to resume"):
        driver().receive({"go_away": {"time_left": "9s"}}).step().core.lost("gone", 0)
    peer = driver().receive(HANDLE)
    for _ in range(3):
        peer.core.lost("gone", peer.at)
        peer.receive(READY)
    with pytest.raises(RemoteError, match="gone; resumed 3 times in vain"):
        peer.core.lost("gone", peer.at)
    peer.receive(sound(0.1)).core.lost("gone", peer.at)
    assert peer.receive().redials == 4


def test_own_ears_mark_activity() -> None:
    """vad none: a turn is framed by activity_start and activity_end, and only it is sent."""
    peer = driver(vad={"kind": "none", "end_silence": "200ms"}).step(20)
    assert peer.sounds == 0
    peer.step(20, speech=True).step(15)
    assert [message["realtime_input"] for message in peer.sent] == [
        {"activity_start": {}},
        {"activity_end": {}},
    ]
    assert peer.sounds > 20


def test_sound_at_another_rate_is_refused() -> None:
    """It would be said at the wrong speed."""
    with pytest.raises(RemoteError, match="24000 Hz are expected"):
        driver().receive(sound(0.1, "audio/pcm;rate=16000"))


def test_the_configuration_is_what_the_client_takes() -> None:
    """Every field we set is known to the client's own types; a handle goes in on a resumed connection."""
    from google.genai import types

    spec = GeminiLiveSpec(voice="Puck", language="en-US", instructions="x", config={"temperature": 0.2})
    config = types.LiveConnectConfig(**spec.configuration("h1"))
    assert config.session_resumption is not None
    assert (config.session_resumption.handle, config.temperature) == ("h1", 0.2)
