"""The web side of the arena: a page for each rater, on loopback, behind passes; nothing on it tells whose an answer is.

GET  /listen/<rater>?pass=...           the one-time token becomes a cookie, then /listen/<rater>: the page
GET  /listen/<rater>/pair               what lies before the rater, as JSON
GET  /listen/<rater>/sound/<id>/<which> a sound of it: request, first or second, all at one rate
POST /listen/<rater>/verdict            {"id": ..., "choice": "model_a"}; answers with the next pair
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import anyio
import msgspec

from simulator.arena.asking import ArenaCriterion
from simulator.arena.desk import Desk
from simulator.errors import ScenarioError, SessionError
from simulator.live.browser.entering import entered, refused
from simulator.live.browser.parts import page_headers, page_part
from simulator.live.browser.passes import Passes
from simulator.report.assets import escape, fill

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

COMMAND = "simulate arena"
PLAYED_HZ = 24_000
"""All sounds are played at one rate; a file's own would tell its system."""
ASKED: dict[ArenaCriterion, str] = {
    "semantic": "Which answer says the better thing? Leave out how it sounds.",
    "paralinguistic": "Which answer sounds more as it should: emotion, emphasis, pace, voice? Leave out what it says.",
    "both": "Which answer is better, what it says and how it sounds taken together?",
}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; media-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = page_headers(_POLICY)


class _Verdict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    choice: str


_READ = msgspec.json.Decoder(_Verdict)


class ListenSite:
    """Makes the ASGI app of one desk. done(): called when a rater has nothing left."""

    def __init__(self, desk: Desk, raters: tuple[str, ...], done: Callable[[str], None] = lambda rater: None) -> None:
        self.desk = desk
        self.passes = Passes(raters)
        self._raters = raters
        self._done = done

    def app(self) -> Any:
        """The routes. ScenarioError when the extra `live` is not installed."""
        try:
            from starlette.applications import Starlette
            from starlette.routing import Route
        except ImportError:
            raise ScenarioError(
                "listening needs starlette and uvicorn: pip install 'starlette>=0.40,<2' 'uvicorn>=0.52.1'"
            ) from None

        return Starlette(routes=[
            Route("/listen/{rater}", self._page), Route("/listen/{rater}/pair", self._pair),
            Route("/listen/{rater}/sound/{id}/{which}", self._sound),
            Route("/listen/{rater}/verdict", self._verdict, methods=["POST"]),
            Route("/assets/{name}", self._asset), Route("/favicon.ico", self._icon),
        ])  # fmt: skip

    def address(self, base: str, rater: str) -> str:
        """The address that opens a rater's page, once."""
        return f"{base}/listen/{rater}?pass={self.passes.token(rater)}"

    async def _page(self, request: "Request") -> "Response":
        from starlette.responses import HTMLResponse

        rater = request.path_params["rater"]
        if rater not in self._raters:
            return refused(404, "nobody of this name listens")
        answer = entered(self.passes, request, rater, COMMAND)
        if answer is not None:
            return answer
        asked = ASKED[self.desk.rules.criterion]
        page = fill("listen", package="simulator.arena", rater=escape(rater), asked=asked)
        return HTMLResponse(page, headers=_HEADERS)

    async def _pair(self, request: "Request") -> "Response":
        return self._refused(request) or self._next(request.path_params["rater"])

    def _next(self, rater: str) -> "Response":
        from starlette.responses import Response

        showing = self.desk.show(rater)
        plain: dict[str, Any] = {"judged": self.desk.judged(rater), "most": self.desk.rules.most}
        if showing is None:
            self._done(rater)
            plain["done"] = True
        else:
            question = showing.question
            plain |= {"id": showing.id, "domain": question.domain, "transcript": question.transcript,
                      "target": question.target, "request": question.sound is not None,
                      "choices": self.desk.rules.choices}  # fmt: skip
        return Response(msgspec.json.encode(plain), media_type="application/json", headers=_HEADERS)

    async def _sound(self, request: "Request") -> "Response":
        from starlette.responses import Response

        answer = self._refused(request)
        if answer:
            return answer
        rater, showing, which = (request.path_params[name] for name in ("rater", "id", "which"))
        clip = self.desk.clip(rater, showing, which)
        if clip is None:
            return refused(404, "there is no such sound")
        try:
            content = await anyio.to_thread.run_sync(clip.wav, PLAYED_HZ)
        except SessionError:
            return refused(500, "the sound cannot be read")
        return Response(content, media_type="audio/wav", headers=_HEADERS)

    async def _verdict(self, request: "Request") -> "Response":
        answer = self._refused(request)
        if answer:
            return answer
        rater = request.path_params["rater"]
        try:
            verdict = _READ.decode(await request.body())
            self.desk.judge(rater, verdict.id, verdict.choice)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            return refused(400, str(error))
        except (SessionError, OSError) as error:
            return refused(500, str(error))
        return self._next(rater)

    def _refused(self, request: "Request") -> "Response | None":
        rater = request.path_params["rater"]
        if rater not in self._raters:
            return refused(404, "nobody of this name listens")
        if not self.passes.holds(rater, request.cookies):
            return refused(401, f"open the address that `{COMMAND}` printed")
        return None

    async def _asset(self, request: "Request") -> "Response":
        return page_part("simulator.arena", request.path_params["name"])

    async def _icon(self, _request: "Request") -> "Response":
        from starlette.responses import Response

        return Response(status_code=204)
