"""Agents that call tools: a chat endpoint, a function, rules; what is told, what is said, and when."""

from pathlib import Path
from typing import Any

import pytest

from simulator.errors import ScenarioError
from simulator.session import Session
from simulator.testing.sessions import bytes_of, play_session, scenario_of
from simulator.world.record import read_world
from tests.chat_endpoint import Canned, CannedCall, ChatEndpoint, calls, chat_endpoint, cut_off, refuses, says

ORDER = {"type": "object", "properties": {"order": {"type": "string"}}, "required": ["order"]}
WORLD = {
    "state": {"orders": {"12345": {"status": "shipped"}, "7": {"status": "packed"}}},
    "tools": [
        {"name": "look_up", "parameters": ORDER, "answer": "{orders[order].status}"},
        {"name": "cancel", "parameters": ORDER, "set": {"orders.{order}.status": "cancelled"}, "answer": "done",
         "delay": "2s"},
    ],
}  # fmt: skip
Json = dict[str, Any]


def talk(folder: Path, agent: Json, *turns: Json | str, **more: Any) -> Session:
    """A session of a user that says these turns."""
    user = {"kind": "scripted", "turns": list(turns or ("Where is my order?",))}
    return play_session({"user": user, "agent": agent, "world": WORLD, "duration": "12s", "scorers": [], **more},
                        folder, annotate=False)  # fmt: skip


def chat(folder: Path, *replies: Canned, turns: tuple[Any, ...] = (), **spec: Any) -> tuple[Session, ChatEndpoint]:
    """A session of a cascade with a chat endpoint that replies so."""
    with chat_endpoint(*replies) as endpoint:
        agent = {"kind": "cascade", "chat": {"base_url": endpoint.base_url, "model": "test", **spec}}
        return talk(folder, agent, *turns), endpoint


def of_type(session: Session, type_: str) -> list[Json]:
    """The fields of events of a type, with their times."""
    return [{"at": event.at, **event.data} for event in session.by_type.get(type_, ())]


def said(session: Session) -> list[tuple[int, str]]:
    """What the agent said, and when it began."""
    return [(event.at, event.data["text"]) for event in session.by_type["speech_start"] if event.party == "agent"]


def test_a_chat_model_calls_a_tool_and_answers_by_it(tmp_path: Path) -> None:
    """It is told of the tools, calls one in pieces, and is told the answer; all of it stands in the session."""
    session, endpoint = chat(tmp_path, says("", calls("look_up", order="12345")), says("It was shipped."))
    assert [tool["function"]["name"] for tool in endpoint.asked[0]["tools"]] == ["look_up", "cancel"]
    assert endpoint.asked[0]["tools"][0]["function"]["parameters"] == ORDER
    *_, asked, told = endpoint.asked[1]["messages"]
    assert (asked["tool_calls"][0]["function"]["name"], told["role"], told["content"]) == ("look_up", "tool", "shipped")
    assert asked["tool_calls"][0]["id"] == told["tool_call_id"]
    (call,), (result,) = of_type(session, "tool_call"), of_type(session, "tool_result")
    assert (call["name"], call["arguments"]) == ("look_up", {"order": "12345"})
    assert result == {"at": call["at"], "id": call["id"], "name": "look_up", "answer": "shipped"}
    assert [text for _, text in said(session)] == ["It was shipped."]


def test_a_slow_tool_is_waited_for_while_the_agent_says_so(tmp_path: Path) -> None:
    """What the model writes before it calls is said at once, the answer when the tool has given its own."""
    session, _ = chat(tmp_path, says("One moment.", calls("cancel", order="7")), says("It is cancelled."))
    (call,), (result,) = of_type(session, "tool_call"), of_type(session, "tool_result")
    assert result["at"] - call["at"] == 2 * session.sample_rate
    (first, moment), (second, done) = said(session)
    assert (moment, done) == ("One moment.", "It is cancelled.")
    assert call["at"] <= first < result["at"] <= second < result["at"] + 0.1 * session.sample_rate


