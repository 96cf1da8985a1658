"""Serves an actor as a bot of Pipecat's: a WebSocket at `/ws`, protobuf frames, RTVI.

    simulate serve cascade --protocol pipecat --set rate=24000

The client's sound is what moves the session's time: it sends its silence, too, as Pipecat's clients do. It comes back
frame for frame, at the pace of what is heard. The protocol is in server_protocol.py.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta

from agents.pipecat.server_protocol import HIGHEST_HZ, LOWEST_HZ, PipecatWords
from agents.serve.stream import FRAME_MS, check_rate, stream
from simulator.actor import ActorSpec
from simulator.serving.server_spec import ServerSpec
from simulator.serving.service import Service

if TYPE_CHECKING:
    from starlette.routing import BaseRoute
    from starlette.websockets import WebSocket

PATH = "/ws"


class PipecatServerSpec(ServerSpec, frozen=True, kw_only=True, tag="pipecat"):
    """A bot for Pipecat's WebSocket clients. rate: Hz of the session and its sound; a client's is converted."""

    default_port: ClassVar[int] = 8765
    path: ClassVar[str] = PATH
    websocket: ClassVar[bool] = True

    rate: Annotated[int, Meta(ge=LOWEST_HZ, le=HIGHEST_HZ)] = 16_000

    def check(self, actor: ActorSpec) -> None:
        """Refuse a rate whose frames are no whole samples."""
        check_rate(self.rate, "--set rate")
        ServerSpec.check(self, actor)

    def routes(self, service: Service) -> "Sequence[BaseRoute]":
        """The one WebSocket path."""
        from starlette.routing import WebSocketRoute

        async def talk(websocket: "WebSocket") -> None:
            async with service.place() as place:
                await websocket.accept()
                await stream(websocket, service, place, PipecatWords(self.rate, FRAME_MS))

        return [WebSocketRoute(PATH, talk)]
