"""Serves an actor as a Moshi server: `/api/chat`, Ogg/Opus, a frame of 80 ms back for every frame heard.

The protocol is in agents/moshi/protocol.py. The handshake goes out as soon as the client has its place: what
it sends is kept while the actor starts. Query parameters (voice_prompt, temperatures ...) are accepted and
change nothing.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from agents.moshi.protocol import FRAME, MoshiServer, RemoteProtocolError
from agents.serve.text_pieces import TextPieces
from simulator.actor import ActorSpec
from simulator.errors import SimulatorError
from simulator.serving.served_session import ServedSession
from simulator.serving.server_spec import ServerSpec
from simulator.serving.service import NoPlaceError, Place, Service
from simulator.sound.opus import need_sphn

if TYPE_CHECKING:
    from starlette.routing import BaseRoute
    from starlette.websockets import WebSocket

PATH = "/api/chat"
INVALID_AUDIO, FAILED, TRY_LATER = 1007, 1011, 1013
REASON_CHARACTERS = 100
"""A close frame holds 123 bytes of reason."""


class MoshiServerSpec(ServerSpec, frozen=True, kw_only=True, tag="moshi"):
    """Moshi's WebSocket protocol, for Moshi and PersonaPlex clients.

    queue: a client that finds all places taken waits without its 0x00, as Moshi's own server lets it wait.

    Off, it is refused with HTTP 503, which says at once what is the matter.
    """

    default_port: ClassVar[int] = 8998
    frame_ms: ClassVar[float] = 80.0
    path: ClassVar[str] = PATH
    websocket: ClassVar[bool] = True

    queue: bool = False

    def check(self, actor: ActorSpec) -> None:
        """Refuse to serve without an Opus codec, or an actor that cannot be served."""
        need_sphn()
        ServerSpec.check(self, actor)

    def routes(self, service: Service) -> "Sequence[BaseRoute]":
        """The one WebSocket path."""
        from starlette.routing import WebSocketRoute

        async def chat(websocket: "WebSocket") -> None:
            if self.queue:
                await _wait_and_talk(websocket, service)
            else:
                async with service.place() as place:
                    await websocket.accept()
                    await _talk(websocket, service, place)

        return [WebSocketRoute(PATH, chat)]


async def _wait_and_talk(websocket: "WebSocket", service: Service) -> None:
    await websocket.accept()
    try:
        async with service.place(wait=True) as place:
            await _talk(websocket, service, place)
    except NoPlaceError as error:
        await websocket.close(TRY_LATER, str(error))


async def _talk(websocket: "WebSocket", service: Service, place: Place) -> None:
    """Greet the client and run its session to the end, whoever ends it."""
    from starlette.websockets import WebSocketDisconnect

    core = MoshiServer()
    try:
        await websocket.send_bytes(core.greet())
        async with service.session(frame_ms=80) as session:
            gone = False
            with place.open():
                gone = await _until_gone(websocket, core, session, place)
            if not gone:
                await websocket.close(place.code, place.reason)
    except WebSocketDisconnect:
        return  # before it was greeted
    except RemoteProtocolError as error:
        await websocket.close(INVALID_AUDIO, str(error)[:REASON_CHARACTERS])
    except SimulatorError as error:
        await websocket.close(FAILED, str(error)[:REASON_CHARACTERS])


async def _until_gone(websocket: "WebSocket", core: MoshiServer, session: ServedSession, place: Place) -> bool:
    """Answer every frame with a frame until the client has left."""
    from starlette.websockets import WebSocketDisconnect

    pieces = TextPieces()
    while (message := await websocket.receive())["type"] != "websocket.disconnect":
        await session.give_way()  # what has come already is handed over without a pause
        place.touch()
        for frame in core.receive(message.get("bytes") or b""):
            said = await session.hear(frame)
            pieces.note(session.take_events())
            try:
                await websocket.send_bytes(core.say(said))
                for piece in pieces.due(session.now + FRAME):
                    await websocket.send_bytes(core.text(piece))
            except WebSocketDisconnect:
                return True
            # A client that sends a minute at once must not keep the others waiting.
            await session.give_way()
    return True
