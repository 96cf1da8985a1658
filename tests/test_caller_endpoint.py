"""Callers that think by a chat endpoint: what it is asked, how its answers are read, and endpoints that misbehave."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agents.caller.endpoint_mind import EndpointMindSpec
from agents.caller.endpoint_reply import messages_of, read_reply
from agents.caller.mind import Situation
from simulator.errors import RemoteError
from simulator.speaking.dialogue import Message
from simulator.spec import ms
from simulator.testing import play_session
from tests.callers import AGENT, CALL, CALLER, Asked
from tests.contracts.http_peers import Got, Json, scripted
from tests.contracts.peer_sessions import KEY, assert_no_secret


def reply(**fields: Any) -> str:
    """What a model writes that keeps to the form."""
    return json.dumps(
        {"action": "say", "say": "A table for two.", "reason": "wants it", "stage_reached": False, **fields}
    )


def chunks(text: str, finish: str = "stop", pieces: int = 3) -> list[Json]:
    """The same as the events of a stream, cut anywhere."""
    size = max(1, -(-len(text) // pieces))
    cut = [text[start : start + size] for start in range(0, len(text), size)]
    deltas: list[Json] = [{"choices": [{"index": 0, "delta": {"content": piece}}]} for piece in cut]
    return [*deltas, {"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]}]


def answers(*texts: str) -> Callable[[Got], None]:
    """An endpoint that gives these one after the other, the last one from then on."""
    return lambda got: got.stream(*chunks(texts[min(got.number, len(texts) - 1)]))


def asked_at(url: str, **brief: Any) -> Asked:
    """A mind at this endpoint."""
    return Asked(EndpointMindSpec(base_url=f"{url}/v1", model="test"), **brief)


def test_the_model_is_told_the_brief_the_talk_and_what_it_may_do() -> None:
    """Persona, goal and facts as instructions; the other's words; the actions of the moment."""
    with scripted(answers(reply())) as (url, seen):
        thought = asked_at(url, persona="A tired parent.", facts={"name": "Ann"})("Good evening.")
        asked_at(url)("I can", "cut_in")
    assert (thought.choice, thought.say, thought.reason) == ("say", "A table for two.", "wants it")
    system, last = seen[0].json["messages"]
    assert all(text in system["content"] for text in ("A tired parent.", "three people", "- name: Ann"))
    assert last["content"].startswith("Good evening.")
    actions = [got.json["response_format"]["json_schema"]["schema"]["properties"]["action"]["enum"] for got in seen[:2]]
    assert actions == [["say", "wait", "hang_up"], ["barge_in", "wait"]]


def test_who_spoke_first_the_others_words_are_the_first_message() -> None:
    """Services want a user's message first: a caller that opened the talk has one put in front of its own."""
    said = Message(role="assistant", text="Hello?")
    situation = Situation(occurred="turn", heard="Good evening.", history=[said])
    roles = [message["role"] for message in messages_of("Be Ann.", situation, may_hang_up=True)]
    assert roles == ["system", "user", "assistant", "user"]


def test_only_the_stage_that_is_wanted_is_told_and_the_next_when_it_is_reached() -> None:
    """The model that says that it is there is asked once more, knowing what comes next."""
    with scripted(answers(reply(), reply(stage_reached=True), reply(say="And outside, please."))) as (url, seen):
        asked = asked_at(url, stages={"T1": "a table", "T2": "outside"})
        asked("Hello?")
        second = asked("You have it.")
    assert second.say == "And outside, please."
    told = [got.json["messages"][0]["content"] for got in seen]
    assert ["outside" in text for text in told] == [False, False, True]


@pytest.mark.parametrize(
    "text",
    [
        reply(),
        f"```json\n{reply()}\n```",
        f"<think>say {{nothing}}?</think> {reply()}",
        f"Here it is: {reply()} Good luck.",
        '{"action": "say", "say": "A table for two."}',
    ],
)
def test_an_answer_is_read_whatever_is_around_it(text: str) -> None:
    """Fences, thoughts, chatter; fields that were left out."""
    assert read_reply(text, "turn", may_hang_up=True).say == "A table for two."


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("A table for two.", "no JSON object"),
        ("", "no JSON object"),
        ('{"action": "say", "say": "A tab', "no JSON object"),
        ('{"action": "dance"}', "of the form"),
        ('{"action": "say", "say": 3}', "of the form"),
        (reply(say="..."), "without words"),
        (reply(action="hang_up"), "allowed here are say, wait"),
        (reply(action="barge_in"), "allowed here are say, wait"),
        (reply(say="so " * 400), "characters"),
    ],
)
def test_an_answer_that_is_none_is_said_to_be(text: str, wrong: str) -> None:
    """In a predicate that the model is told, too."""
    with pytest.raises(ValueError, match=wrong):
        read_reply(text, "turn", may_hang_up=False)


def test_what_is_no_answer_is_asked_for_again_with_what_is_wrong() -> None:
    """The second request quotes the first answer and the complaint; the failure is an event."""
    with scripted(answers("A table.", reply())) as (url, seen):
        asked = asked_at(url)
        assert asked("Hello.").say == "A table for two."
    *_, quoted, complaint = seen[1].json["messages"]
    assert quoted == {"role": "assistant", "content": "A table."}
    assert "no JSON object" in complaint["content"]
    assert [type_ for type_, _ in asked.told if type_ == "response_failed"] == ["response_failed"]


