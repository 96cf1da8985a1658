"""A caller that calls tools: the user's of a world, by the endpoint that it thinks by."""

import json
from pathlib import Path
from typing import Any

import anyio
import pytest

from simulator.clock import VirtualClock
from simulator.errors import ScenarioError, SessionError
from simulator.export.scenario import export
from simulator.session import Session
from simulator.testing import bytes_of, play_session, scenario_of
from simulator.world.port import ToolPort
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


DELAY_S = 3.0
SLOW: dict[str, Any] = {**WORLD, "tools": [{**WORLD["tools"][0], "delay": "3s"}]}
ASKS: dict[str, Any] = {
    "kind": "scripted",
    "turns": ["Hello.", {"after": "user_turn", "say": "Turn airplane mode off."}],
}


def rules(**answer: str) -> dict[str, Any]:
    """A caller of patterns that does what it is told."""
    call = {"match": "plane (?P<what>mode)", "call": "toggle", "with": {"what": "{what}"}, "say": "It is {answer}."}
    return {**CALLER, "goal": "Help with my phone.", "llm": {"kind": "rules", "answers": [{**call, **answer}]}}


def slow_call(folder: Path, agent: dict[str, Any], **answer: str) -> Session:
    """A caller of patterns whose tool takes 3 s."""
    return play_session(
        {**CALL, "user": rules(**answer), "agent": agent, "world": SLOW, "duration": "16s"}, folder, annotate=False
    )


def said_by_user(session: Session) -> list[tuple[int, str]]:
    """When each of its utterances begins, and its words."""
    return [(event.at, event.text) for event in session.by_type["speech_start"] if event.party == "user"]


@pytest.mark.parametrize("wait", ["One moment, please.", ""])
def test_a_caller_waits_for_its_tool_on_the_virtual_clock(wait: str, tmp_path: Path) -> None:
    """It calls when its moment has come, says so or nothing, and tells what came of it 3 s later, to the sample."""
    session = slow_call(tmp_path / "one", ASKS, wait=wait)
    (call,), (result,) = session.by_type["tool_call"], session.by_type["tool_result"]
    there = call.at + round(DELAY_S * session.sample_rate)
    assert (call.party, call.data["arguments"], result.data["answer"], result.at) == (
        "user", {"what": "mode"}, "off now", there)  # fmt: skip
    _, *then = said_by_user(session)
    assert then[: 2 if wait else 1] == [*([(call.at, wait)] if wait else []), (there, "It is off now.")]
    record = read_world(session.folder)
    assert record is not None and record.after == {"phone": {"airplane": False}}
    assert bytes_of(slow_call(tmp_path / "two", ASKS, wait=wait)) == bytes_of(session)


def test_it_does_not_tell_over_the_others_words(tmp_path: Path) -> None:
    """The agent talks from a second after it was called until after the answer is there: the caller waits for its gap,
    and what was said meanwhile is known to it.
    """
    talk = {"after": "user_turn", "delay": "1s", "say": "You will find it in the settings, at the top, beside the sign "
            "of a plane, and it takes a while."}  # fmt: skip
    session = slow_call(tmp_path, {**ASKS, "turns": [*ASKS["turns"], talk]}, wait="One moment, please.")
    (result,) = session.by_type["tool_result"]
    over = [event.at for event in session.by_type["speech_end"] if event.party == "agent"][2]
    told = next(event for event in session.by_type["decided"] if event.data.get("say") == "It is off now.")
    gap_s = float(told.cue["other_silent"].removesuffix("ms")) / 1000
    assert over > result.at
    assert over + gap_s * session.sample_rate - 1 <= told.at < over + (gap_s + 0.2) * session.sample_rate
    assert "beside the sign" in told.heard


def test_an_endpoint_is_asked_again_when_the_answer_is_there(tmp_path: Path) -> None:
    """It knows only then what came of its call; until then the caller says that it needs a moment."""
    replies = (
        says("", calls("toggle", what="airplane mode")),
        thought("say", "It is off."),
        thought("hang_up", "Bye."),
    )
    with chat_endpoint(*replies) as endpoint:
        user = {**CALLER, "opening": "Hello, my phone is broken.", "llm": {"base_url": endpoint.base_url, "model": "t"}}
        session = play_session({**CALL, "user": user, "agent": ASKS, "world": SLOW, "duration": "16s"}, tmp_path,
                               annotate=False)  # fmt: skip
    (call,), (result,) = session.by_type["tool_call"], session.by_type["tool_result"]
    assert said_by_user(session)[1:3] == [(call.at, "One moment, please."), (result.at, "It is off.")]
    first, second = endpoint.asked[0]["messages"], endpoint.asked[1]["messages"]
    assert "off now" not in first[0]["content"] and 'toggle({"what": "airplane mode"}): off now' in second[0]["content"]
    assert "is done now" in second[-1]["content"] and all(message["role"] != "tool" for message in second)


def test_a_take_with_calls_is_no_script(tmp_path: Path) -> None:
    """A script calls nothing, so its world would be another one."""
    with pytest.raises(SessionError, match="the user called 'toggle'; a script calls no tools"):
        export(slow_call(tmp_path, ASKS))


def test_a_tool_that_is_not_the_users_is_refused(tmp_path: Path) -> None:
    """Before anything starts, with those that there are."""
    with pytest.raises(
        ScenarioError, match=r"\.llm\.answers: calls 'refund', which is no tool of the world; there are t"
    ):
        scenario_of({**CALL, "user": rules(call="refund"), "agent": AGENT, "world": WORLD}, tmp_path)


def test_who_goes_on_meanwhile_is_not_kept_waiting(tmp_path: Path) -> None:
    """On the wall clock the port answers at once and says when the answer counts."""
    world = scenario_of({**CALL, "world": SLOW}, tmp_path).world
    assert world is not None
    told: list[int] = []
    port = ToolPort(world.open(), "user", lambda at, *_, **__: told.append(at), Standing(), 24_000, waits=False)
    assert anyio.run(port.call, "toggle", {"what": "it"}, 0).at == 96_000
    assert (told, port.moment(0)) == ([24_000, 96_000], 24_000)


class Standing(VirtualClock):
    """A wall clock that stands at a second of a session at 24 kHz."""

    realtime = True

    def now(self) -> int:
        """Always the same."""
        return 24_000
