"""Rules of the Live client's core: message logs in, what it sends and says out."""

from pathlib import Path
from typing import Any

import pytest

from agents.openai.live import OpenAILiveSpec
from agents.openai.live_protocol import LiveCore
from agents.remote.wire_audio import WireFormat
from simulator.errors import RemoteError, ScenarioError
from simulator.spec import decode
from simulator.testing import scenario_of
from tests.contracts.peer_driver import Driver
from tests.contracts.peer_services import RATE, tone

FORM = WireFormat()


def driver(**spec: Any) -> Driver:
    """A core whose session has started, stepped once."""
    made = decode({"kind": "openai_live", **spec}, OpenAILiveSpec, source="test", folder=Path())
    return Driver(LiveCore(made.settings())).receive({"type": "session.started", "session": {}}).step()


def delta(seconds: float) -> dict[str, Any]:
    """A chunk of the model's stream."""
    return {"type": "session.output_audio.delta", "delta": FORM.encode(FORM.unpack(tone(seconds)))}


def test_a_session_is_started_with_its_settings() -> None:
    """Model, format, voice and instructions are in session.start, not in the URL; rates follow the format."""
    spec = OpenAILiveSpec(voice="cedar", instructions="Be brief.", pcm_rate=16_000)
    (start,) = LiveCore(spec.settings()).opening()
    assert start["session"] == {
        "model": "gpt-live-1", "instructions": "Be brief.",
        "audio": {"format": {"type": "audio/pcm", "rate": 16_000}, "output": {"voice": "cedar"}}}  # fmt: skip
    assert OpenAILiveSpec(audio_format="alaw").build().traits.format.input_rate == 8000


def test_the_tail_of_the_stream_is_not_held_back() -> None:
    """A last chunk shorter than the jitter buffer is said once it waited for its depth."""
    peer = driver(jitter="100ms").receive(delta(0.2)).step(12).receive(delta(0.04)).step(8)
    assert peer.sound() == int(0.24 * RATE)


def test_usage_counts_are_totals() -> None:
    """What is told is the difference to the last count; a count that does not grow tells nothing."""
    peer = driver().receive(
        *[{"type": "session.usage.updated", "usage": {"seconds": total}} for total in (2.0, 2.0, 5.5)]
    )
    assert [note["session_s"] for note in peer.noted("usage")] == [2.0, 3.5]


@pytest.mark.parametrize(("reason", "sentence"), [
    ("expired", "reached its session limit"), ("content", "its safety filter stepped in"),
    ("odd", "closed the session: odd"),
])  # fmt: skip
def test_a_session_closed_by_the_far_end_is_a_failure(reason: str, sentence: str) -> None:
    """With the reason, and the usage it told."""
    with pytest.raises(RemoteError, match=sentence):
        driver().receive({"type": "session.closed", "reason": reason, "usage": {"seconds": 1.0}})


def test_closing_waits_for_the_last_word() -> None:
    """After session.close the core is over when session.closed has come."""
    peer = driver()
    peer.core.close(peer.at)
    assert (peer.receive().types(), peer.core.ended) == (["session.close"], False)
    peer.receive({"type": "session.closed", "reason": "close_requested", "usage": {"seconds": 3.0}})
    assert peer.core.ended
    assert peer.noted("usage") == [{"model": "gpt-live-1", "session_s": 3.0}]


def test_a_caller_hangs_up_after_its_last_words() -> None:
    """hang_up through the backend: done after a second without sound."""
    peer = driver(persona={"goal": "a table"}, backend={"model": "thinker"})
    item = {"type": "function_call", "call_id": "c", "name": "hang_up", "arguments": "{}"}
    peer.receive({"type": "response.event", "event": {"type": "response.output_item.done", "item": item}}, delta(0.4))
    assert not peer.step(40).core.done
    assert peer.step(40).core.done


def test_functions_need_somebody_who_calls_them(tmp_path: Path) -> None:
    """Without a backend neither tools nor hanging up can work, and the scenario is refused."""
    for extra in ({"tools": [{"name": "book"}]}, {"persona": {"goal": "x"}}):
        with pytest.raises(ScenarioError, match=r"\.backend"):
            scenario_of({"user": "silent", "agent": {"kind": "openai_live", **extra}}, tmp_path)