def refuse_the_form(got: Got) -> None:
    """A server that knows neither schemas nor objects."""
    if "response_format" in got.json:
        got.answer({"error": {"message": "response_format is not supported"}}, 400)
    else:
        got.stream(*chunks(reply()))


def test_a_server_that_knows_no_schemas_is_asked_in_words() -> None:
    """Less is asked for, once and for all."""
    with scripted(refuse_the_form) as (url, seen):
        asked = asked_at(url)
        assert asked("Hello.").say == asked("And?").say == "A table for two."
    assert ["response_format" in got.json for got in seen] == [True, True, False, False]


def test_a_busy_server_is_asked_again() -> None:
    """429 twice, and then an answer."""

    def busy(got: Got) -> None:
        if got.number < 2:
            got.answer({"error": {"message": "slow down"}}, 429)
        else:
            got.stream(*chunks(reply()))

    with scripted(busy) as (url, seen):
        assert asked_at(url)("Hello.").say == "A table for two."
    assert len(seen) == 3


def test_a_server_that_does_not_stream_is_read() -> None:
    """One JSON object, whatever was asked for."""
    with scripted(
        lambda got: got.answer({"choices": [{"message": {"content": reply()}, "finish_reason": "stop"}]})
    ) as (
        url,
        _,
    ):
        assert asked_at(url)("Hello.").say == "A table for two."


def refusing(got: Got) -> None:
    """A model that says no, in the field for it."""
    got.stream({"choices": [{"index": 0, "delta": {"refusal": "I cannot do that"}, "finish_reason": "stop"}]})


def calling(got: Got) -> None:
    """A model that calls a function, in pieces, and says nothing."""
    pieces = [{"index": 0, "id": "c", "function": {"name": "book", "arguments": '{"pe'}},
              {"index": 0, "function": {"arguments": 'ople": 2}'}}]  # fmt: skip
    got.stream(*({"choices": [{"index": 0, "delta": {"tool_calls": [piece]}}]} for piece in pieces))


HOSTILE: dict[str, tuple[Callable[[Got], None], str]] = {
    "no JSON": (answers("Certainly!"), "answered no JSON object"),
    "cut off": (lambda got: got.stream(*chunks('{"action": "say", "say": "A', finish="length")), "cut off"),
    "filtered": (lambda got: got.stream(*chunks("", finish="content_filter")), "a content filter stopped"),
    "refusal": (refusing, "it refused: I cannot do that"),
    "function": (calling, "it called book"),
    "broken off": (lambda got: got.begin(), "broke its answer off"),
    "gone": (lambda got: got.vanish(), "did not answer"),
    "always busy": (lambda got: got.answer({"error": {"message": "slow down"}}, 429), "slow down"),
    "no such model": (lambda got: got.answer({"error": {"message": "no model test"}}, 404), "no model test"),
    "nonsense": (lambda got: got.answer(b"<html>"), "answered with no completion: <html>"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_an_endpoint_that_gives_no_answer_is_said_to_be_at_fault(name: str) -> None:
    """A RemoteError that names it, the model, and what it did."""
    script, wrong = HOSTILE[name]
    with scripted(script) as (url, _), pytest.raises(RemoteError, match=wrong) as caught:
        asked_at(url)("Hello.")
    assert f"{url}/v1 (test)" in str(caught.value)


def test_an_endpoint_that_is_too_slow_is_said_to_be() -> None:
    """It is waited for as long as `timeout` says, and asked again as often as the client does."""
    over = threading.Event()
    with scripted(lambda got: over.wait() and None) as (url, seen):
        asked = Asked(EndpointMindSpec(base_url=f"{url}/v1", model="test", timeout=ms(50)))
        with pytest.raises(RemoteError, match="timed out"):
            asked("Hello.")
        over.set()
    assert len(seen) == 3


def test_a_caller_whose_endpoint_fails_fails_its_session_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user is at fault, not the agent; the key does not get into the folder, though the server quotes it."""
    monkeypatch.setenv("TEST_KEY", KEY)

    def quoting(got: Got) -> None:
        got.answer({"error": {"message": f"bad key {got.headers['authorization']}"}}, 401)

    with scripted(quoting) as (url, _):
        llm = {"base_url": f"{url}/v1", "model": "test", "api_key": "${TEST_KEY}"}
        session = play_session({**CALL, "user": {**CALLER, "llm": llm}}, tmp_path)
    assert session.meta.status == "failed"
    assert (session.meta.problem or "").startswith("the caller's llm at")
    assert "bad key" in (session.meta.problem or "")
    assert_no_secret(tmp_path)


def test_a_caller_with_an_endpoint_finishes_its_call(tmp_path: Path) -> None:
    """What the model says is said; when it hangs up, the call is over. What it used up is told."""
    texts = [
        reply(say="I need a table, I am in a hurry."),
        reply(say="Ann Miller."),
        reply(action="hang_up", say="Bye."),
    ]
    with scripted(answers(*texts)) as (url, seen):
        llm = {"base_url": f"{url}/v1", "model": "test"}
        session = play_session({**CALL, "agent": AGENT, "user": {**CALLER, "llm": llm}}, tmp_path)
    assert session.meta.status == "completed"
    assert [event.choice for event in session.by_type["decided"]] == ["say", "say", "hang_up"]
    assert len(session.by_type["hung_up"]) == 1
    assert len(session.by_type["usage"]) == len(seen) == 3
