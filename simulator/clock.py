"""Clocks: what time it is on the session timeline, in samples. The only module that reads a real clock or sleeps.

VirtualClock: the tick is a barrier. Time moves when both actors have answered, however long that took; `now` is just
the tick the runner has reached. WallClock: ticks happen at absolute deadlines of the real clock, and nobody is waited
for. Protocol timeouts and pacing go through `sleep` and `seconds` below.
"""

import time
from typing import Protocol

import anyio


class Clock(Protocol):
    """The session's time."""

    realtime: bool

    def now(self) -> int:
        """Session time in samples."""
        ...


class VirtualClock:
    """Time that moves only when the runner says so: as fast as the machine can, and the same on every machine."""

    realtime = False

    def __init__(self) -> None:
        self._now = 0

    def now(self) -> int:
        """The start of the tick that is being played, in samples."""
        return self._now

    def advance(self, to: int) -> None:
        """Move to sample `to`."""
        self._now = to


class WallClock:
    """Time that moves by itself: sample n lies n / sample_rate seconds after `begin`."""

    realtime = True

    def __init__(self, sample_rate: int) -> None:
        self._rate = sample_rate
        self._origin = time.monotonic()

    def begin(self) -> None:
        """Make this moment session time 0."""
        self._origin = time.monotonic()

    def now(self) -> int:
        """Samples since `begin`, by the real clock."""
        return int((time.monotonic() - self._origin) * self._rate)

    def until(self, sample: int) -> float:
        """Seconds from now until session time `sample`; negative when it has passed."""
        return self._origin + sample / self._rate - time.monotonic()

    async def sleep_until(self, sample: int) -> float:
        """Sleep until session time `sample` and give by how many seconds it was missed (0.0 when on time)."""
        await anyio.sleep(max(0.0, self.until(sample)))
        return max(0.0, -self.until(sample))


def seconds() -> float:
    """Real monotonic time in seconds: for timeouts, pacing and wall figures in run.json, never for session content."""
    return time.monotonic()


def cpu_seconds() -> float:
    """CPU time of this process in seconds: for benchmarks and host statistics."""
    return time.process_time()


def today() -> str:
    """The date and time (UTC, ISO 8601): for run.json only; a session folder holds no time of day."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def pause(duration_s: float) -> None:
    """Let this thread wait in real time: between two attempts at a far end."""
    time.sleep(duration_s)


def epoch_s() -> int:
    """Seconds since 1970 by this machine's clock: for what another machine checks, never for session content."""
    return int(time.time())


async def sleep(duration_s: float) -> None:
    """Sleep in real time; protocol shells use it, never session logic."""
    await anyio.sleep(duration_s)
