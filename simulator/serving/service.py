"""What a served protocol builds on: the actor on offer, places for its clients, recorded sessions.

A protocol is one file: a `ServerSpec` (entry point group simulator.servers, the name is the protocol) whose
`routes` gives starlette routes over a `Service`. The door (door.py) stands in front of them: it has already
checked origin, token and sizes. A WebSocket endpoint reads like this:

    async with service.place() as place:                     # NoPlaceError when all of them are taken
        async with service.session(frame_ms=80) as session:  # a folder of its own, on the virtual clock
            with place.open():                               # left early by an idle client or a stop
                while (message := await receive()) is not None:
                    place.touch()
                    said = await session.hear(samples)       # the agent hears a frame and says the next
                    told = session.take_events()             # what it told meanwhile
        await websocket.close(place.code, place.reason)      # 1000, or 1001 and why it was left early

A session driven by the client's data runs on the virtual clock: the client's audio is the user's said track
from sample 0 on, and what the agent says after hearing frame k lies in frame k+1. A protocol with a time of
its own runs `service.converse(client, ...)` instead: `client` is an Actor that plays the user party on the
wall clock. An HTTP endpoint takes a place per request and needs no `open()`: a server that stops waits for
requests to end.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import anyio
import anyio.abc
import msgspec

from simulator.actor import Actor, ActorSpec
from simulator.call.conversation import Conversation
from simulator.call.surroundings import Surroundings
from simulator.clock import seconds, sleep
from simulator.errors import RemoteError, single
from simulator.events import Event
from simulator.frame import silence
from simulator.serving.ledger import Ledger
from simulator.serving.served_session import ServedSession
from simulator.serving.sharing import Sharing
from simulator.spec import walk
from simulator.traits import PartyTraits

GOING_AWAY = 1001


class NoPlaceError(RemoteError):
    """Every place is taken; the message says how many there are."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What a server allows. sessions: at the same time. idle_s: a silent client is sent away after that."""

    sessions: int = 32
    idle_s: float = 60.0


DEFAULT_LIMITS = Limits()


class Place:
    """A client's place: how long it has been silent, and why it had to leave."""

    def __init__(self) -> None:
        self.code = 1000
        self.reason = ""
        self.last_s = seconds()
        self._scope: anyio.CancelScope | None = None

    def touch(self) -> None:
        """Note that the client gave a sign of life."""
        self.last_s = seconds()

    @contextmanager
    def open(self) -> Iterator[None]:
        """Run the talk with the client; `leave` ends the block early, without an error."""
        with anyio.CancelScope() as self._scope:
            if self.reason:
                self._scope.cancel()
            yield
        self._scope = None

    def leave(self, reason: str) -> None:
        """Ask the client's endpoint to say goodbye with this reason."""
        self.code, self.reason = GOING_AWAY, reason
        if self._scope is not None:
            self._scope.cancel()


