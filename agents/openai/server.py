"""Serves an actor behind the OpenAI Realtime API: `/v1/realtime`, for the openai package and the like.

    from openai import AsyncOpenAI
    client = AsyncOpenAI(base_url="http://127.0.0.1:8000/v1", api_key="...")
    async with client.realtime.connect(model="any") as connection: ...

The protocol is in server_protocol.py. A session runs on the wall clock from the first sound on: the client
is its user party, heard as it comes in, and what the agent says goes out in real time, frame by frame.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar

import anyio
import msgspec

from agents.openai.server_protocol import RealtimeServer
from agents.openai.server_words import ClientEventError
from agents.remote.base64_bytes import base64_bytes
from agents.remote.long_text import LongText, decode_long, whole
from agents.serve.text_pieces import TextPieces
from simulator.actor import Actor, Context
from simulator.errors import RemoteError, SimulatorError
from simulator.events import Event
from simulator.frame import AudioFrame
from simulator.serving.server_spec import ServerSpec
from simulator.serving.service import Place, Service
from simulator.speaking.ears import AnyEars, SileroEarsSpec
from simulator.spec import Duration
from simulator.traits import AudioFormat, StepTraits

if TYPE_CHECKING:
    from starlette.routing import BaseRoute
    from starlette.websockets import WebSocket

PATH = "/v1/realtime"
FAILED = 1011
REASON_CHARACTERS = 100
"""A close frame holds 123 bytes of reason."""

SESSION_RATE = 24_000
LEAVE_S = 4.0
"""So long a session may take to end by itself before it is cut."""

MOST_UNSENT = 2000
"""Messages: half a minute of frames that a client left unread."""
MOST_UNANSWERED = 64
"""Messages: who sends events and does not read the answers to them is not read any further."""

LARGEST_PLAIN = 2**20
WITH_SOUND = ("input_audio_buffer.append", "conversation.item.create")
"""Only what carries sound may be larger."""
IN_THREAD = 2**17
"""A larger event is decoded beside the loop, where nobody else has to wait for it."""


class OpenAIRealtimeServerSpec(ServerSpec, frozen=True, kw_only=True, tag="openai_realtime"):
    """OpenAI's Realtime API, for clients of the openai package.

    ears: what detects the client's turns. patience: how long a response may wait for its first sound.
    """

    realtime: ClassVar[bool] = True
    path: ClassVar[str] = "/v1"  # the base URL that clients are given; they add /realtime
    message_bytes: ClassVar[int] = 21 * 2**20  # 15 MiB of sound in base64, and what is around it
    ears: AnyEars = SileroEarsSpec()
    patience: Duration = Duration(10.0)

    def routes(self, service: Service) -> "Sequence[BaseRoute]":
        """The one WebSocket path."""
        from starlette.routing import WebSocketRoute

        async def realtime(websocket: "WebSocket") -> None:
            async with service.place() as place:
                offered = websocket.headers.get("sec-websocket-protocol", "")
                chosen = "realtime" if "realtime" in [word.strip() for word in offered.split(",")] else None
                await websocket.accept(chosen)
                model = websocket.query_params.get("model", "")
                server = RealtimeServer(model, self.ears, self.patience)
                await Visit(websocket, server, service, place).run()

        return [WebSocketRoute(PATH, realtime)]


class Client(Actor):
    """The client as the user party: says what came in, hears what goes out."""

    def __init__(self, server: RealtimeServer, wake: anyio.Event) -> None:
        wire = AudioFormat(input_rate=server.settings.said.rate, output_rate=server.settings.heard.rate)
        self.traits = StepTraits(format=wire, threaded=False)
        self._server = server
        self._pieces = TextPieces()
        self.wake = wake

    async def start(self, context: Context) -> None:
        """Nothing to open: the client is there."""
        self._context = context

    def step(self, heard: AudioFrame) -> AudioFrame:
        """Send what the agent says, give what the client said."""
        server, context = self._server, self._context
        at = (heard.start + context.input_samples) // context.input_samples * context.output_samples
        if heard.start >= 0:
            server.say(heard.samples)
            for piece in self._pieces.due((heard.start + context.input_samples) * SESSION_RATE // context.input_rate):
                server.told(piece)
        samples = server.hear(context.output_samples)
        for type_, fields in server.notes:
            context.emit(at, type_, **fields)
        server.notes.clear()
        if len(server.out) > MOST_UNSENT:
            raise RemoteError("the client does not read what it is sent")
        self.wake.set()
        return AudioFrame(at, samples)

    def listen(self, event: Event) -> None:
        """Take what the agent tells: its words for the transcript, what it understood."""
        if event.party != "agent":
            return
        if event.type in ("recognised", "turn_heard") and event.data.get("text"):
            self._server.recognised(event.data["text"])
        elif event.type == "transcript" and event.data.get("of") == "agent":
            self._pieces.note([Event(event.at, "text", "agent", {"text": event.data["text"]})])
        else:
            self._pieces.note([event])


class Visit:
    """One client's connection, from the greeting to the close frame."""

    def __init__(self, websocket: "WebSocket", server: RealtimeServer, service: Service, place: Place) -> None:
        self._websocket = websocket
        self._server = server
        self._service = service
        self._place = place
        self._wake = anyio.Event()
        self._sent = anyio.Event()
        self._deaf = False
        self._client: Client | None = None
        self._over = anyio.Event()
        self._reading = anyio.CancelScope()
        self._problem = ""

    async def run(self) -> None:
        """Talk until the client has left, has to leave, or the session fails."""
        self._server.greet()
        gone = False
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._write)
            with self._place.open(), self._reading:
                gone = await self._read(tasks)
            with anyio.move_on_after(LEAVE_S, shield=True):
                await self._end()
            tasks.cancel_scope.cancel()
        if not gone:
            await self._say_goodbye()

    async def _read(self, tasks: anyio.abc.TaskGroup) -> bool:
        self._wake.set()
        while (message := await self._websocket.receive())["type"] != "websocket.disconnect":
            self._place.touch()
            await self._act_on(message.get("text") or message.get("bytes") or "")
            await self._service.give_way()  # what has come already is handed over without a pause
            if self._server.begun and self._client is None:
                self._client = Client(self._server, self._wake)
                tasks.start_soon(self._converse, self._client)
            self._wake.set()
            while len(self._server.out) > MOST_UNANSWERED and self._client is None and not self._deaf:
                await self._sent.wait()
        return True

    async def _act_on(self, text: str | bytes) -> None:
        try:
            event = await self._service.in_thread(_event_of, text) if len(text) > IN_THREAD else _event_of(text)
        except ValueError as error:
            self._server.fail(ClientEventError("invalid_json", f"the event is no JSON object: {error}"))
            return
        if len(text) > LARGEST_PLAIN and event.get("type") not in WITH_SOUND:
            told = f"an event without sound is at most {LARGEST_PLAIN} bytes; this has {len(text)}"
            self._server.fail(ClientEventError("event_too_large", told), event.get("event_id"))
            return
        self._server.receive(event)

    async def _converse(self, client: Client) -> None:
        try:
            await self._service.converse(client, sample_rate=SESSION_RATE, listen=client.listen)
        except SimulatorError as error:
            self._problem = str(error)
            self._reading.cancel()
        finally:
            self._over.set()

    async def _write(self) -> None:
        from starlette.websockets import WebSocketDisconnect

        try:
            while True:
                await self._wake.wait()
                self._wake = anyio.Event()
                if self._client is not None:
                    self._client.wake = self._wake
                for message in self._server.out.take():
                    await self._websocket.send_text(msgspec.json.encode(message).decode())
                self._sent.set()
                self._sent = anyio.Event()
        except WebSocketDisconnect:
            return  # the reader finds the same
        finally:
            self._deaf = True
            self._sent.set()

    async def _end(self) -> None:
        """Let the session end by itself: its folder is finished, whoever ended it."""
        if self._client is not None:
            self._client.done = True
            await self._over.wait()

    async def _say_goodbye(self) -> None:
        code, reason = (FAILED, self._problem) if self._problem else (self._place.code, self._place.reason)
        await self._websocket.close(code, reason[:REASON_CHARACTERS])


def _event_of(text: str | bytes) -> dict[str, Any]:
    """Read a client's event, the sound of a large one decoded. ValueError when it is no JSON object."""
    event = decode_long(text if isinstance(text, bytes) else text.encode())
    if not isinstance(event, dict):
        raise ValueError(f"it is of type {type(event).__name__}")
    sound = event.get("audio")
    if isinstance(sound, LongText):
        with suppress(ValueError):  # what is no base64 is told by whoever takes it
            event["audio"] = base64_bytes(sound, url_alphabet=True)
    told: dict[str, Any] = whole(event)
    return told