def test_a_call_leaves_its_mark_in_the_world(tmp_path: Path) -> None:
    """world.json has what was, what is, and what changed."""
    session, _ = chat(tmp_path, says("", calls("cancel", order="7")), says("Done."))
    record = read_world(session.folder)
    assert record is not None
    assert record.before == WORLD["state"]
    assert [(change.path, change.before, change.after) for change in record.diff] == [
        ("orders.7.status", "packed", "cancelled")
    ]


def test_parallel_calls_are_answered_together(tmp_path: Path) -> None:
    """The round is over when the slowest is; a call that comes to nothing is told as an API would."""
    made = (calls("look_up", order="9"), calls("cancel", order="7"), calls("fly"))
    session, endpoint = chat(tmp_path, says("", *made), says("So it is."))
    answers = [message["content"] for message in endpoint.asked[1]["messages"] if message["role"] == "tool"]
    assert answers == ['{"error":"there is no \'9\' in orders"}', "done",
                       '{"error":"there is no function \'fly\'; there are: look_up, cancel"}']  # fmt: skip
    faults = {result["name"]: result.get("fault") for result in of_type(session, "tool_result")}
    assert faults == {"look_up": "refused", "cancel": None, "fly": "unknown"}
    assert said(session)[0][0] - of_type(session, "tool_call")[0]["at"] >= 2 * session.sample_rate


def test_several_rounds_are_one_answer(tmp_path: Path) -> None:
    """And the next turn's question holds the calls where they were made, what was said beside them once."""
    replies = (says("Let me see.", calls("look_up", order="7")), says("", calls("look_up", order="12345")),
               says("One is packed."), says("Goodbye."))  # fmt: skip
    session, endpoint = chat(tmp_path, *replies, turns=("Where are my orders?", {"after": "agent_turn", "say": "Bye."}))
    roles = [message["role"] for message in endpoint.asked[3]["messages"]]
    assert roles == ["system", "user", "assistant", "tool", "assistant", "tool", "assistant", "user"]
    texts = [message["content"] for message in endpoint.asked[3]["messages"] if message["role"] == "assistant"]
    assert texts == [None, None, "Let me see. One is packed."]
    assert [text for _, text in said(session)] == ["Let me see.", "One is packed.", "Goodbye."]


def test_a_model_that_never_stops_calling_is_stopped(tmp_path: Path) -> None:
    """After `max_rounds` its answer is none."""
    session, endpoint = chat(tmp_path, says("", calls("look_up", order="7")), max_rounds=2)
    assert len(endpoint.asked) == 3
    assert session.meta.problem == "chat failed 1 of 1 responses: it called tools 3 times in a row (max_rounds 2)"


def test_arguments_that_are_no_json_are_told_to_the_model(tmp_path: Path) -> None:
    """And go back to it in a form that services take."""
    broken = CannedCall(name="look_up", arguments='{"order": ')
    session, endpoint = chat(tmp_path, says("", broken), says("Sorry."))
    assert of_type(session, "tool_call")[0]["arguments"] == '{"order": '
    assert of_type(session, "tool_result")[0]["fault"] == "arguments"
    assert endpoint.asked[1]["messages"][-2]["tool_calls"][0]["function"]["arguments"] == "{}"


@pytest.mark.parametrize(
    ("hostile", "told"), [(refuses(400, "no"), "answered with an error: "), (cut_off("It was"), "did not answer: ")]
)
def test_an_endpoint_that_fails_after_a_call_fails_the_session(tmp_path: Path, hostile: Canned, told: str) -> None:
    """With whose fault it is; what the call changed is kept."""
    session, _ = chat(tmp_path, says("", calls("cancel", order="7")), hostile)
    assert session.meta.status == "failed"
    assert f"(test) {told}" in (session.meta.problem or "")
    record = read_world(session.folder)
    assert record is not None
    assert len(record.diff) == 1