class Service:
    """An actor on offer: its places, its sessions, and whether it is still open."""

    def __init__(self, actor: ActorSpec, *, protocol: str, out: Path, limits: Limits = DEFAULT_LIMITS) -> None:
        self.actor = actor
        self.protocol = protocol
        self.out = out
        self.limits = limits
        self.ledger = Ledger(actor, protocol=protocol, out=out)
        self.ready = False
        self.stopping = False
        self.cut = False
        """Nobody is waited for any longer: what still works gives up."""
        self.shared: dict[Any, Any] = {}
        self.tasks: anyio.abc.TaskGroup | None = None
        """Lasts as long as the door is open: for sessions that outlive the request that began them."""
        self._places: set[Place] = set()
        self._freed = anyio.Event()
        self._sharing = Sharing()
        self.in_thread = self._sharing.in_thread
        self.give_way = self._sharing.give_way

    def offer(self, actor: ActorSpec) -> None:
        """Put another actor on offer; before the door opens."""
        self.actor = actor
        self.ledger = Ledger(actor, protocol=self.protocol, out=self.out)

    @property
    def taken(self) -> int:
        """How many places are taken now."""
        return len(self._places)

    @asynccontextmanager
    async def place(self, *, wait: bool = False) -> AsyncIterator[Place]:
        """Take a place for a client, waiting for one if asked to; NoPlaceError when there is none, or no more."""
        while wait and not self.stopping and self.taken >= self.limits.sessions:
            await self._freed.wait()
        if self.stopping or not self.ready:
            raise NoPlaceError("the server is stopping" if self.stopping else "the server is not ready yet")
        if self.taken >= self.limits.sessions:
            raise NoPlaceError(f"all {self.limits.sessions} places are taken; try again later")
        place = Place()
        self._places.add(place)
        try:
            yield place
        finally:
            self._places.discard(place)
            self._free()

    @asynccontextmanager
    async def session(
        self, *, frame_ms: float = 20.0, sample_rate: int = 24_000, actor: ActorSpec | None = None
    ) -> AsyncIterator[ServedSession]:
        """Run a session of its own with a fresh actor, driven by the client's data on the virtual clock.

        actor: another than the one on offer, such as the same with what this client wants of it.

        An error that leaves the block is the session's problem, written into its folder, and raised on.
        """
        async with self._recorded_in(self.ledger, frame_ms, sample_rate, actor) as session:
            yield session

    async def rehearse(self, frame_ms: float) -> None:
        """Run an actor on half a second of silence, so that what loads with the first session is loaded.

        Not for an actor that calls out to somebody: that may cost money, or take the only place there.
        """
        if not _calls_out(self.actor):
            with TemporaryDirectory() as folder:
                ledger = Ledger(self.actor, protocol=self.protocol, out=Path(folder))
                async with self._recorded_in(ledger, frame_ms, 24_000) as session:
                    while session.now < 12_000:
                        await session.hear(silence(session.frame))

    @asynccontextmanager
    async def _recorded_in(
        self, ledger: Ledger, frame_ms: float, sample_rate: int, actor: ActorSpec | None = None
    ) -> AsyncIterator[ServedSession]:
        scenario, recorder = ledger.open("virtual", frame_ms, sample_rate, actor)
        began_s = seconds()
        session = ServedSession(scenario, recorder, self.shared, self._sharing)
        status = "completed"
        try:
            async with anyio.create_task_group() as tasks:
                try:
                    await session.start(tasks)
                    yield session
                finally:
                    tasks.cancel_scope.cancel()
        except anyio.get_cancelled_exc_class():
            status = "interrupted"
            raise
        except Exception as group:  # noqa: BLE001 - any error is the session's problem, and raised on
            error = single(group)
            session.fail(str(error) or type(error).__name__)
            raise error from error.__cause__
        finally:
            try:
                with anyio.CancelScope(shield=True):
                    await session.close(status)
            finally:
                ledger.close(recorder, began_s)

    async def converse(
        self,
        client: Actor,
        *,
        frame_ms: float = 20.0,
        sample_rate: int = 24_000,
        listen: Callable[[Event], None] | None = None,
    ) -> None:
        """Run a session on the wall clock until `client`, which plays the user, is done.

        SimulatorError when it cannot be completed. The folder is finished whatever happens, cancellation
        included. listen(event) is told of every event when it is noted, `at` in session samples.
        """
        scenario, recorder = self.ledger.open("wall", frame_ms, sample_rate)
        scenario = msgspec.structs.replace(scenario, user=_played_by(client))
        began_s = seconds()
        around = Surroundings(shared=self.shared, stop=lambda: client.done)
        conversation = Conversation(scenario, recorder, around)
        conversation.log.listen = listen
        try:
            await conversation.run()
        finally:
            self.ledger.close(recorder, began_s)

    def stop(self) -> None:
        """Take no more clients and ask those there to leave."""
        self.stopping = True
        for place in self._places:
            place.leave("the server is stopping")
        self._free()

    def _free(self) -> None:
        self._freed.set()
        self._freed = anyio.Event()

    async def watch(self) -> None:
        """Send idle clients away, for ever; the door runs it."""
        while True:
            await sleep(min(1.0, self.limits.idle_s / 4))
            self.send_idle_away(seconds())

    def send_idle_away(self, now_s: float) -> None:
        """Ask clients to leave that gave no sign of life for `idle_s`."""
        for place in self._places:
            if now_s - place.last_s > self.limits.idle_s and not place.reason:
                place.leave(f"no audio for {self.limits.idle_s:g} s")


def _calls_out(actor: ActorSpec) -> bool:
    """Whether an actor, or its responder, talks to a far end: it names a URL, or has its own real time."""
    urls: list[object] = []
    walk(actor, lambda where, value: urls.append(value) if where.endswith(("url", "base_url")) and value else None)
    return actor.traits().own_time or bool(urls)


def _played_by(client: Actor) -> ActorSpec:
    """Make a spec whose actor is there already: the one that a client's connection feeds."""

    class ClientSpec(ActorSpec, frozen=True, kw_only=True, tag="client"):
        def traits(self) -> PartyTraits:
            return PartyTraits(remote=True)

        def build(self) -> Actor:
            return client

    return ClientSpec()
