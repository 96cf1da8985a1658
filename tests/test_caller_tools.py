"""A caller that calls tools: the user's of a world, by the endpoint that it thinks by."""

import json
from pathlib import Path
from typing import Any

import pytest

from simulator.errors import ScenarioError
from simulator.session import Session
from simulator.testing import play_session, scenario_of
from simulator.world.record import read_world
from tests.callers import AGENT, CALL, CALLER
from tests.chat_endpoint import Canned, ChatEndpoint, calls, chat_endpoint, says

WORLD: dict[str, Any] = {
    "state": {"phone": {"airplane": True}},
    "tools": [
        {"name": "toggle", "party": "user", "set": {"phone.airplane": False}, "answer": "off now",
         "parameters": {"properties": {"what": {"type": "string"}}, "required": ["what"]}},
        {"name": "refund", "answer": "done"},
    ],
}  # fmt: skip


def thought(action: str, say: str) -> Canned:
    """An answer of the form that is asked for."""
    return says(json.dumps({"action": action, "say": say, "reason": "so", "stage_reached": False}))


def played(folder: Path, *replies: Canned) -> tuple[Session, ChatEndpoint]:
    """A call of a caller whose endpoint replies so."""
    with chat_endpoint(*replies) as endpoint:
        user = {**CALLER, "llm": {"base_url": endpoint.base_url, "model": "test"}}
        return play_session({**CALL, "user": user, "agent": AGENT, "world": WORLD, "duration": "30s"}, folder,
                            annotate=False), endpoint  # fmt: skip


@pytest.mark.slow
def test_a_caller_calls_the_users_tools(tmp_path: Path) -> None:
    """It is offered its own alone; a call changes the state as the user's, and its answer is told to the model, in that
    moment as a message and later as what it did.
    """
    session, endpoint = played(
        tmp_path,
        says("", calls("toggle", what="airplane mode")),
        thought("say", "I turned airplane mode off."),
        thought("hang_up", "Thank you, goodbye."),
    )
    assert [tool["function"]["name"] for tool in endpoint.asked[0]["tools"]] == ["toggle"]
    *_, asked, told = endpoint.asked[1]["messages"]
    assert asked["tool_calls"][0]["function"]["name"] == "toggle"
    assert (told["role"], told["content"]) == ("tool", "off now")
    (call,), (result,) = session.by_type["tool_call"], session.by_type["tool_result"]
    assert (call.party, call.data["arguments"], result.data["answer"]) == ("user", {"what": "airplane mode"}, "off now")
    record = read_world(session.folder)
    assert record is not None
    assert record.after == {"phone": {"airplane": False}}
    assert "toggle" in endpoint.asked[2]["messages"][0]["content"]
    assert all(message["role"] != "tool" for message in endpoint.asked[2]["messages"])
    said = [event.data["text"] for event in session.by_type["speech_start"] if event.party == "user"]
    assert said[0].endswith("I turned airplane mode off.") and session.by_type["hung_up"]


def test_a_caller_that_only_calls_is_no_caller(tmp_path: Path) -> None:
    """Its session fails, with whose fault that is."""
    session, endpoint = played(tmp_path, says("", calls("toggle", what="it")))
    assert session.meta.status == "failed"
    assert "the caller's llm at" in (session.meta.problem or "") and "called tools 9 times" in (
        session.meta.problem or ""
    )
    assert len(endpoint.asked) == 27


def test_patterns_call_nothing(tmp_path: Path) -> None:
    """Refused before anything starts."""
    user = {**CALLER, "llm": {"kind": "rules", "answers": [{"match": "x", "call": "toggle", "say": "Done."}]}}
    with pytest.raises(ScenarioError, match="patterns call no tools"):
        scenario_of({**CALL, "user": user, "agent": AGENT, "world": WORLD}, tmp_path)
