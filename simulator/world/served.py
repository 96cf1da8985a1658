"""Worlds over HTTP and MCP: the tools of the sessions that are under way, offered on this machine.

    http://127.0.0.1:PORT/s/TOKEN/mcp             MCP (streamable HTTP), the token in front of `/mcp`
    http://127.0.0.1:PORT/mcp                     the same, with `Authorization: Bearer TOKEN`
    GET  .../tools                                the tools as JSON
    POST .../tools/NAME                           a call: arguments and answer are JSON; 400, 404, 409 at a fault

Every session has a token, and its own world behind it. The server has a thread and an event loop of its own: on the
virtual clock a session may keep its own loop busy. What a call comes to is told by the session's events as any other.
"""

import socket
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from secrets import token_urlsafe
from typing import Any

import msgspec

from simulator.clock import sleep
from simulator.errors import ScenarioError, SimulatorError
from simulator.events import Emit, Party
from simulator.remote.server import host_of
from simulator.texts import written
from simulator.world.port import result_fields
from simulator.world.serve import LOOPBACK, NEEDS, Serve
from simulator.world.world import CallResult, World, failed

CALLER: Party = "agent"
"""Whose back end asks: what is served is what the agent may call."""
STATUS = {"": 200, "unknown": 404, "arguments": 400, "refused": 409}
LARGEST_BYTES = 2**20
PATIENCE_S = 10.0

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Guest(msgspec.Struct):
    """A session whose world is offered. emit(at, type, ...): notes its events; now(): its sample."""

    world: World
    emit: Emit
    now: Callable[[], int]
    calls: int = 0

    async def call(self, name: str, arguments: object) -> CallResult:
        """Take a call, tell of it, and wait as long as its answer takes."""
        self.calls += 1
        made = f"served-{self.calls}"
        self.emit(self.now(), "tool_call", id=made, name=name, arguments=arguments)
        try:
            result = self.world.call(CALLER, name, arguments)
        except SimulatorError as error:
            result = failed(str(error), "refused")
        await sleep(result.delay)
        self.emit(self.now(), "tool_result", **result_fields(made, name, result))
        return result


class ServedWorlds:
    """Offers the worlds of sessions at one address for as long as there are any."""

    def __init__(self, spec: Serve) -> None:
        self._spec = spec
        self._guests: dict[str, Guest] = {}
        self._lock = threading.Lock()
        self._server: Any = None
        self._thread: threading.Thread | None = None
        self._address = ""

    def enter(self, guest: Guest, token: str | None) -> tuple[str, str]:
        """Offer a session's world; gives the server's address and the token. ScenarioError: the token is in use."""
        with self._lock:
            token = token or token_urlsafe(24)
            if token in self._guests:
                raise ScenarioError("another session is under way with this `serve.token`; play one at a time")
            if self._thread is None:
                self._start()
            self._guests[token] = guest
            return self._address, token

    def leave(self, token: str) -> None:
        """Offer a session's world no more; with the last one the server goes."""
        with self._lock:
            self._guests.pop(token, None)
            if not self._guests and self._thread is not None:
                self._server.should_exit = True
                self._thread.join(PATIENCE_S)
                self._thread = None

    def close(self) -> None:
        """Let everybody go."""
        for token in list(self._guests):
            self.leave(token)

    def guest(self, token: str) -> Guest | None:
        """Give the session that a token stands for."""
        return self._guests.get(token)

    def _start(self) -> None:
        """Listen and serve in a thread. ScenarioError where the port is taken or the packages are missing."""
        try:
            listener = socket.create_server((self._spec.host, self._spec.port), family=_family(self._spec.host))
        except OSError as error:
            where = f"{self._spec.host}:{self._spec.port}"
            raise ScenarioError(f"the world cannot be served at {where}: {error.strerror}") from error
        try:
            self._server = _web_server(_Doors(self), self._spec)
        except ImportError as error:
            listener.close()
            raise ScenarioError(NEEDS) from error
        host, port = listener.getsockname()[:2]
        self._address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        started = threading.Event()
        self._server.started_event = started
        thread = threading.Thread(target=self._server.run, args=([listener],), name="worlds", daemon=True)
        thread.start()
        if not started.wait(PATIENCE_S):
            self._server.should_exit = True
            raise ScenarioError(f"the world could not be served within {PATIENCE_S:g} s")
        self._thread = thread  # only now: the next session would be given an address where nobody answers


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _web_server(doors: "_Doors", spec: Serve) -> Any:
    import uvicorn

    class ThreadServer(uvicorn.Server):
        """uvicorn that says when it has started; who stops it is decided here."""

        started_event: threading.Event

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            self.started_event.set()

    app = doors.app(spec)
    config = uvicorn.Config(
        app, lifespan="on", log_config=None, log_level="critical", access_log=False, server_header=False,
        timeout_graceful_shutdown=1,
    )  # fmt: skip
    return ThreadServer(config)


