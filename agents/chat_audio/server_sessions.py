"""Dialogues that outlive a request: each an actor in a session of its own, kept until its time is over.

A dialogue lives in a task of its own and holds a place from its first turn to its end, so it counts as a client. Turns
are handed to it one after the other: two requests that go on with the same dialogue cannot meet in it. It ends when
nobody has asked for `ttl`, when it is deleted, when a new one needs its place (the one that waited longest goes
first), or when the server stops; always between turns, and its folder is finished then.
"""

import math
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import anyio
import msgspec

from agents.chat_audio.frame_loop import FRAME_S
from agents.chat_audio.server_request import ChatRequest
from simulator.clock import seconds, today
from simulator.errors import SimulatorError
from simulator.serving.served_session import ServedSession
from simulator.serving.service import NoPlaceError, Place, Service

Play = Callable[[ServedSession, int], Awaitable[Any]]
"""Plays a turn in a session; the number counts from 1."""
Opened = Callable[[ChatRequest], AbstractAsyncContextManager[ServedSession]]
"""Gives the session of a dialogue that begins with a request."""


class SessionRules(msgspec.Struct, frozen=True, kw_only=True):
    """capacity: how many dialogues are kept. ttl_s: for how long after the last turn."""

    capacity: int
    ttl_s: float


class ServedDialogue:
    """One kept session. key: what the request that goes on with it names as `earlier`. replies: the last one's names.

    A client gives a reply back as its text or as its audio id.
    """

    def __init__(self, id_: str) -> None:
        self.id = id_
        self.key = ""
        self.replies: tuple[str, ...] = ()
        self.texts: list[str] = []
        self.created = self.accessed = today()
        self.used_s = seconds()
        self.busy = 0
        self.frames = 0
        self.recorded_as = ""
        self.place: Place | None = None
        self.ended = anyio.Event()
        self._failed = False
        self._turns: deque[_Turn] = deque()
        self._asked = anyio.Event()
        self._end: SimulatorError = NoPlaceError("the session is over")

    @property
    def over(self) -> bool:
        """Whether it takes no more turns."""
        return self._failed or self.ended.is_set() or bool(self.place and self.place.reason)

    def info(self) -> dict[str, Any]:
        """What a client may know of it."""
        return {
            "session_id": self.id,
            "frame_idx": self.frames,
            "turn_count": len(self.texts),
            "created_at": self.created,
            "last_accessed": self.accessed,
            "recorded_as": self.recorded_as,
        }

    async def play(self, play: Play) -> Any:
        """Play a turn after those that wait. SimulatorError: the actor failed, or the dialogue is over."""
        if self.ended.is_set():
            raise self._end
        turn = _Turn(play)
        self.busy += 1
        try:
            self._turns.append(turn)
            self._asked.set()
            await turn.done.wait()
        finally:
            self.busy -= 1
        if turn.error is not None:
            raise turn.error
        return turn.result

    async def live(self, service: Service, opened: AbstractAsyncContextManager[ServedSession], ttl_s: float,
                   begun: anyio.Event) -> None:  # fmt: skip
        """Hold a place and a session until the end; errors go to whoever waits for a turn."""
        try:
            async with service.place() as self.place, opened as session:
                self.recorded_as = session.id
                begun.set()
                while (turn := await self._next(ttl_s, service.limits.idle_s)) is not None:
                    await self._play(turn, session)
        except Exception as error:  # noqa: BLE001 - whatever went wrong in one dialogue, the others go on
            self._end = _as_ours(error)
        finally:
            self.ended.set()
            begun.set()
            for turn in self._turns:
                turn.fail(self._end)

    async def _next(self, ttl_s: float, idle_s: float) -> "_Turn | None":
        """Wait for the next turn; None when it is time to go. The place is only left from here: between turns."""
        place = self.place
        assert place is not None
        place.last_s = seconds() + ttl_s - idle_s  # who is silent for idle_s is sent away; here that is ttl_s
        with place.open():
            while not self._turns:
                self._asked = anyio.Event()
                await self._asked.wait()
        place.last_s = math.inf
        return None if place.reason else self._turns.popleft()

    async def _play(self, turn: "_Turn", session: ServedSession) -> None:
        try:
            turn.result = await turn.play(session, len(self.texts) + 1)
        except Exception as error:
            self._failed = True  # before the client is told, who may ask for it while its folder is still closed
            turn.fail(_as_ours(error))
            raise
        except anyio.get_cancelled_exc_class():
            turn.fail(SimulatorError("the server is stopping"))
            raise
        finally:
            self.frames = round(session.now / session.sample_rate / FRAME_S)
            self.accessed, self.used_s = today(), seconds()
            turn.done.set()


