"""Serves an actor behind Twilio Media Streams: the webhook at `/voice`, the stream at `/media`.

A number whose webhook is `https://<this host>/voice` is connected; a client of one's own may dial `/media` at once. The
protocol is in server_protocol.py. Requests are not asked for Twilio's signature: the door's token guards both paths.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar
from xml.sax.saxutils import quoteattr

from agents.serve.stream import stream
from agents.twilio.server_protocol import MediaStreamWords
from simulator.serving.server_spec import ServerSpec
from simulator.serving.service import Service

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute
    from starlette.websockets import WebSocket

PATH, WEBHOOK = "/media", "/voice"


class TwilioServerSpec(ServerSpec, frozen=True, kw_only=True, tag="twilio"):
    """Twilio Media Streams, for Twilio and for clients that speak as it does.

    stream_url: the wss:// address that the webhook names; not given: the host that was asked, with this path.
    """

    default_port: ClassVar[int] = 8765
    path: ClassVar[str] = PATH
    websocket: ClassVar[bool] = True

    stream_url: str = ""

    def routes(self, service: Service) -> "Sequence[BaseRoute]":
        """The webhook, and the stream."""
        from starlette.routing import Route, WebSocketRoute

        async def voice(request: "Request") -> "Response":
            from starlette.responses import Response

            scheme = "wss" if request.url.scheme == "https" else "ws"
            url = self.stream_url or f"{scheme}://{request.headers.get('host', request.url.netloc)}{PATH}"
            twiml = f"<Response><Connect><Stream url={quoteattr(url)}/></Connect></Response>"
            return Response(f'<?xml version="1.0" encoding="UTF-8"?>{twiml}', media_type="text/xml")

        async def media(websocket: "WebSocket") -> None:
            async with service.place() as place:
                await websocket.accept()
                await stream(websocket, service, place, MediaStreamWords())

        return [Route(WEBHOOK, voice, methods=["POST"]), WebSocketRoute(PATH, media)]
