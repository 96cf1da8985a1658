"""Rules of openai_realtime: whole sessions on the wall clock with a scripted service on loopback."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulator.testing import play_session
from tests.contracts.peer_services import (
    RATE,
    Talker,
    greet_realtime,
    heard_of,
    service,
    speech,
    tone,
)
from tests.contracts.peer_sessions import assert_no_secret, of_type, session_with

pytestmark = pytest.mark.usefixtures("loopback_key")


def test_realtime_truncates_at_the_sample_really_heard(tmp_path: Path) -> None:
    """A response sent all at once is cut by speech; the service is told the milliseconds that the recording
    holds."""

    async def interrupted(talker: Talker) -> None:
        await greet_realtime(talker)
        await talker.until_heard(0.2)
        await talker.send(*speech("resp_1", "item_1", tone(5.0), text="one two three"))
        await talker.until_heard(0.9)
        await talker.send({"type": "input_audio_buffer.speech_started", "audio_start_ms": 600, "item_id": "item_2"})
        await talker.until_type("conversation.item.truncate")
        await talker.stay()

    with service(interrupted) as (url, seen):
        session = session_with(url, tmp_path)
    said = heard_of(session.said("agent"))
    (truncate,) = [message for message in seen if message["type"] == "conversation.item.truncate"]
    assert session.meta.status == "completed"
    assert truncate["item_id"] == "item_1"
    assert truncate["audio_end_ms"] == said * 1000 // RATE
    assert 0.2 * RATE < said < 1.5 * RATE
    (end,) = of_type(session, "audio_end")
    assert (end["said_samples"], end["cut"], end["said_samples"] + end["dropped_samples"]) == (
        said,
        True,
        5 * RATE,
    )


@pytest.mark.parametrize("audio_format", ["mulaw", "alaw"])
def test_realtime_speaks_g711(tmp_path: Path, audio_format: Any) -> None:
    """G.711 goes both ways at 8 kHz, and the session gets it at its own rate."""
    from agents.remote.wire_audio import wire_format

    form = wire_format(audio_format)

    async def answers(talker: Talker) -> None:
        await greet_realtime(talker)
        await talker.until_heard(0.2)
        sound = form.pack(np.frombuffer(tone(0.5, 8000), "<i2").astype(np.float32) / 32768)
        await talker.send(*speech("resp_1", "item_1", sound, rate=4000))
        await talker.stay()

    with service(answers, form) as (url, seen):
        session = session_with(url, tmp_path, audio_format=audio_format, duration="1200ms")
    kind = {"mulaw": "audio/pcmu", "alaw": "audio/pcma"}[audio_format]
    assert seen[0]["session"]["audio"]["input"]["format"]["type"] == kind
    loud = np.abs(session.said("agent")) > 0.05
    assert abs(int(loud.sum()) - 0.5 * RATE) < 0.05 * RATE


def test_realtime_answers_functions_from_the_scenario(tmp_path: Path) -> None:
    """A call is answered once, after its delay, and a response is asked for when the first one is over."""
    item = {
        "type": "function_call",
        "id": "item_1",
        "call_id": "call_1",
        "name": "book",
        "arguments": '{"people": 3}',
    }

    async def calls(talker: Talker) -> None:
        await greet_realtime(talker)
        await talker.until_heard(0.1)
        await talker.send(
            {"type": "response.created", "response": {"id": "resp_1"}},
            {
                "type": "response.function_call_arguments.done",
                "call_id": "call_1",
                "arguments": '{"people": 3}',
            },
            {"type": "response.output_item.done", "response_id": "resp_1", "item": item},
            {"type": "response.done", "response": {"id": "resp_1", "status": "completed", "output": [item]}},
        )
        await talker.until_type("response.create")
        await talker.send(*speech("resp_2", "item_2", tone(0.2)))
        await talker.stay()

    tools = [{"name": "book", "answer": {"booked": True}, "delay": "300ms"}]
    with service(calls) as (url, seen):
        session = session_with(url, tmp_path, tools=tools, duration="1200ms")
    created = [message for message in seen if message["type"] == "conversation.item.create"]
    assert [message["item"]["output"] for message in created] == ['{"booked":true}']
    assert [message["type"] for message in seen].count("response.create") == 1
    (call,) = of_type(session, "tool_call")
    (result,) = of_type(session, "tool_result")
    assert (call["name"], call["arguments"], result["answer"]) == ("book", {"people": 3}, {"booked": True})
    asked, answered = (session.by_type[type_][0].at for type_ in ("tool_call", "tool_result"))
    assert answered - asked >= 0.3 * session.sample_rate
    assert heard_of(session.said("agent")) == int(0.2 * RATE)


def test_a_recorded_session_replays_to_the_same_samples(tmp_path: Path) -> None:
    """The trace of a paid session plays it again under the virtual clock: the agent's channel, bit for bit,
    twice."""

    async def talks(talker: Talker) -> None:
        await greet_realtime(talker)
        await talker.until_heard(0.2)
        await talker.send(*speech("resp_1", "item_1", tone(0.3), text="hello"))
        await talker.until_heard(0.8)
        await talker.send(*speech("resp_2", "item_2", tone(3.0), text="and now"))
        await talker.until_heard(1.2)
        await talker.send({"type": "input_audio_buffer.speech_started", "audio_start_ms": 1000, "item_id": "item_3"})
        await talker.stay()

    with service(talks) as (url, _):
        recorded = session_with(url, tmp_path / "paid", duration="1600ms")
    again = [
        play_session(
            {
                "user": "silent",
                "agent": {"kind": "replay_trace", "file": str(recorded.folder), "strict": True},
                "duration": "1600ms",
                "scorers": [],
            },
            tmp_path / name,
        )
        for name in ("one", "two")
    ]
    assert [session.meta.clock for session in again] == ["virtual", "virtual"]
    for session in again:
        assert np.array_equal(session.said("agent"), recorded.said("agent"))
    files = [(session.folder / "events.jsonl").read_bytes() for session in again]
    assert files[0] == files[1]
    assert of_type(again[0], "audio_end") == of_type(recorded, "audio_end")
    assert_no_secret(tmp_path)


def test_gaps_of_the_network_can_be_taken_out_afterwards(tmp_path: Path) -> None:
    """Sound that came in two parts has a gap as it was heard; replayed contiguous it has none, and begins as it did."""

    async def slowly(talker: Talker) -> None:
        await greet_realtime(talker)
        log = speech("resp_1", "item_1", tone(0.4))
        await talker.until_heard(0.1)
        await talker.send(*log[:3])
        await talker.until_heard(0.7)
        await talker.send(*log[3:])
        await talker.stay()

    with service(slowly) as (url, _):
        recorded = session_with(url, tmp_path / "paid", duration="1400ms")
    agent = {"kind": "replay_trace", "file": str(recorded.folder), "set": {"placement": "contiguous"}}
    again = play_session({"user": "silent", "agent": agent, "duration": "1400ms", "scorers": []}, tmp_path)
    heard, laid = (np.flatnonzero(session.said("agent")) for session in (recorded, again))
    assert len(heard) == len(laid) == int(0.4 * RATE)
    assert heard[0] == laid[0]
    assert heard[-1] - heard[0] > len(heard)
    assert laid[-1] - laid[0] == len(laid) - 1
