"""Session events: what actors, injectors, lines and the runner know about the session, each at its sample.

An event is one JSON object per line in events.jsonl: {"at": samples, "type": ..., "party": ..., ...}. `at` is when the
thing became known and never decreases in the file; past moments are fields (`since`). Ties: at, then user < agent <
line, then serial. Which types there are: event_types/table.py.
"""

from collections.abc import Callable
from heapq import heappop, heappush
from threading import Lock
from typing import Any, Literal, NamedTuple

import msgspec

from simulator.errors import SessionError
from simulator.event_types.event_type import is_sample
from simulator.event_types.table import event_type, misfits
from simulator.files import decode_json
from simulator.texts import quoted

Party = Literal["user", "agent"]
Source = Literal["user", "agent", "line"]

PARTIES: tuple[Party, Party] = ("user", "agent")
_RANK = {"user": 0, "agent": 1, "line": 2}


def other_party(party: Party) -> Party:
    """Give the party on the other side."""
    return "agent" if party == "user" else "user"


class Event(NamedTuple):
    """Something that happened: `at` in samples, a snake_case type, whose it is, and the rest of its fields."""

    at: int
    type: str
    party: Source
    data: dict[str, Any]

    def __getattr__(self, name: str) -> Any:
        try:
            return self.data[name]
        except KeyError:
            raise AttributeError(name) from None


class EventLog:
    """Collects events out of order and hands them on in the order of the file.

    An actor may announce an event that lies ahead (its answer is heard later because of its latency), so events wait
    until the runner says that nothing earlier can come any more.
    """

    def __init__(self) -> None:
        self._waiting: list[tuple[int, int, int, Event]] = []
        self._serial = 0
        self._watermark = 0
        self._lock = Lock()  # on the wall clock actors note events from threads of their own
        self.listen: Callable[[Event], None] | None = None
        """Told of every event when it is noted (a served client, a live page); may be called from any thread."""
        self._watchers: dict[str, list[Callable[[Event], None]]] = {}

    def watch(self, type_: str, tell: Callable[[Event], None]) -> None:
        """Have somebody told of every event of a type when it is noted."""
        self._watchers.setdefault(type_, []).append(tell)

    def add(self, at: int, type_: str, party: Source, **data: Any) -> None:
        """Note an event; one that lies before what was already handed on is moved to that moment, `since` kept."""
        with self._lock:
            if at < self._watermark:
                data.setdefault("since", at)
                at = self._watermark
            self._serial += 1
            event = Event(at, type_, party, data)
            heappush(self._waiting, (at, _RANK[party], self._serial, event))
        for tell in self._watchers.get(type_, ()):
            tell(event)
        if self.listen is not None:
            self.listen(event)

    def take(self, until: int) -> list[Event]:
        """Give the events before sample `until`, in order, and promise that none earlier will be given any more."""
        ready: list[Event] = []
        with self._lock:
            while self._waiting and self._waiting[0][0] < until:
                ready.append(heappop(self._waiting)[3])
            self._watermark = max(self._watermark, until)
        return ready

    def finish(self, end: int) -> list[Event]:
        """Give the rest of a session that ended at sample `end`.

        What would have begun after the end is left out; an utterance that would have ended after it is cut there.
        What an actor told when it closed (what it used up, what of its sound was said) belongs to the end.
        """
        left = self.take(1 << 62)
        begun = {
            event.data.get("id") for event in left if event.at >= end and event_type(event.type).utterance == "begins"
        }
        rest: list[Event] = []
        for event in left:
            known = event_type(event.type)
            if event.at <= end:
                rest.append(event)
            elif known.utterance == "ends" and event.data.get("id") not in begun:
                over = event.at - end
                said = max(0, event.data.get("said_samples", 0) - over)
                rest.append(Event(end, event.type, event.party, {**event.data, "said_samples": said, "cut": True}))
            elif known.account:
                rest.append(Event(end, event.type, event.party, event.data))
        return rest


Emit = Callable[..., None]
"""emit(at, type, **fields): how an actor tells the session what it knows, with `at` on its own output stream."""


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(dict[str, Any])


def encode_event(event: Event) -> bytes:
    """Give an event as one line of events.jsonl, newline included."""
    return _encoder.encode({"at": event.at, "type": event.type, "party": event.party, **event.data}) + b"\n"


def decode_event(line: bytes) -> Event:
    """Read one line of events.jsonl; SessionError says what of it is missing, or is no event."""
    fields = decode_json(line, _decoder, where="the event")
    at, type_, party = (fields.pop(name, None) for name in ("at", "type", "party"))
    if not is_sample(at):
        raise SessionError(f"at is {quoted(at)}; allowed is a sample of the session")
    if not isinstance(type_, str) or not type_:
        raise SessionError(f"type is {quoted(type_)}; allowed is a word")
    if not isinstance(party, str) or party not in _RANK:
        raise SessionError(f"party is {quoted(party)}; allowed are {', '.join(_RANK)}")
    for problem in misfits(type_, fields):
        raise SessionError(problem)
    return Event(at, type_, party, fields)  # type: ignore[arg-type]  # it is one of _RANK
