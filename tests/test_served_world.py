"""A world over HTTP and MCP: whoever has a session's token calls its tools, and nobody else's."""

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
import pytest

from simulator.errors import ScenarioError
from simulator.session import Session
from simulator.testing.sessions import play_session, scenario_of
from simulator.world.record import read_world
from simulator.world.serve import Serve
from simulator.world.served import Guest, ServedWorlds
from simulator.world.spec import ToolWorldSpec
from simulator.world.tool import Tool
from tests.contracts.http_peers import ask
from tests.contracts.peer_sessions import KEY, assert_no_secret

pytest.importorskip("mcp")

ORDER = {"type": "object", "properties": {"order": {"type": "string"}}, "required": ["order"]}
STATE = {"orders": {"1": {"status": "shipped"}}}
Json = dict[str, Any]


def guest(events: list[tuple[str, Json]] | None = None) -> Guest:
    """A session with a world of two tools; events: gets what it tells."""
    tools = [
        Tool(name="look_up", description="Find it.", parameters=ORDER, answer="{orders[order]}"),
        Tool(name="cancel", parameters=ORDER, set={"orders.{order}.status": "cancelled"}),
        Tool(name="mine", party="user"),
    ]
    told = events if events is not None else []
    emit = lambda _at, type_, **fields: told.append((type_, fields))  # noqa: E731
    return Guest(world=ToolWorldSpec(state=STATE, offered=tools).open(), emit=emit, now=lambda: 7)


@contextmanager
def offered(*guests: Guest) -> Iterator[tuple[str, list[str]]]:
    """Serve sessions; gives the address and their tokens."""
    worlds = ServedWorlds(Serve())
    entered = [worlds.enter(each, None) for each in guests]
    try:
        yield entered[0][0], [token for _, token in entered]
    finally:
        worlds.close()


def test_a_tool_is_called_over_http() -> None:
    """The answer is the tool's own, a fault has a status; both are told as events."""
    events: list[tuple[str, Json]] = []
    with offered(guest(events)) as (url, (token,)):
        status, tools = ask(url, f"/s/{token}/tools")
        assert (status, [tool["name"] for tool in tools]) == (200, ["look_up", "cancel"])  # type: ignore[index]
        bearer = {"Authorization": f"Bearer {token}"}
        assert ask(url, "/tools/look_up", {"order": "1"}, headers=bearer) == (200, {"status": "shipped"})
        assert ask(url, f"/s/{token}/tools/fly", {})[0] == 404
        assert ask(url, f"/s/{token}/tools/mine", {})[0] == 404
        assert ask(url, f"/s/{token}/tools/look_up", {}) == (400, {"error": "'order' is a required property"})
        assert ask(url, f"/s/{token}/tools/look_up", b"no json")[0] == 400
        assert ask(url, f"/s/{token}/tools/look_up", {"order": "9"})[0] == 409
    assert [type_ for type_, _ in events] == ["tool_call", "tool_result"] * 6
    assert events[0][1] == {"id": "served-1", "name": "look_up", "arguments": {"order": "1"}}


@pytest.mark.parametrize(
    ("path", "headers"),
    [("/tools", {}), ("/mcp", {}), ("/s/guessed/tools", {}), ("/s/guessed/mcp", {}), ("/s/", {}), ("/s", {}),
     ("/tools", {"Authorization": "Bearer guessed"}), ("/tools", {"Authorization": "Basic x"})],
)  # fmt: skip
def test_nobody_is_let_in_without_a_token(path: str, headers: dict[str, str]) -> None:
    """And what was tried is not said again."""
    with offered(guest()) as (url, _):
        assert ask(url, path, headers=headers) == (401, {"error": "no session has this token"})


def test_a_page_of_another_host_is_not_let_in() -> None:
    """A browser that was led here by another name must not reach what is on this machine."""
    with offered(guest()) as (url, (token,)):
        for path in ("tools", "mcp"):
            for host in ("evil.example", "["):
                assert ask(url, f"/s/{token}/{path}", headers={"Host": host})[0] == 403


def test_sessions_do_not_meet() -> None:
    """Each token has a state of its own; one that has left is gone."""
    first, second = guest(), guest()
    worlds = ServedWorlds(Serve())
    (url, one), (again, two) = worlds.enter(first, None), worlds.enter(second, None)
    try:
        assert url == again
        assert ask(url, f"/s/{one}/tools/cancel", {"order": "1"})[0] == 200
        assert ask(url, f"/s/{two}/tools/look_up", {"order": "1"})[1] == {"status": "shipped"}
        worlds.leave(one)
        assert ask(url, f"/s/{one}/tools")[0] == 401
    finally:
        worlds.close()
    with pytest.raises(OSError, match="refused"):
        ask(url, f"/s/{two}/tools")
    assert first.world.state()["orders"]["1"]["status"] == "cancelled"


