"""Playout: what a far end sent to be said, with an exact account of how much of every item was really said.

A far end sends its speech in items (a message, a turn), faster or slower than real time. Each sample belongs
to one item; what counts as said is what left the jitter buffer, never the silence a frame was filled up with.
That count is what an interrupted service is told.

    item:  received ──first sample leaves──> said in part ──last sample leaves, and `finish`ed──> said whole
                                                 │ runs dry, not finished: `starved`; goes on with more sound
                                                 └ `cut`: over, with what was said until then
"""

from typing import Literal, NamedTuple

import msgspec

from agents.remote.peer_core import Actions
from simulator.errors import RemoteError
from simulator.frame import Samples
from simulator.sound.streams import Outbox

MOST_AHEAD_S = 600.0
"""More sound than this waiting to be said is no speech any more, and memory is not endless."""
MOST_ITEMS = 1_000
"""More items than this waiting are no answers any more: every sound that comes is looked up among them."""


class Item(msgspec.Struct, kw_only=True):
    """One item: samples received and said, whether no more will come, whether it ran dry before that."""

    name: str
    received: int = 0
    said: int = 0
    finished: bool = False
    starved: bool = False


class Moment(NamedTuple):
    """Something that happened to an item, at a sample of the output stream."""

    at: int
    what: Literal["start", "starved", "end"]
    item: Item


class Playout:
    """A jitter buffer that knows which item its samples belong to; all in samples of the output stream."""

    def __init__(self, rate: int, jitter_s: float) -> None:
        self._jitter = round(jitter_s * rate)
        self._box = Outbox(self._jitter)
        self._held_back = 0
        self._most = round(MOST_AHEAD_S * rate)
        self._rate = rate
        self._items: list[Item] = []
        self.received = 0
        """Samples received in all."""

    @property
    def waiting(self) -> bool:
        """Whether an item is still to be said, or may still grow."""
        return bool(self._items)

    @property
    def said(self) -> int:
        """Samples said in all: the position, which silence does not move."""
        return self._box.taken

    @property
    def buffered(self) -> int:
        """Samples that wait to be said."""
        return self._box.buffered

    @property
    def dry(self) -> bool:
        """Whether no sound waits to be said."""
        return self._box.buffered == 0

    @property
    def first(self) -> Item | None:
        """The item that is being said, or is said next."""
        return self._items[0] if self._items else None

    def push(self, name: str, samples: Samples) -> None:
        """Append sound of an item, float32 (n,); RemoteError when absurdly much is waiting."""
        item = self._item(name) or self._open(name)
        item.received += len(samples)
        self.received += len(samples)
        self._box.push(samples)
        if self._box.buffered > self._most:
            raise RemoteError(f"sent {self._box.buffered / self._rate:.0f} s of sound ahead of time")
        if len(self._items) > MOST_ITEMS:
            raise RemoteError(f"sent {len(self._items)} items of sound ahead of time")

    def finish(self, name: str) -> None:
        """Note that no more sound of an item will come: a short one is not held back by the jitter buffer."""
        item = self._item(name)
        if item is not None:
            item.finished = True
            if item is self._items[-1]:
                self._box.release()

    def take(self, count: int, at: int) -> tuple[Samples, list[Moment]]:
        """Give the next `count` samples, which lie at `at`, and what happened to items meanwhile."""
        before = self._box.taken
        samples = self._box.take(count)
        said = self._box.taken - before
        self._mind_the_rest(said, count)
        return samples, self._account(said, at, full=said == count)

    def cut(self) -> list[Item]:
        """Drop what waits and give the items that this leaves not wholly said, in order."""
        self._box.clear()
        cut, self._items = self._items, []
        return [item for item in cut if not item.finished or item.said < item.received]

    def _mind_the_rest(self, said: int, count: int) -> None:
        """Let sound go that waited for as long as the jitter buffer is deep: no more may come."""
        self._held_back = 0 if said or not self._box.buffered else self._held_back + count
        if self._held_back >= self._jitter:
            self._box.release()

    def _account(self, said: int, at: int, *, full: bool) -> list[Moment]:
        moments: list[Moment] = []
        while self._items:
            item = self._items[0]
            part = min(said, item.received - item.said)
            if part and not item.said:
                moments.append(Moment(at, "start", item))
            item.starved = item.starved and not part
            item.said, said, at = item.said + part, said - part, at + part
            if item.said < item.received:
                break
            if not item.finished:
                if item.said and not item.starved and not full:
                    item.starved = True
                    moments.append(Moment(at, "starved", item))
                break
            self._items.pop(0)
            if item.said:
                moments.append(Moment(at, "end", item))
        return moments

    def _item(self, name: str) -> Item | None:
        return next((item for item in self._items if item.name == name), None)

    def _open(self, name: str) -> Item:
        if self._items:
            self._items[-1].finished = True  # a far end speaks one item after the other
        self._items.append(Item(name=name))
        return self._items[-1]


def tell(actions: Actions, moment: Moment) -> None:
    """Note what happened to an item: audio_start, audio_starved, or audio_end of an item that was said whole."""
    item = moment.item
    account = {"said_samples": item.said, "cut": False} if moment.what == "end" else {}
    actions.note(moment.at, f"audio_{moment.what}", id=item.name, **account)


def tell_cut(actions: Actions, item: Item, at: int) -> None:
    """Note the audio_end of an item that was cut: how much of it was said, how much dropped."""
    dropped = item.received - item.said
    actions.note(at, "audio_end", id=item.name, said_samples=item.said, cut=True, dropped_samples=dropped)
