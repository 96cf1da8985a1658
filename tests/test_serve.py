"""Rules of the door, the guard and the places that every served protocol shares."""

import http.client
import json
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
import pytest
import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from simulator.errors import ActorError, ScenarioError
from simulator.serving.door import open_door
from simulator.serving.guard import AccessRules, is_loopback, refusal
from simulator.serving.listening import DoorSpec
from simulator.serving.server_spec import ServerSpec
from simulator.serving.service import NoPlaceError, Place, Service
from tests.served import service


class Echo(ServerSpec, frozen=True, kw_only=True, tag="echo"):
    """A protocol for tests: gives back what it got, and fails on request."""

    def routes(self, service: Service) -> Sequence[BaseRoute]:
        """One path."""

        async def echo(request: Request) -> JSONResponse:
            async with service.place():
                body = await request.body()
                if body == b"fail":
                    raise ActorError("the actor failed")
                if body == b"wait":
                    await anyio.sleep(0.3)
                return JSONResponse({"length": len(body), "query": str(request.url.query)})

        return [Route("/echo", echo, methods=["POST"])]


Answer = tuple[int, dict[str, Any]]
KEY = {"Authorization": "Bearer right"}


class Http:
    """A client of the door at `url`, on threads of its own."""

    def __init__(self, url: str) -> None:
        self._address = urlsplit(url).netloc

    async def __call__(
        self, path: str, body: bytes | Iterable[bytes] | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """GET, or POST when there is a body: the status and the JSON of the answer."""
        return await anyio.to_thread.run_sync(self._ask, path, body, headers or {})

    def _ask(self, path: str, body: Any, headers: dict[str, str]) -> Answer:
        connection = http.client.HTTPConnection(self._address, timeout=5)
        try:
            connection.request("GET" if body is None else "POST", path, body, headers)
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text.startswith(b"{") else {}
        finally:
            connection.close()


@asynccontextmanager
async def client(folder: Path, door: DoorSpec, **limits: Any) -> AsyncIterator[tuple[Http, Service]]:
    """A client of an echo server."""
    offered = service(folder, **limits)
    async with open_door(offered, Echo(), door) as url:
        yield Http(url), offered


def request(**headers: str) -> dict[str, Any]:
    """A WebSocket request's scope."""
    return {
        "type": "websocket",
        "path": "/api/chat",
        "query_string": headers.pop("query", "").encode(),
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
    }


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "127.0.0.1:8998"}, None),
        ({"host": "localhost:8998", "origin": "http://localhost:8998"}, None),
        ({"host": "localhost:8998", "origin": "http://localhost:3000"}, 403),
        ({"host": "localhost:8998", "origin": "http://localhost"}, 403),
        ({"host": "localhost:8998", "origin": "http://127.0.0.1:8998"}, 403),
        ({"host": "[::1]:8998"}, None),
        ({"host": "evil.example"}, 403),
        ({"host": "localhost.evil.example"}, 403),
        ({"host": "127.0.0.1.evil.example:80"}, 403),
        ({"host": ""}, 403),
        ({"host": "127.0.0.1", "origin": "https://evil.example"}, 403),
        ({"host": "127.0.0.1", "origin": "null"}, 403),
        ({"host": "127.0.0.1", "origin": "http://[bad"}, 403),
        ({"host": "127.0.0.1", "content_length": "65"}, 413),
        ({"host": "127.0.0.1", "content_length": "nonsense"}, None),
    ],
)
def test_on_loopback_only_this_machine_is_answered(headers: dict[str, str], status: int | None) -> None:
    """A page of another origin, or a name that resolves to loopback, is refused; sizes are looked at."""
    refused = refusal(AccessRules(loopback=True, body_bytes=64), request(**headers))
    assert (refused and refused[0]) == status


