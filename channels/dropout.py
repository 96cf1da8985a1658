"""A connection that is gone for a while: what was said meanwhile is lost, or comes all at once and late.

`lost` is a call over UDP. `late` is a stream over TCP or a WebSocket: nothing is missing, but once the connection is
back everything is so much later, until whoever listens has caught up by hearing faster.
"""

from typing import Annotated, Literal

import msgspec

from channels.stretch import StretchedPlayout
from simulator.frame import AudioFrame, silence
from simulator.line import ChannelContext, ChannelSpec, by_frames
from simulator.spec import Duration

LONGEST_S = 60.0


class DropoutSpec(ChannelSpec, frozen=True, kw_only=True, tag="dropout"):
    """Lose the connection: `{kind: dropout, start: 5s, length: 800ms, every: 20s, then: late}`.

    The first begins at `start`, and with `every` again so long after each beginning; or `per_minute` at random moments.
    catch_up: whether sound that is late is heard faster (by a quarter at most) until it is no longer. length: of each.
    start: when the first begins. every: from one beginning to the next (default: once). per_minute: how many at random,
    instead. then: whether the sound is lost, or comes late.
    """

    length: Duration
    start: Duration = Duration(1.0)
    every: Duration | None = None
    per_minute: Annotated[float, msgspec.Meta(gt=0, le=600)] | None = None
    then: Literal["lost", "late"] = "lost"
    catch_up: bool = True

    def __post_init__(self) -> None:
        if not 0 < self.length <= LONGEST_S:
            raise ValueError(f"length is {self.length}; allowed are above 0 and up to {LONGEST_S:g}s")
        if self.every is not None and self.per_minute is not None:
            raise ValueError("every and per_minute do not go together")
        if self.every is not None and self.every <= self.length:
            raise ValueError(f"every is {self.every}; it must be longer than length, {self.length}")

    def build(self, context: ChannelContext) -> "Dropout":
        """Make the channel."""
        return Dropout(self, context)


class Dropout:
    """Says nothing while the connection is gone, which begins and ends with a frame and is told (`dropout`).

    By how much sound is late afterwards is told, too (`line_delay`).
    """

    delay_samples = 0
    takes_blocks = True

    def __init__(self, spec: DropoutSpec, context: ChannelContext) -> None:
        self._context = context
        self._rate = context.sample_rate
        self._count = context.frame_samples
        self._length = max(1, round(spec.length.samples(self._rate) / self._count)) * self._count
        self._every = spec.every.samples(self._rate) if spec.every is not None else None
        self._per_minute = spec.per_minute
        self._next: int | None = spec.start.samples(self._rate) if spec.per_minute is None else self._drawn(0)
        self._back = 0
        self._catches_up = spec.catch_up
        self._most = round(LONGEST_S * self._rate)
        self._late = StretchedPlayout(0, self._most, self._rate, self._count) if spec.then == "late" else None
        self._dropouts = 0
        self._longest_delay = 0

    def carry(self, frame: AudioFrame, other: AudioFrame) -> AudioFrame:
        """Carry a frame, or several one by one."""
        return by_frames(frame, other, self._count, self._carry)

    def _carry(self, frame: AudioFrame, other: AudioFrame) -> AudioFrame:
        now = frame.start
        if self._next is not None and now + self._count > self._next:
            self._begin(now)
        gone = now < self._back
        if self._late is None:
            return AudioFrame(now, silence(self._count)) if gone else frame
        return self._wait(frame, gone, self._late)

    def _wait(self, frame: AudioFrame, gone: bool, late: StretchedPlayout) -> AudioFrame:
        """Keep what is said, and say it when the connection is back."""
        now = frame.start
        late.write(frame.samples)
        if gone:
            late.delay = min(late.delay + self._count, self._most)  # what has waited for a minute is given up
            self._longest_delay = max(self._longest_delay, late.delay)
            return AudioFrame(now, silence(self._count))
        if not late.delay:
            return frame
        delay = late.change(now, 0) if self._catches_up else late.delay
        if delay != late.delay or now == self._back:
            self._context.emit(now, "line_delay", delay=delay)
        return AudioFrame(now, late.read(now, delay))

    def _begin(self, now: int) -> None:
        self._back = now + self._length
        self._dropouts += self._context.active()
        self._context.emit(now, "dropout", until=self._back)
        if self._per_minute is not None:
            self._next = self._drawn(self._back)
        else:
            self._next = now + self._every if self._every is not None else None

    def _drawn(self, since: int) -> int:
        return since + round(float(self._context.rng.exponential(60 / (self._per_minute or 1.0))) * self._rate)

    def measured(self) -> dict[str, float | None]:
        """How often the connection was gone, and (ms) by how much sound was late at most."""
        return {"dropouts": self._dropouts, "longest_delay_ms": round(1000 * self._longest_delay / self._rate, 1)}