def test_an_answer_that_waits_is_dropped_when_the_user_goes_on(tmp_path: Path) -> None:
    """Nothing was said yet, so the user's next words are a turn and no barge-in; the call was made all the same."""
    interrupting = {"after": "agent_turn", "say": "Oh, and the other one too, please."}
    session, endpoint = chat(
        tmp_path,
        says("One moment.", calls("cancel", order="7")),
        says("It is cancelled."),
        says("Both of them."),
        turns=("Please cancel it.", interrupting),
    )
    assert [text for _, text in said(session)] == ["One moment.", "Both of them."]
    assert [message.get("content") for message in endpoint.asked[2]["messages"]][-2:] == [
        "One moment.", endpoint.asked[2]["messages"][-1]["content"]]  # fmt: skip
    assert len(of_type(session, "tool_result")) == 1


FUNCTION = """
def answer(turn, history, tools):
    yield "One moment."
    status = tools.call("cancel", order="7")
    yield f"It is {status}, of {len(tools.offered)} tools."

async def asked(turn, history, tools):
    return [(await tools.ask("look_up", order="12345")), "Goodbye."]

def plain(turn, history):
    return "Hello."
"""


@pytest.mark.parametrize(
    ("name", "lines", "made"),
    [("answer", ["One moment.", "It is done, of 2 tools."], 1), ("asked", ["shipped", "Goodbye."], 1),
     ("plain", ["Hello."], 0)],
)  # fmt: skip
def test_a_function_calls_tools(tmp_path: Path, name: str, lines: list[str], made: int) -> None:
    """What it yields before a call is said at once, what comes after when the answer is there."""
    (tmp_path / f"caller_{name}.py").write_text(FUNCTION)
    responder = {"kind": "function", "call": f"caller_{name}:{name}", "folder": str(tmp_path)}
    session = talk(tmp_path, {"kind": "turn_based", "responder": responder})
    assert [text for _, text in said(session)] == lines
    assert len(of_type(session, "tool_call")) == made
    if name == "answer":
        assert said(session)[1][0] >= of_type(session, "tool_result")[0]["at"]


RULES = {
    "kind": "cascade",
    "replies": [
        {"match": r"order.*?(?P<order>\d[\d ,-]*\d|\d)", "call": "look_up", "with": {"order": "{order}"},
         "wait": "One moment.", "say": "Your order {order} is {answer}.", "failed": "No: {answer.error}."},
        {"match": "where", "call": "look_up", "with": {"order": "7"}, "say": "It is {answer}."},
    ],
}  # fmt: skip


def test_a_rule_calls_a_tool(tmp_path: Path) -> None:
    """By the words that its pattern found; the same session gives the same bytes."""
    sessions = [
        talk(
            tmp_path / name, RULES, "Where is it?", {"after": "agent_turn", "say": "The order number is 1, 2, 3, 4, 5."}
        )
        for name in ("one", "two")
    ]
    assert bytes_of(sessions[0]) == bytes_of(sessions[1])
    assert [call["arguments"] for call in of_type(sessions[0], "tool_call")] == [{"order": "7"}, {"order": "12345"}]
    assert [text for _, text in said(sessions[0])] == [
        "It is packed.", "One moment.", "Your order 12345 is shipped."]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "complaint"),
    [
        (
            {"call": "fly", "say": "Yes."},
            "replies: calls 'fly', which is no tool of the world; there are look_up",
        ),
        ({"call": "look_up", "say": "{order}"}, "{order} is no group of match"),
        ({"say": "Yes.", "wait": "Wait."}, "belong to a `call`"),
        ({"call": "look_up", "say": "{"}, "a brace without its other"),
    ],
)
def test_a_rule_that_cannot_be_followed_is_refused(tmp_path: Path, rule: Json, complaint: str) -> None:
    """In one sentence, before anything starts."""
    agent = {"kind": "cascade", "replies": [rule]}
    with pytest.raises(ScenarioError, match=complaint):
        scenario_of({"user": "silent", "agent": agent, "world": WORLD}, tmp_path)