@pytest.mark.parametrize(
    ("headers", "passes"),
    [
        ({"authorization": "Bearer right"}, True),
        ({"authorization": "bearer  right"}, True),
        ({"query": "token=right"}, True),
        ({"query": "text_seed=1&worker_auth_id=right"}, True),
        ({}, False),
        ({"authorization": "Bearer wrong"}, False),
        ({"authorization": "Basic right"}, False),
        ({"query": "token=wrong"}, False),
        ({"query": "token="}, False),
        ({"query": "Token=right"}, False),
        ({"authorization": "right"}, False),
    ],
)
def test_a_token_is_taken_in_three_ways(headers: dict[str, str], passes: bool) -> None:
    """Bearer header, ?token= and ?worker_auth_id=; anything else is 401. Another address asks for no Host."""
    refused = refusal(AccessRules(loopback=False, token="right"), request(host="example.org", **headers))
    assert (refused is None) == passes
    assert refused is None or refused[0] == 401


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("localhost", True),
        ("LOCALHOST.", True),
        ("::1", True),
        ("[::1]", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("example.org", False),
        ("", False),
    ],
)
def test_what_this_machine_is(host: str, local: bool) -> None:
    """Loopback addresses and `localhost`; 0.0.0.0 listens to everybody."""
    assert is_loopback(host) == local


@pytest.mark.parametrize(
    ("door", "complaint"),
    [
        (DoorSpec(host="0.0.0.0"), "give a --token, or --open"),
        (DoorSpec(token=""), "--token is empty"),
        (DoorSpec(token="t", open=True), "exclude each other"),
        (DoorSpec(cert=Path("c.pem")), "go together"),
        (DoorSpec(cert=Path("c.pem"), key=Path("k.pem")), "c.pem does not exist"),
        (DoorSpec(host="256.0.0.1", token="t"), "cannot listen on 256.0.0.1"),
        (DoorSpec(port=70_000), "--port is 70000; allowed are 0"),
    ],
)
def test_a_door_that_is_not_safe_is_not_opened(tmp_path: Path, door: DoorSpec, complaint: str) -> None:
    """Refused before anything listens."""

    async def attempt() -> None:
        async with open_door(service(tmp_path), Echo(), door):
            pytest.fail("it was opened")

    with pytest.raises(ScenarioError, match=complaint):
        anyio.run(attempt)


def test_an_open_door_warns() -> None:
    """Another address without a token, and without TLS, is said aloud."""
    assert DoorSpec().check() == []
    assert [warning[:9] for warning in DoorSpec(host="0.0.0.0", open=True).check()] == ["anybody w", "without -"]
    assert [warning[:9] for warning in DoorSpec(host="0.0.0.0", token="t").check()] == ["without -"]


def test_requests_through_the_door(tmp_path: Path) -> None:
    """Health is open, the token never reaches a protocol, long bodies and failures are told in JSON."""

    async def talk() -> None:
        async with client(tmp_path, DoorSpec(token="right", body_bytes=100)) as (ask, offered):
            assert await ask("/health") == (200, {"status": "ok", "sessions": 0, "places": 32})
            assert (await ask("/echo", b""))[0] == 401
            query = "/echo?a=1&token=right&b=%20"
            assert await ask(query, b"123") == (200, {"length": 3, "query": "a=1&b=+"})
            too_long = (413, {"detail": "the body is longer than 100 bytes"})
            assert await ask("/echo", b"x" * 101, KEY) == too_long
            assert await ask("/echo", [b"x" * 10] * 30, KEY) == too_long
            assert await ask("/echo", b"fail", KEY) == (500, {"detail": "the actor failed"})
            assert await ask("/nowhere", None, KEY) == (404, {"detail": "Not Found"})
            assert offered.taken == 0

    anyio.run(talk)


def test_places_are_limited_and_a_stop_lets_requests_end(tmp_path: Path) -> None:
    """One more than there are places is refused with a sentence; stopping waits for who is inside."""

    async def talk() -> None:
        answers: list[Answer] = []
        async with client(tmp_path, DoorSpec(), sessions=1) as (ask, offered), anyio.create_task_group() as tasks:

            async def wait() -> None:
                answers.append(await ask("/echo", b"wait"))

            tasks.start_soon(wait)
            with anyio.fail_after(5):
                while not offered.taken:  # noqa: ASYNC110 - the server runs in this loop and tells nobody
                    await anyio.sleep(0.005)
            assert await ask("/echo", b"") == (503, {"detail": "all 1 places are taken; try again later"})
            offered.stop()
            assert (await ask("/health"))[0] == 503
        assert [status for status, _ in answers] == [200]

    anyio.run(talk)


