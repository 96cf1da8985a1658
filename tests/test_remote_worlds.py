"""A world behind the services that call tools: a scripted far server calls, the state changes, expectations hold."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agents.gemini.protocol import UP
from simulator.batch.job import score_folder
from simulator.session import Session
from simulator.testing import play_session, scenario_of
from simulator.world.record import read_world
from tests.contracts.peer_services import (
    Json,
    Script,
    Talker,
    certificate,
    gemini_sound,
    greet_realtime,
    service,
    speech,
    tone,
)
from tests.test_gemini_live import greet_gemini

pytestmark = pytest.mark.usefixtures("loopback_key")

ORDER = {"type": "object", "properties": {"order": {"type": "string"}}, "required": ["order"]}
WORLD: Json = {
    "state": {"orders": {"7": {"status": "packed"}}},
    "tools": [{"name": "cancel", "description": "Cancel it.", "parameters": ORDER, "delay": "300ms",
               "set": {"orders.{order}.status": "cancelled"}, "answer": "{orders[order]}"}],
}  # fmt: skip
EXPECT: list[Any] = [
    {"called": "cancel", "with": {"order": "7"}, "times": 1, "name": "called"},
    {"state": "orders.7.status", "is": "cancelled", "name": "state"},
    {"not_called": "cancel", "by": "user", "name": "user"},
]
ARGUMENTS = '{"order": "7"}'


async def realtime(talker: Talker) -> None:
    """GPT realtime calls, and speaks when it was answered."""
    item = {"type": "function_call", "id": "i1", "call_id": "c1", "name": "cancel", "arguments": ARGUMENTS}
    await greet_realtime(talker)
    await talker.until_heard(0.1)
    await talker.send(
        {"type": "response.created", "response": {"id": "r1"}},
        {"type": "response.output_item.done", "response_id": "r1", "item": item},
        {"type": "response.done", "response": {"id": "r1", "status": "completed", "output": [item]}},
    )
    await talker.until_type("response.create")
    await talker.send(*speech("r2", "i2", tone(0.2)))
    await talker.stay()


async def live(talker: Talker) -> None:
    """GPT Live's backend calls."""
    item = {"type": "function_call", "call_id": "c1", "name": "cancel", "arguments": ARGUMENTS}
    started = await talker.until_type("session.start")
    await talker.send({"type": "session.started", "session": started["session"]})
    await talker.until_heard(0.1)
    await talker.send({"type": "response.event", "event": {"type": "response.output_item.done", "item": item}})
    await talker.until_type("response.create")
    await talker.until_type("session.close")
    await talker.send({"type": "session.closed", "reason": "close_requested", "usage": {"seconds": 1.0}})


async def gemini(talker: Talker) -> None:
    """Gemini Live calls, and speaks when it was answered."""
    await greet_gemini(talker)
    await talker.until_heard(0.1)
    call = {"id": "c1", "name": "cancel", "args": json.loads(ARGUMENTS)}
    await talker.send({"toolCall": {"functionCalls": [call]}})
    await talker.until(lambda message: "tool_response" in message or "toolResponse" in message)
    await talker.send(gemini_sound(tone(0.2)))
    await talker.stay()


def declared_realtime(seen: list[Json]) -> Json:
    """The tool as GPT realtime was told of it."""
    return dict(seen[0]["session"]["tools"][0])


def declared_live(seen: list[Json]) -> Json:
    """The tool as GPT Live's backend was told of it."""
    return dict(seen[0]["session"]["delegation"]["responses"]["tools"][0])


def declared_gemini(seen: list[Json]) -> Json:
    """The tool as Gemini was told of it, by the names of the others."""
    told = seen[0]["setup"]["tools"][0]["functionDeclarations"][0]
    return {**told, "parameters": told["parameters_json_schema"]}


def answers(seen: list[Json]) -> list[Any]:
    """What the service was answered, in any of the protocols."""
    items = [message["item"]["output"] for message in seen if "item" in message]
    responses = [message.get("tool_response") or message.get("toolResponse") or {} for message in seen]
    given = [response.get("function_responses") or response.get("functionResponses") or [] for response in responses]
    items += [json.dumps(answer["response"]) for each in given for answer in each]
    return items


def played(
    folder: Path, script: Script, spec: Json, *, tls: bool, monkeypatch: pytest.MonkeyPatch
) -> tuple[Session, Any]:
    """A session of a silent user with the service, scored; gives what the service saw as well."""
    settings: Json = {}
    if tls:
        context, cert = certificate(folder)
        monkeypatch.setenv("SSL_CERT_FILE", str(cert))
        settings["ssl"] = context
    with service(script, UP, **settings) if tls else service(script) as (url, seen):
        base = url.replace("127.0.0.1", "localhost") if tls else f"{url}/v1"
        agent = {"base_url": base, "api_key_env": "TEST_KEY", **spec}
        plain = {"user": "silent", "agent": agent, "world": WORLD, "duration": "1500ms", "scorers": ["tools"],
                 "expect": EXPECT}  # fmt: skip
        session = play_session(plain, folder, annotate=False)
        return session, (seen, {score.id: score for score in score_folder(session.folder, scenario_of(plain, folder))})


@pytest.mark.parametrize(
    ("script", "spec", "declared"),
    [
        (realtime, {"kind": "openai_realtime", "model": "test"}, declared_realtime),
        (live, {"kind": "openai_live", "model": "test", "backend": {"model": "thinker"},
                "persona": None}, declared_live),
        (gemini, {"kind": "gemini_live"}, declared_gemini),
    ],
    ids=["openai_realtime", "openai_live", "gemini_live"],
)  # fmt: skip
def test_a_service_reaches_the_world(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: Script, spec: Json, declared: Callable[[list[Json]], Json]
) -> None:
    """It is told of the tool, its call changes the state, it is answered after the tool's time on the wall clock, and
    what is expected of calls and state holds.
    """
    spec = {name: value for name, value in spec.items() if value is not None}
    tls = spec["kind"] == "gemini_live"
    session, (seen, scores) = played(tmp_path, script, spec, tls=tls, monkeypatch=monkeypatch)
    assert session.meta.status == "completed", session.meta.problem
    told = declared(seen)
    assert (told["name"], told["description"], told["parameters"]) == ("cancel", "Cancel it.", ORDER)
    (call,), (result,) = session.by_type["tool_call"], session.by_type["tool_result"]
    assert (call.party, call.data["arguments"]) == ("agent", {"order": "7"})
    assert result.data["answer"] == {"status": "cancelled"} and "fault" not in result.data
    assert 0.3 * session.sample_rate <= result.at - call.at < 1.0 * session.sample_rate
    assert len(answers(seen)) == 1 and "cancelled" in answers(seen)[0]
    record = read_world(session.folder)
    assert record is not None
    assert [(change.path, change.before, change.after) for change in record.diff] == [
        ("orders.7.status", "packed", "cancelled")
    ]
    assert {name: scores[f"expect.{name}"].value for name in ("called", "state", "user")} == dict.fromkeys(
        ("called", "state", "user"), 1.0)  # fmt: skip
    assert (scores["tools.right_rate"].value, scores["tools.extra_rate"].value) == (1.0, 0.0)