def _as_ours(error: Exception) -> SimulatorError:
    """Give an error whose sentence a client may be told."""
    return error if isinstance(error, SimulatorError) else SimulatorError(f"{type(error).__name__}: {error}")


class _Turn:
    def __init__(self, play: Play) -> None:
        self.play = play
        self.result: Any = None
        self.error: SimulatorError | None = None
        self.done = anyio.Event()

    def fail(self, error: SimulatorError) -> None:
        self.error = error
        self.done.set()


class Dialogues:
    """The dialogues that are kept, by id; looked up, never made into a path."""

    def __init__(self, service: Service, rules: SessionRules, opened: Opened) -> None:
        self._service = service
        self._rules = rules
        self._opened = opened
        self._kept: dict[str, ServedDialogue] = {}
        self._beginning = anyio.Lock()

    @property
    def ttl_s(self) -> float:
        """For how long a dialogue is kept after its last turn."""
        return self._rules.ttl_s

    def all(self) -> list[ServedDialogue]:
        """Give those that are alive."""
        self._kept = {id_: dialogue for id_, dialogue in self._kept.items() if not dialogue.over}
        return list(self._kept.values())

    def find(self, id_: str) -> ServedDialogue | None:
        """Give a dialogue by its id; None when there is none (any more)."""
        return next((dialogue for dialogue in self.all() if dialogue.id == id_), None)

    async def of(self, request: ChatRequest) -> ServedDialogue | None:
        """Give the dialogue that a request goes on with, or a new one; None: it names one that is not there.

        By history: the one that was asked the same things and gave the reply in the history; strangers may well ask
        the same first.
        """
        if request.session_id is not None:
            return self.find(request.session_id)
        earlier = request.earlier
        asked = [dialogue for dialogue in self.all() if earlier is not None and dialogue.key == earlier]
        found = [dialogue for dialogue in asked if request.last_reply in dialogue.replies]
        return found[-1] if found else await self._begin(request)

    async def delete(self, dialogue: ServedDialogue) -> None:
        """End a dialogue once the turns that wait are played."""
        if dialogue.place is not None:
            dialogue.place.leave("the session was deleted")
        await dialogue.ended.wait()

    async def _begin(self, request: ChatRequest) -> ServedDialogue:
        assert self._service.tasks is not None
        async with self._beginning:  # or the room that one made would be taken by another
            await self._make_room()
            dialogue = ServedDialogue(self._new_id(request.key))
            self._kept[dialogue.id] = dialogue
            begun = anyio.Event()
            opened = self._opened(request)
            self._service.tasks.start_soon(dialogue.live, self._service, opened, self._rules.ttl_s, begun)
            await begun.wait()
        return dialogue

    async def _make_room(self) -> None:
        """Send the dialogue away that waited longest, where there is no room; a busy one stays."""
        alive = self.all()
        full = self._service.taken >= self._service.limits.sessions or len(alive) >= self._rules.capacity
        idle = sorted((dialogue for dialogue in alive if not dialogue.busy), key=lambda dialogue: dialogue.used_s)
        if full and idle and not self._service.stopping:
            await self.delete(idle[0])
        elif len(alive) >= self._rules.capacity:
            raise NoPlaceError(f"all {self._rules.capacity} sessions are busy; try again later")

    def _new_id(self, key: str) -> str:
        """The key of its first request; where a stranger asked the very same, that key with its end changed."""
        number, id_ = 0, key
        while id_ in self._kept:
            number += 1
            id_ = f"{key[:12]}{number:04x}"
        return id_