def test_half_open_sockets_and_slow_bodies_are_given_up(tmp_path: Path) -> None:
    """A request head that does not come closes the socket, a body that does not go on is 408."""

    async def answer_to(url: str, data: bytes) -> bytes:
        host, port = urlsplit(url).netloc.split(":")
        async with await anyio.connect_tcp(host, int(port)) as stream:
            await stream.send(data)
            received = b""
            with anyio.fail_after(5):
                try:
                    while True:
                        received += await stream.receive()
                except anyio.EndOfStream:
                    return received

    async def talk() -> None:
        async with open_door(service(tmp_path), Echo(), DoorSpec(patience_s=0.2)) as url:
            assert await answer_to(url, b"POST /echo HTT") == b""
            head = b"POST /echo HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n123"
            answer = await answer_to(url, head)
            assert answer.startswith(b"HTTP/1.1 408")
            assert b"nothing of the body came for 0.2 s" in answer

    anyio.run(talk)


def test_a_refusal_arrives_while_the_client_still_sends(tmp_path: Path) -> None:
    """Header or no header: who only sends, and reads when it is done, finds the 413 and not a broken connection."""
    piece = b"x" * 2**16

    async def answer_to(url: str, head: bytes, pieces: int, wrap: bytes) -> bytes:
        host, port = urlsplit(url).netloc.split(":")
        async with await anyio.connect_tcp(host, int(port)) as stream:
            await stream.send(b"POST /echo HTTP/1.1\r\nHost: 127.0.0.1\r\n" + head + b"\r\n\r\n")
            for _ in range(pieces):
                await stream.send((wrap % len(piece) + piece + b"\r\n") if wrap else piece)
            received = b""
            with anyio.fail_after(5):
                while b"longer than" not in received:
                    received += await stream.receive()
            return received

    async def talk() -> None:
        async with open_door(service(tmp_path), Echo(), DoorSpec(body_bytes=2**20)) as url:
            length = b"Content-Length: " + str(2**28).encode()
            assert (await answer_to(url, length, 400, b"")).startswith(b"HTTP/1.1 413")
            assert (await answer_to(url, b"Transfer-Encoding: chunked", 400, b"%x\r\n")).startswith(b"HTTP/1.1 413")

    anyio.run(talk)


def test_a_client_that_hangs_up_is_no_failure(own_logs: None, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """In the middle of a body: one quiet line, no traceback, and the next client is served."""

    async def talk() -> None:
        with structlog.testing.capture_logs() as logs:
            async with open_door(service(tmp_path), Echo(), DoorSpec()) as url:
                host, port = urlsplit(url).netloc.split(":")
                async with await anyio.connect_tcp(host, int(port)) as stream:
                    await stream.send(b"POST /echo HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n123")
                with anyio.fail_after(5):
                    while not logs:  # noqa: ASYNC110 - the server runs in this loop and tells nobody
                        await anyio.sleep(0.005)
        assert [(entry["log_level"], "exc_info" in entry) for entry in logs] == [("info", False)]

    anyio.run(talk)
    assert "Traceback" not in caplog.text


def test_an_idle_client_is_sent_away(tmp_path: Path) -> None:
    """Without a sign of life for idle_s its block ends, and the place says why; a touch starts the time again."""

    async def talk() -> None:
        offered = service(tmp_path, idle_s=10.0)
        offered.ready = True
        async with offered.place() as place:
            first = place.last_s
            offered.send_idle_away(first + 9.0)
            assert place.reason == ""
            with place.open():
                offered.send_idle_away(first + 10.5)
                await anyio.sleep(5)
            assert (place.code, place.reason) == (1001, "no audio for 10 s")
        assert offered.taken == 0

    anyio.run(talk)


def test_who_waits_for_a_place_gets_the_next_one(tmp_path: Path) -> None:
    """With `wait` a client waits; a server that stops sends the waiting away."""

    async def talk() -> None:
        offered, got = service(tmp_path, sessions=1), []
        offered.ready = True

        async def wait() -> None:
            try:
                async with offered.place(wait=True) as place:
                    got.append(place)
            except NoPlaceError as error:
                got.append(str(error))

        async with anyio.create_task_group() as tasks:
            async with offered.place():
                tasks.start_soon(wait)
                await anyio.sleep(0.01)
                assert got == []
            await anyio.sleep(0.01)
            assert isinstance(got[0], Place)
            async with offered.place():
                tasks.start_soon(wait)
                await anyio.sleep(0.01)
                offered.stop()
                await anyio.sleep(0.01)
        assert got[1] == "the server is stopping"

    anyio.run(talk)
