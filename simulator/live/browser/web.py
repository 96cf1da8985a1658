"""The web side of a live session: pages, assets, lines; everything on loopback, behind passes.

GET  /talk/<party>?pass=...   the one-time token becomes a cookie, then /talk/<party>: the page
GET  /watch?pass=...          the same for spectators
WS   /talk/<party>/line       a human's sound and messages (page_line.py); one at a time
WS   /watch/line              messages for spectators; whatever they send is ignored
GET  /report                  the session page, when it is over
GET  /rival/<number>          that of the same take before another agent, when it was asked for and played
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import anyio
import msgspec

from simulator.errors import RemoteError, ScenarioError
from simulator.events import Party
from simulator.live.browser.entering import entered, refused
from simulator.live.browser.page_line import PageLine
from simulator.live.browser.parts import page_headers, page_part
from simulator.live.browser.passes import WATCH, Passes
from simulator.live.handset import Handset
from simulator.live.room import Message, Room
from simulator.report.assets import escape, fill
from simulator.scenario import kind_of
from simulator.sound.opus import have_sphn

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.websockets import WebSocket

OK = 200
RETURN_S = 3.0
"""A page that is loaded again within this goes on with the conversation; one that stays away ends it."""

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' ws://127.0.0.1:* ws://localhost:*; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = page_headers(_POLICY)


class LiveSite:
    """Makes the ASGI app of one room.

    report(): the finished session page, None until it is there. rival(number): that of a rival.
    """

    def __init__(self, room: Room, report: Callable[[], Path | None], rival: Callable[[int], Path | None]) -> None:
        self.room = room
        self.passes = Passes(f"talk-{party}" for party in room.handsets)
        self.report_read = anyio.Event()
        self._report = report
        self._rival = rival
        self._absences: dict[Party, int] = {}

    def app(self) -> Any:
        """The routes. ScenarioError when the extra `live` is not installed."""
        try:
            from starlette.applications import Starlette
            from starlette.routing import Route, WebSocketRoute
        except ImportError:
            raise ScenarioError(
                "a live page needs starlette and uvicorn: pip install 'starlette>=0.40,<2' 'uvicorn>=0.52.1'"
            ) from None

        return Starlette(routes=[
            Route("/talk/{party}", self._talk_page), WebSocketRoute("/talk/{party}/line", self._talk_line),
            Route("/watch", self._watch_page), WebSocketRoute("/watch/line", self._watch_line),
            Route("/assets/{name}", self._asset), Route("/report", self._report_page),
            Route("/rival/{number:int}", self._rival_page), Route("/favicon.ico", self._icon),
        ])  # fmt: skip

    def address(self, base: str, role: str) -> str:
        """The address that opens a role, once."""
        path = "watch" if role == WATCH else role.replace("-", "/", 1)
        return f"{base}/{path}?pass={self.passes.token(role)}"

    async def _talk_page(self, request: "Request") -> "Response":
        handset = self.room.handsets.get(request.path_params["party"])
        if handset is None:
            return refused(404, "no human sits there")
        return self._page(request, f"talk-{handset.party}", handset)

    async def _watch_page(self, request: "Request") -> "Response":
        return self._page(request, WATCH, None)

    def _page(self, request: "Request", role: str, handset: Handset | None) -> "Response":
        from starlette.responses import HTMLResponse

        answer = entered(self.passes, request, role, "simulate talk")
        if answer is not None:
            return answer
        return HTMLResponse(self._html(handset), headers=_HEADERS)

    def _html(self, handset: Handset | None) -> str:
        scenario = self.room.scenario
        kinds = {party: kind_of(scenario.actor(party)) for party in ("user", "agent")}
        echo = scenario.actor(handset.party).traits().echo_canceller if handset else True
        longest_s = scenario.ticks() * scenario.frame_samples / scenario.sample_rate
        config = {"party": handset.party if handset else None, "buttons": self.room.buttons, "echo": echo,
                  "rate": scenario.sample_rate, "longest_s": longest_s, "opus": have_sphn()}  # fmt: skip
        # Data inside a script element must not be able to end it.
        packed = msgspec.json.encode(config).decode().replace("<", "\\u003c")
        names = {party: escape(kind) for party, kind in kinds.items()}
        return fill("live", package="simulator.live", title=escape(scenario.name), config=packed, **names)

    async def _asset(self, request: "Request") -> "Response":
        return page_part("simulator.live", request.path_params["name"])

    async def _report_page(self, request: "Request") -> "Response":
        answer = self._session_page(request, self._report())
        if answer.status_code == OK:
            answer.background = _after(self.report_read.set)
        return answer

    async def _rival_page(self, request: "Request") -> "Response":
        return self._session_page(request, self._rival(request.path_params["number"]))

    def _session_page(self, request: "Request", path: Path | None) -> "Response":
        from starlette.responses import FileResponse

        if not self.passes.holds_any(request.cookies):
            return refused(401, "open the address that `simulate talk` printed")
        if path is None:
            return refused(404, "the session page is not written yet")
        return FileResponse(path, media_type="text/html")

    async def _icon(self, _request: "Request") -> "Response":
        from starlette.responses import Response

        return Response(status_code=204)

    async def _talk_line(self, socket: "WebSocket") -> None:
        handset = self.room.handsets.get(socket.path_params["party"])
        if handset is None or not await self._let_in(socket, f"talk-{handset.party}"):
            return
        if handset.attached:
            await _refuse(socket, 409, f"the {handset.party}'s seat is taken")
            return
        await socket.accept()
        self._absences[handset.party] = self._absences.get(handset.party, 0) + 1
        code, reason = 1000, ""
        try:
            await PageLine(socket, self.room, handset).serve()
        except RemoteError as error:
            code, reason = 1008, str(error)
        await _close(socket, code, reason)
        await self._mind_absence(handset)

    async def _mind_absence(self, handset: Handset) -> None:
        """End a conversation whose page does not come back; one that has not begun waits for its human."""
        from simulator.clock import sleep

        seen = self._absences[handset.party]
        if self.room.state not in ("loading", "talking"):
            return
        await sleep(RETURN_S)
        if self._absences[handset.party] == seen and not handset.attached:
            handset.hang_up()

    async def _watch_line(self, socket: "WebSocket") -> None:
        if not await self._let_in(socket, WATCH):
            return
        await socket.accept()
        out, queued = anyio.create_memory_object_stream[Message](512)

        def tell(message: Message) -> None:
            try:
                out.send_nowait(message)
            except (anyio.WouldBlock, anyio.ClosedResourceError, anyio.BrokenResourceError):
                forget()  # a spectator that does not keep up sees no more

        forget = self.room.listen(tell)
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_pass_on, socket, queued)
                while (await socket.receive())["type"] != "websocket.disconnect":
                    pass
                tasks.cancel_scope.cancel()
        finally:
            forget()
            out.close()
            queued.close()

    async def _let_in(self, socket: "WebSocket", role: str) -> bool:
        """Whether a WebSocket may be opened: from this server's own pages, with the role's cookie."""
        origin, host = socket.headers.get("origin"), socket.headers.get("host", "")
        if origin is None or urlsplit(origin).netloc != host:
            await _refuse(socket, 403, "only this server's own pages may connect")
            return False
        if not self.passes.holds(role, socket.cookies):
            await _refuse(socket, 401, "open the address that `simulate talk` printed")
            return False
        return True


async def _pass_on(socket: "WebSocket", queued: Any) -> None:
    from starlette.websockets import WebSocketDisconnect

    try:
        async for message in queued:
            await socket.send_text(msgspec.json.encode(message).decode())
    except (WebSocketDisconnect, RuntimeError, OSError):
        return  # the reader finds the same


async def _refuse(socket: "WebSocket", status: int, sentence: str) -> None:
    await socket.send_denial_response(refused(status, sentence))


async def _close(socket: "WebSocket", code: int, reason: str) -> None:
    from starlette.websockets import WebSocketState

    if socket.application_state == WebSocketState.CONNECTED and socket.client_state == WebSocketState.CONNECTED:
        await socket.close(code, reason[:120])


def _after(do: Callable[[], None]) -> Any:
    from starlette.background import BackgroundTask

    async def run() -> None:
        do()

    return BackgroundTask(run)