def test_a_token_that_is_given_belongs_to_one_session_at_a_time() -> None:
    """The second is refused."""
    worlds = ServedWorlds(Serve())
    try:
        assert worlds.enter(guest(), "abc")[1] == "abc"
        with pytest.raises(ScenarioError, match="another session is under way"):
            worlds.enter(guest(), "abc")
    finally:
        worlds.close()


def with_client(url: str, act: Callable[[Any], Any], headers: dict[str, str] | None = None) -> Any:
    """Do something with the official client."""
    mcp: Any = importlib.import_module("mcp")
    transport: Any = importlib.import_module("mcp.client.streamable_http")
    http: Any = importlib.import_module("httpx2")

    async def talk() -> Any:
        async with (
            http.AsyncClient(headers=headers or {}) as client,
            transport.streamable_http_client(url, http_client=client) as streams,
            mcp.ClientSession(*streams[:2]) as session,
        ):
            await session.initialize()
            return await act(session)

    return anyio.run(talk)


@pytest.mark.parametrize("bearer", [False, True])
def test_an_mcp_client_calls_the_tools(*, bearer: bool) -> None:
    """By the token in front of `/mcp`, or as a bearer."""

    async def act(client: Any) -> Any:
        tools = (await client.list_tools()).tools
        right = await client.call_tool("look_up", {"order": "1"})
        wrong = await client.call_tool("look_up", {"order": "9"})
        return [(tool.name, tool.input_schema) for tool in tools], right, wrong

    with offered(guest()) as (url, (token,)):
        headers = {"Authorization": f"Bearer {token}"} if bearer else None
        tools, right, wrong = with_client(f"{url}/mcp" if bearer else f"{url}/s/{token}/mcp", act, headers)
    assert tools[0] == ("look_up", ORDER)
    assert (right.is_error, right.structured_content, right.content[0].text) == (
        False, {"status": "shipped"}, '{"status":"shipped"}')  # fmt: skip
    assert (wrong.is_error, wrong.structured_content) == (True, {"error": "there is no '9' in orders"})


AGENT = """
import http.client, json
from urllib.parse import urlsplit

def answer(turn, history, tools):
    parts = urlsplit(tools.mcp_url)
    connection = http.client.HTTPConnection(parts.netloc)
    path = parts.path.removesuffix("/mcp") + "/tools/cancel"
    connection.request("POST", path, json.dumps({"order": "1"}))
    said = json.loads(connection.getresponse().read())
    connection.close()
    return f"It is {said}, by {tools.mcp_url}."
"""


def session_of(folder: Path, module: str, **serve: Any) -> Session:
    """A session whose agent calls the world by its address."""
    folder = folder / module
    folder.mkdir()
    (folder / f"{module}.py").write_text(AGENT)
    tool = {"name": "cancel", "parameters": ORDER, "set": {"orders.{order}.status": "cancelled"}}
    responder = {"kind": "function", "call": f"{module}:answer", "folder": str(folder)}
    return play_session(
        {
            "user": {"kind": "scripted", "turns": ["Cancel it."]},
            "agent": {"kind": "turn_based", "responder": responder},
            "world": {"state": STATE, "tools": [tool], "serve": serve},
            "duration": "8s",
            "scorers": [],
        },
        folder,
    )


def test_a_session_serves_its_world_and_tells_nobody_the_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even an agent that says it aloud brings it into the folder."""
    session = session_of(tmp_path, "mcp_agent_one")
    assert session.meta.status == "completed"
    record = read_world(session.folder)
    assert record is not None
    assert [change.path for change in record.diff] == ["orders.1.status"]
    (call,) = session.by_type["tool_call"]
    assert (call.party, call.data["id"], call.data["arguments"]) == ("agent", "served-1", {"order": "1"})
    (line,) = [event for event in session.by_type["speech_start"] if event.party == "agent"]
    assert "/s/***/mcp" in line.data["text"]
    monkeypatch.setenv("WORLD_TOKEN", KEY)
    assert_no_secret(session_of(tmp_path, "mcp_agent_two", token="${WORLD_TOKEN}").folder)


@pytest.mark.parametrize(
    ("serve", "complaint"),
    [
        ({"host": "0.0.0.0"}, "is offered on this machine alone"),
        ({"token": "abc"}, "write it as"),
        ({"port": 70000}, "65535"),
    ],
)
def test_a_world_that_cannot_be_served_is_refused(tmp_path: Path, serve: Json, complaint: str) -> None:
    """Before anything starts."""
    with pytest.raises(ScenarioError, match=complaint):
        scenario_of({"user": "silent", "agent": "silent", "world": {"serve": serve}}, tmp_path)


def test_a_port_that_is_taken_fails_the_session(tmp_path: Path) -> None:
    """In one sentence."""
    with offered(guest()) as (url, _):
        session = session_of(tmp_path, "mcp_agent_three", port=urlsplit(url).port)
    assert session.meta.status == "failed"
    assert "the world cannot be served at 127.0.0.1:" in (session.meta.problem or "")
