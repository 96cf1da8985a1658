"""The door: the one web server that every served protocol stands behind (starlette on uvicorn, extra `live`).

Binds loopback unless told otherwise; another address demands a token or `open` (see guard.py). WebSocket compression is
off, messages are at most 1 MiB where a protocol does not need more (above that: closed with 1009), no keep-alive pings
(idle clients are sent away by the service). On SIGTERM or Ctrl-C no new client gets in, those inside are said goodbye
to, and whatever is left after `grace_s` is cut. `/health` answers 200 when sessions can start, else 503, with or
without a token.
"""

import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio

from simulator.clock import sleep
from simulator.errors import ScenarioError, SimulatorError, single
from simulator.logs import log
from simulator.serving.guard import AccessRules, Guard, is_loopback
from simulator.serving.listening import LOCAL, DoorSpec, address_of, listening, web_server
from simulator.serving.server_spec import ServerSpec
from simulator.serving.service import NoPlaceError, Service

if TYPE_CHECKING:
    import uvicorn
    from starlette.requests import HTTPConnection, Request
    from starlette.responses import Response
    from starlette.websockets import WebSocket


@asynccontextmanager
async def open_door(service: Service, server: ServerSpec, spec: DoorSpec = LOCAL) -> AsyncIterator[str]:
    """Serve until the block ends, and give the base URL (`http://127.0.0.1:40123`).

    ScenarioError: the extra `live` is missing, the address cannot be bound, the door is not safe.
    """
    spec.check()
    server.check(service.actor)
    service.offer(server.offered(service.actor))
    service.ledger.prepare()
    web = web_server(_app(service, server, spec), spec, server.message_bytes)
    with listening(spec) as listener:
        try:
            async with anyio.create_task_group() as tasks:
                service.tasks = tasks
                tasks.start_soon(web.serve, [listener])
                tasks.start_soon(service.watch)
                while not web.started:
                    await sleep(0.005)
                try:
                    await service.rehearse(server.frame_ms)
                    service.ready = True
                    yield address_of(listener, tls=spec.cert is not None)
                finally:
                    with anyio.CancelScope(shield=True):
                        await _shut(service, web, spec.grace_s)
                    tasks.cancel_scope.cancel()
        except Exception as group:  # noqa: BLE001 - what the block raised, without the task group around it
            error = single(group)
            raise error from error.__cause__


async def serve(service: Service, server: ServerSpec, spec: DoorSpec, tell: Callable[[str], None]) -> signal.Signals:
    """Serve until SIGTERM or Ctrl-C and give which of them it was; tell(sentence) says what is going on."""
    received = signal.SIGTERM
    stop = anyio.Event()

    async def stop_on_signal(scope: anyio.CancelScope) -> None:
        nonlocal received
        with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
            received = await anext(aiter(signals))
            tell(f"stopping: {service.taken} session(s) end now")
            stop.set()
            if not service.ready:  # what still loads is given up; an open door is closed in good order
                scope.cancel()
            await anext(aiter(signals))  # while sessions end, another signal changes nothing

    for warning in spec.check():
        tell(f"warning: {warning}")
    try:
        async with anyio.create_task_group() as tasks:
            with anyio.CancelScope() as scope:
                tasks.start_soon(stop_on_signal, scope)
                async with open_door(service, server, spec) as address:
                    tell(f"serving {service.protocol} at {_shown(address, server)}; sessions go to {service.out}")
                    await stop.wait()
            tasks.cancel_scope.cancel()
    except Exception as group:  # noqa: BLE001 - what went wrong, without the task group around it
        raise single(group) from None
    return received


def _shown(address: str, server: ServerSpec) -> str:
    return (address.replace("http", "ws", 1) if server.websocket else address) + server.path


def _app(service: Service, server: ServerSpec, spec: DoorSpec) -> Guard:
    """Put the protocol's routes behind the guard, errors as sentences, and `/health` where it has none of its own."""
    try:
        import uvicorn  # noqa: F401 - needed a moment later
        from starlette.applications import Starlette
        from starlette.exceptions import HTTPException
        from starlette.requests import ClientDisconnect
        from starlette.routing import Route, WebSocketRoute
    except ImportError:
        raise ScenarioError(
            "serving needs starlette and uvicorn: pip install 'starlette>=0.40,<2' 'uvicorn>=0.52.1'"
        ) from None

    async def health(_request: "Request") -> "Response":
        from starlette.responses import JSONResponse

        ready = service.ready and not service.stopping
        body = {"status": "ok" if ready else "not ready", "sessions": service.taken, "places": service.limits.sessions}
        return JSONResponse(body, status_code=200 if ready else 503)

    async def nothing_here(websocket: "WebSocket") -> None:
        await _answer(websocket, 404, f"nothing is served at {websocket.url.path}")

    handlers: Any = {
        ClientDisconnect: _left,
        NoPlaceError: _busy,
        SimulatorError: _failed,
        HTTPException: _refused,
        Exception: _failed,
    }
    ours = [Route("/health", health), WebSocketRoute("/{path:path}", nothing_here)]
    app = Starlette(routes=[*server.routes(service), *ours], exception_handlers=handlers)
    rules = AccessRules(loopback=is_loopback(spec.host), token=spec.token, body_bytes=spec.body_bytes,
                  piece_s=spec.patience_s)  # fmt: skip
    return Guard(app, rules)


async def _busy(connection: "HTTPConnection", error: Exception) -> "Response | None":
    """Refuse a client that has no place: 503, for a WebSocket before its handshake."""
    return await _answer(connection, 503, str(error))


async def _left(connection: "HTTPConnection", _error: Exception) -> "Response | None":
    """Note that a client hung up in the middle of its request: that is its business, and no failure of ours."""
    log.info("a client left before its request was whole", path=connection.url.path)
    return await _answer(connection, 499, "the client left")


async def _failed(connection: "HTTPConnection", error: Exception) -> "Response | None":
    """Tell the client in a sentence that its request could not be completed: 500. What is no sentence is logged."""
    if isinstance(error, SimulatorError):
        return await _answer(connection, 500, str(error))
    log.error("request failed", path=connection.url.path, exc_info=error)
    return await _answer(connection, 500, f"the server failed: {type(error).__name__}")


async def _refused(connection: "HTTPConnection", error: Any) -> "Response | None":
    """Tell in JSON what the web framework refuses: an unknown path, a wrong method."""
    return await _answer(connection, error.status_code, str(error.detail))


async def _answer(connection: "HTTPConnection", status: int, detail: str) -> "Response | None":
    from starlette.responses import JSONResponse
    from starlette.websockets import WebSocket, WebSocketState

    response = JSONResponse({"detail": detail}, status_code=status)
    if not isinstance(connection, WebSocket):
        return response
    if connection.application_state == WebSocketState.CONNECTING:
        await connection.send_denial_response(response)
    elif connection.application_state == WebSocketState.CONNECTED:
        await connection.close(1011, detail[:120])
    return None


async def _shut(service: Service, web: "uvicorn.Server", grace_s: float) -> None:
    """Let everybody leave, for a while; then stop the web server, which cuts off whoever is left."""
    service.stop()
    with anyio.move_on_after(grace_s):
        while service.taken:
            await sleep(0.01)
    service.cut = True
    web.should_exit = True
    with anyio.move_on_after(grace_s):
        while web.server_state.connections or web.server_state.tasks:
            await sleep(0.01)
    service.ledger.finish()
