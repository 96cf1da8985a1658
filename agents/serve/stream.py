"""Streams: a client's socket with an actor behind it, sound both ways, a frame back for every frame heard.

A protocol gives its words as a `StreamWords`; this is the shell around them: place, session, folder, goodbye.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from agents.serve.text_pieces import TextPieces
from simulator.errors import RemoteError, ScenarioError, SimulatorError
from simulator.events import Event
from simulator.frame import Samples
from simulator.serving.served_session import ServedSession
from simulator.serving.service import Place, Service

if TYPE_CHECKING:
    from starlette.websockets import WebSocket

INVALID, FAILED = 1007, 1011
REASON_CHARACTERS = 100
"""A close frame holds 123 bytes of reason."""
FRAME_MS = 20.0

Out = str | bytes


class Frames(NamedTuple):
    """Sound of the client: frames of the session, float32 (n,) each."""

    frames: list[Samples]


class ClientTold(NamedTuple):
    """Something else the client told: an event of the user party."""

    type: str
    fields: Mapping[str, Any]


class AtOnce(NamedTuple):
    """What the client is answered at once, whatever the session's time: a handshake's other half."""

    messages: list[Out]


class Over(NamedTuple):
    """The client says goodbye."""


class StreamWords(Protocol):
    """A protocol's words for one client, without I/O. rate: Hz both ways."""

    rate: int

    def receive(self, message: Out) -> Sequence[Frames | ClientTold | Over | AtOnce]:
        """Act on a message. RemoteError, a predicate: it is none of the protocol's."""
        ...

    def say(self, samples: Samples) -> list[Out]:
        """Give the messages with a frame that the agent says; none before the client can take it."""
        ...

    def tell(self, events: Iterable[Event], pieces: Iterable[str]) -> list[Out]:
        """Give the messages about what the agent told, and the words that begin in the frame just said."""
        ...


def check_rate(rate: int, where: str) -> None:
    """Refuse a rate whose frames are no whole samples. ScenarioError, with the place where it is set."""
    if rate * FRAME_MS % 1000:
        raise ScenarioError(f"{where}: {rate} Hz has no whole frames of {FRAME_MS:g} ms")


async def stream(websocket: "WebSocket", service: Service, place: Place, words: StreamWords) -> None:
    """Run a client's session to the end, whoever ends it. The socket is accepted already."""
    try:
        async with service.session(frame_ms=FRAME_MS, sample_rate=words.rate) as session:
            gone = False
            with place.open():
                gone = await _until_gone(websocket, words, session, place)
            if not gone:
                await websocket.close(place.code, place.reason)
    except RemoteError as error:
        await websocket.close(INVALID, str(error)[:REASON_CHARACTERS])
    except SimulatorError as error:
        await websocket.close(FAILED, str(error)[:REASON_CHARACTERS])


async def _until_gone(websocket: "WebSocket", words: StreamWords, session: ServedSession, place: Place) -> bool:
    """Answer every frame with a frame; False when it is for us to close the socket."""
    from starlette.websockets import WebSocketDisconnect

    pieces = TextPieces()
    while (message := await websocket.receive())["type"] != "websocket.disconnect":
        await session.give_way()  # what has come already is handed over without a pause
        place.touch()
        given = message.get("text")
        for found in words.receive(message.get("bytes") or b"" if given is None else given):
            if isinstance(found, Over):
                return False
            try:
                if await _act(websocket, words, session, pieces, found):
                    return False
            except WebSocketDisconnect:
                return True
    return True


async def _act(
    websocket: "WebSocket",
    words: StreamWords,
    session: ServedSession,
    pieces: TextPieces,
    found: Frames | ClientTold | AtOnce,
) -> bool:
    """Act on what a message means; whether the agent has hung up meanwhile."""
    if isinstance(found, ClientTold):
        session.note(found.type, **found.fields)
    elif isinstance(found, AtOnce):
        await _send(websocket, found.messages)
    else:
        for frame in found.frames:
            if await _answer(websocket, words, session, pieces, frame):
                return True
            # A client that sends a minute at once must not keep the others waiting.
            await session.give_way()
    return False


async def _answer(
    websocket: "WebSocket", words: StreamWords, session: ServedSession, pieces: TextPieces, frame: Samples
) -> bool:
    """Let the agent hear a frame, send what it says; whether it has hung up."""
    said = await session.hear(frame)
    events = session.take_events()
    pieces.note(events)
    await _send(websocket, [*words.say(said), *words.tell(events, pieces.due(session.now + session.frame))])
    return any(event.type == "hung_up" for event in events)


async def _send(websocket: "WebSocket", messages: Sequence[Out]) -> None:
    for out in messages:
        await (websocket.send_text(out) if isinstance(out, str) else websocket.send_bytes(out))
