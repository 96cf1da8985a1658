"""The play-out of a stream: sound that comes as it likes is heard at its own pace, with a position, marks and a clear.

For protocols whose sound has no items, only bytes (a call's media, a raw WebSocket). What left the queue in frames
before the present one was heard; that count is the position, and everything is told by it:

    push    sound behind what waits. What runs out is a burst: one item of a Playout, told from its start to its end
    mark    a name at the place where the queue ends now; given back, in order, once all before it was heard
    clear   what waits is dropped at the sample that was really heard; all marks that wait are given back
    done    the far end tells that the burst is whole: its end is one, however late it comes

A mark is never given back before its sound was heard, and at most a frame after it; in an empty queue with the next
frame. So did telephone networks always: a mark that comes back on a clear is no proof that anything was heard.
"""

from collections import deque
from typing import NamedTuple

from agents.remote.peer_core import Actions
from agents.remote.playout import Moment, Playout, tell, tell_cut
from simulator.errors import RemoteError
from simulator.frame import Samples

GAP_S = 0.25
"""Sound that comes within this time of the last burst's end, which nobody called whole, was meant to go on."""
MOST_MARKS = 30_000
"""One for every 20 ms of as much sound as may wait."""


class Cleared(NamedTuple):
    """What a clear did: the position at which sound stopped, the samples dropped, the names of marks that waited."""

    position: int
    dropped: int
    marks: list[str]


class PlayQueue:
    """All in samples of the output stream, at `rate` Hz. jitter_s: what a burst waits for before it is heard."""

    def __init__(self, rate: int, jitter_s: float, actions: Actions) -> None:
        self.rate = rate
        self._playout = Playout(rate, jitter_s)
        self._gap = round(GAP_S * rate)
        self._actions = actions
        self._marks: deque[tuple[int, str]] = deque()
        self._bursts = 0
        self._open: str | None = None
        self._ran_dry_at: int | None = None
        self.starved = 0
        """How often a burst ran out of sound and went on a little later."""

    @property
    def position(self) -> int:
        """Samples of sound heard so far; silence between bursts does not count."""
        return self._playout.said

    @property
    def received(self) -> int:
        """Samples that came so far."""
        return self._playout.received

    @property
    def buffered(self) -> int:
        """Samples that wait to be heard."""
        return self._playout.buffered

    def push(self, samples: Samples) -> None:
        """Append sound, float32 (n,). RemoteError when absurdly much is waiting."""
        if not len(samples):
            return
        if self._open is None:
            self._bursts += 1
            self._open = f"burst-{self._bursts}"
        self._playout.push(self._open, samples)

    def done(self) -> None:
        """Note that the burst is whole: no more of it will come, and it is not held back any longer."""
        if self._open is not None:
            self._playout.finish(self._open)
            self._open = None
        self._ran_dry_at = None

    def mark(self, name: str) -> None:
        """Put a mark behind all sound that came. RemoteError when absurdly many are waiting."""
        if len(self._marks) >= MOST_MARKS:
            raise RemoteError(f"sent {len(self._marks)} marks ahead of time")
        self._marks.append((self.position + self.buffered, name))

    def passed(self) -> list[str]:
        """Give the marks whose sound was heard before the present frame, once each; to be asked before `take`."""
        found: list[str] = []
        while self._marks and self._marks[0][0] <= self.position:
            found.append(self._marks.popleft()[1])
        return found

    def take(self, count: int, at: int) -> Samples:
        """Give the next `count` samples, which lie at `at`, silence where there are none; tell of bursts."""
        samples, moments = self._playout.take(count, at)
        for moment in moments:
            if moment.what == "starved":
                self._ran_dry(moment)
            elif moment.what == "start":
                self._begins(moment)
            elif not moment.item.starved:
                tell(self._actions, moment)
        return samples

    def clear(self, at: int) -> Cleared:
        """Drop what waits: the next sample is silence. Told as the end of every burst that this cuts."""
        dropped = self.buffered
        for item in self._playout.cut():
            if not item.starved:
                tell_cut(self._actions, item, at)
        self._open = self._ran_dry_at = None
        marks = [name for _, name in self._marks]
        self._marks.clear()
        return Cleared(self.position, dropped, marks)

    def _begins(self, moment: Moment) -> None:
        if self._ran_dry_at is not None and moment.at - self._ran_dry_at <= self._gap:
            self.starved += 1
            self._actions.note(moment.at, "starved", since=self._ran_dry_at)
        self._ran_dry_at = None
        tell(self._actions, moment)

    def _ran_dry(self, moment: Moment) -> None:
        """A burst is out of sound and nobody called it whole: its end is here, and what comes next is another one."""
        item = moment.item
        self._actions.note(moment.at, "audio_end", id=item.name, said_samples=item.said)
        self._ran_dry_at = moment.at
        self._playout.finish(item.name)
        if self._open == item.name:
            self._open = None
