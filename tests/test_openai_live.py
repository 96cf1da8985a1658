"""Rules of openai_live: whole sessions on the wall clock with a scripted service on loopback."""

from pathlib import Path

import anyio
import pytest

from simulator.doctor.probe import probe_party
from simulator.errors import single
from simulator.testing import scenario_of
from tests.contracts.peer_services import (
    RATE,
    Talker,
    heard_of,
    service,
    speech,
    tone,
)
from tests.contracts.peer_sessions import assert_no_secret, of_type, refuse_key, session_with

pytestmark = pytest.mark.usefixtures("loopback_key")


def test_live_is_one_stream_with_transcripts_usage_and_a_goodbye(tmp_path: Path) -> None:
    """Sound is said as it comes, fragments carry the service's times, the last word holds the final usage."""

    async def live(talker: Talker) -> None:
        started = await talker.until_type("session.start")
        await talker.send({"type": "session.started", "session": started["session"]})
        await talker.until_heard(0.2)
        deltas = speech("r", "i", tone(0.4))[1:-3]
        await talker.send(*[{"type": "session.output_audio.delta", "delta": delta["delta"]} for delta in deltas])
        await talker.send(
            {"type": "session.output_transcript.delta", "delta": "Good evening", "start_ms": 200},
            {"type": "session.input_transcript.delta", "delta": "hm", "start_ms": 0, "end_ms": 90},
            {"type": "session.usage.updated", "usage": {"seconds": 0.5}},
            {"type": "something.new", "x": 1},
            {"type": "session.delegation.created", "offset_ms": 300,
             "delegation": {"id": "d1", "target": "client", "type": "delegation"}},
        )  # fmt: skip
        await talker.until_type("session.close")
        await talker.send({"type": "session.closed", "reason": "close_requested", "usage": {"seconds": 1.25}})

    with service(live) as (url, seen):
        session = session_with(
            url,
            tmp_path,
            kind="openai_live",
            duration="1200ms",
            speaks_first=True,
            delegated="The table is booked.",
        )
    assert session.meta.status == "completed", session.meta.problem
    assert heard_of(session.said("agent")) == int(0.4 * RATE)
    assert [(event["of"], event["text"], event["start_ms"]) for event in of_type(session, "transcript")] == [
        ("agent", "Good evening", 200), ("user", "hm", 0)]  # fmt: skip
    assert [event["session_s"] for event in of_type(session, "usage")] == [0.5, 0.75]
    assert [message["type"] for message in seen] == [
        "session.start", "session.instructions.append", "session.commentary.append", "session.close",
    ]  # fmt: skip
    assert (seen[2]["delegation_id"], seen[2]["content"]) == ("d1", "The table is booked.")
    assert_no_secret(tmp_path)


def test_live_functions_go_through_the_backend(tmp_path: Path) -> None:
    """A function that the backend calls is answered, and the backend asked to go on."""
    item = {"type": "function_call", "call_id": "c1", "name": "book", "arguments": "{}"}

    async def live(talker: Talker) -> None:
        await talker.until_type("session.start")
        await talker.send({"type": "session.started", "session": {}})
        await talker.until_heard(0.1)
        await talker.send({"type": "response.event", "event": {"type": "response.output_item.done", "item": item}})
        await talker.until_type("response.create")
        await talker.send({"type": "session.closed", "reason": "expired", "usage": {"seconds": 0.3}})
        await talker.stay()

    with service(live) as (url, seen):
        session = session_with(
            url,
            tmp_path,
            kind="openai_live",
            backend={"model": "thinker"},
            tools=[{"name": "book", "answer": "booked"}],
        )
    assert seen[0]["session"]["delegation"]["responses"]["tools"][0]["name"] == "book"
    assert seen[1]["item"] == {"type": "function_call_output", "call_id": "c1", "output": "booked"}
    assert session.meta.status == "failed"
    assert "openai_live reached its session limit at t=0." in str(session.meta.problem)


def test_a_key_refused_before_the_session_is_the_only_complaint(tmp_path: Path) -> None:
    """Neither a session nor a probe (doctor) trips over the goodbye that nobody is there to hear."""

    async def never(talker: Talker) -> None:
        await talker.stay()

    with service(never, process_request=refuse_key) as (url, _):
        session = session_with(url, tmp_path, kind="openai_live")
        agent = {"kind": "openai_live", "base_url": f"{url}/v1", "api_key_env": "TEST_KEY", "model": "test"}
        scenario = scenario_of({"user": "silent", "agent": agent}, tmp_path)
        with pytest.raises(ExceptionGroup) as caught:
            anyio.run(probe_party, "agent", scenario)
    assert session.meta.problem == (
        "openai_live refused the key (HTTP 401: Incorrect API key provided: Bearer ${TEST_KEY})"
    )
    assert str(single(caught.value)) == session.meta.problem
