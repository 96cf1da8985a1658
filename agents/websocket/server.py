"""Serves an actor behind a WebSocket in words of your own: `/talk`, a frame of 20 ms back for every one heard.

    simulate serve cascade --protocol websocket --set 'audio={encoding: pcm16, rate: 16000}' \\
        --set 'send={json: {type: audio, data: "{audio}"}, text: {type: said, text: "{text}"}}' \\
        --set 'receive={audio: "$.data"}'

Without `send` and `receive` sound goes and comes as binary messages, and nothing else is said. The client's sound is
what moves the session's time: it sends silence, too.
"""

import base64
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from agents.remote.chunks import Chunks
from agents.remote.socket_wire import told_apart
from agents.remote.sound_form import SoundForm
from agents.remote.wire_audio import sound_bytes
from agents.serve.stream import FRAME_MS, ClientTold, Frames, Out, Over, check_rate, stream
from agents.websocket.wording import EVERY, AnyPlace, Match, Template, complaints, filled, matches
from simulator.actor import ActorSpec
from simulator.errors import RemoteError, ScenarioError
from simulator.events import Event
from simulator.frame import Samples
from simulator.serving.server_spec import ServerSpec
from simulator.serving.service import Service

if TYPE_CHECKING:
    from starlette.routing import BaseRoute
    from starlette.websockets import WebSocket

PATH = "/talk"


class ServedSend(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """json: a message with sound, `{audio}` in base64; not given: binary. text: one with words said, `{text}`."""

    json: Template | None = None
    text: Template | None = None


class ServedReceive(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """audio: where sound stands, in base64; not given: in binary messages. digits: keys. bye: the client leaves."""

    audio: AnyPlace | None = None
    digits: AnyPlace | None = None
    bye: Match | None = None


class WebSocketServerSpec(ServerSpec, frozen=True, kw_only=True, tag="websocket"):
    """A WebSocket in words of your own.

    audio: the form of sound both ways. subprotocol: of the handshake. send, receive: as in the module's text.
    """

    default_port: ClassVar[int] = 8765
    path: ClassVar[str] = PATH
    websocket: ClassVar[bool] = True

    audio: SoundForm = SoundForm()
    send: ServedSend = ServedSend()
    receive: ServedReceive = ServedReceive()
    subprotocol: str | None = None

    def check(self, actor: ActorSpec) -> None:
        """Refuse words that cannot be meant, and a rate whose frames are no whole samples."""
        self.audio.check()
        for name, template in (("json", self.send.json), ("text", self.send.text)):
            for place, complaint in () if template is None else complaints(f"served_{name}", template):
                raise ScenarioError(f"--set send: $.{name}{place}: {complaint}")
        if self.receive.bye in EVERY:
            raise ScenarioError("--set receive: $.bye: an empty match is every message; write like {type: bye}")
        check_rate(self.audio.hz, "--set audio: $.rate")
        ServerSpec.check(self, actor)

    def routes(self, service: Service) -> "Sequence[BaseRoute]":
        """The one WebSocket path."""
        from starlette.routing import WebSocketRoute

        async def talk(websocket: "WebSocket") -> None:
            async with service.place() as place:
                offered = websocket.headers.get("sec-websocket-protocol", "")
                known = self.subprotocol in [word.strip() for word in offered.split(",")]
                await websocket.accept(self.subprotocol if known else None)
                await stream(websocket, service, place, SocketWords(self))

        return [WebSocketRoute(PATH, talk)]


class SocketWords:
    """One client's words, as the server's settings describe them."""

    def __init__(self, spec: WebSocketServerSpec) -> None:
        self.rate = spec.audio.hz
        self._spec = spec
        self._reader, self._writer = spec.audio.reader(), spec.audio.writer()
        self._chunks = Chunks(round(self.rate * FRAME_MS / 1000))

    def receive(self, message: Out) -> list[Frames | ClientTold | Over]:
        """Act on a message; one that nothing is described for is passed over. RemoteError: sound that is none."""
        told = told_apart(message)
        receive = self._spec.receive
        if "binary" in told:
            if receive.audio is not None:
                raise RemoteError(f"sent a binary message; sound is expected as JSON at {receive.audio.path}")
            return [self._heard(told["binary"])]
        body = told.get("json", told.get("text"))
        found: list[Frames | ClientTold | Over] = []
        audio, digits = (place.find(body) if place else None for place in (receive.audio, receive.digits))
        if audio is not None:
            found.append(self._heard(audio))
        if digits:
            found.append(ClientTold("keys_pressed", {"digits": str(digits), "band": "out"}))
        if receive.bye is not None and matches(body, receive.bye):
            found.append(Over())
        return found

    def say(self, samples: Samples) -> list[Out]:
        """A frame the agent says."""
        template = self._spec.send.json
        pieces = self._writer.write(samples)
        if template is None:
            return list(pieces)
        return [_text(filled(template, {"audio": base64.b64encode(piece).decode("ascii")})) for piece in pieces]

    def tell(self, events: Iterable[Event], pieces: Iterable[str]) -> list[Out]:
        """The words that begin now."""
        template = self._spec.send.text
        return [] if template is None else [_text(filled(template, {"text": piece.strip()})) for piece in pieces]

    def _heard(self, text: object) -> Frames:
        return Frames(self._chunks.cut(self._reader.read(sound_bytes(text))))


def _text(message: Any) -> str:
    return message if isinstance(message, str) else msgspec.json.encode(message).decode()