class _Doors:
    """Lets in whoever has a token, in the path or as a bearer, and answers."""

    def __init__(self, worlds: ServedWorlds) -> None:
        self._worlds = worlds

    def app(self, spec: Serve) -> Any:
        """Make the ASGI app."""
        from starlette.routing import Route

        routes = [
            Route("/s/{token}/tools", self._listed),
            Route("/s/{token}/tools/{name}", self._called, methods=["POST"]),
        ]
        inner = self._mcp().streamable_http_app(
            streamable_http_path="/s/{token}/mcp", json_response=True, stateless_http=True, host=spec.host,
            max_request_body_size=LARGEST_BYTES, custom_starlette_routes=routes,
        )  # fmt: skip

        async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http" and not _is_meant(scope):
                await _refused(send, 403, b'{"error":"this machine is not called so"}')
            elif scope["type"] == "http" and not self._admit(scope):
                await _refused(send, 401, b'{"error":"no session has this token"}')
            else:
                await inner(scope, receive, send)

        return guarded

    def _admit(self, scope: Scope) -> bool:
        """Whether a request has a token that stands for a session; what came as a bearer is put into the path."""
        path: str = scope["path"]
        if path.startswith("/s/"):
            return self._worlds.guest(path.split("/")[2]) is not None
        given = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
        scheme, _, token = given.partition(" ")
        if scheme.lower() != "bearer" or self._worlds.guest(token.strip()) is None:
            return False
        scope["path"] = f"/s/{token.strip()}{path}"
        scope["raw_path"] = scope["path"].encode()
        return True

    def _mcp(self) -> Any:
        import mcp.types as words
        from mcp.server.lowlevel import Server

        async def listed(context: Any, _params: Any) -> Any:
            tools = self._of(context.request).world.tools(CALLER)
            told = [
                words.Tool(
                    name=tool.name, description=tool.description, input_schema={"type": "object", **tool.parameters}
                )
                for tool in tools
            ]
            return words.ListToolsResult(tools=told)

        async def called(context: Any, params: Any) -> Any:
            result = await self._of(context.request).call(params.name, params.arguments or {})
            answer = result.answer
            content: list[Any] = [words.TextContent(type="text", text=written(answer))]
            structured = answer if isinstance(answer, dict) else None
            return words.CallToolResult(content=content, structured_content=structured, is_error=bool(result.fault))

        return Server("world", on_list_tools=listed, on_call_tool=called)

    def _of(self, request: Any) -> Guest:
        guest = self._worlds.guest(request.path_params["token"])
        if guest is None:  # it left while it was asked
            return Guest(world=_Empty(), emit=lambda *_args, **_fields: None, now=lambda: 0)
        return guest

    async def _listed(self, request: Any) -> Any:
        from starlette.responses import Response

        tools = [{"name": tool.name, "description": tool.description, "parameters": tool.parameters}
                 for tool in self._of(request).world.tools(CALLER)]  # fmt: skip
        return Response(msgspec.json.encode(tools), media_type="application/json")

    async def _called(self, request: Any) -> Any:
        from starlette.responses import Response

        body = b""
        async for piece in request.stream():
            body += piece
            if len(body) > LARGEST_BYTES:
                return Response(b'{"error":"too large"}', 413, media_type="application/json")
        result = await self._of(request).call(request.path_params["name"], _read(body))
        return Response(msgspec.json.encode(result.answer), STATUS[result.fault], media_type="application/json")


def _read(body: bytes) -> Any:
    """Read a call's arguments: JSON, or the text that is none."""
    try:
        return msgspec.json.decode(body) if body else {}
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return body.decode(errors="replace")


class _Empty(World):
    """The world of a session that has left."""

    def tools(self, party: Party) -> list[Any]:
        """None."""
        return []


def _is_meant(scope: Scope) -> bool:
    """Whether a request names this machine: a browser that was led here by another name does not."""
    host = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
    return host_of(f"//{host}") in LOOPBACK


async def _refused(send: Send, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"www-authenticate", b"Bearer")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
