"""Packets that take their time, each its own, and the buffer that waits for them.

A packet is played `buffer` after it was said; one that is not there by then is lost, and the last one that came is said
again. A fixed buffer is the line's delay. An adaptive one follows the mean delay and its deviation, and gets there by
speaking faster or slower (Ramjee, Kurose, Towsley, Schulzrinne 1994: mean plus four deviations).
"""

from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from channels.loss import LossCount, Repetition
from channels.packet_loss import AHEAD, check_trace, read_trace
from channels.stretch import StretchedPlayout
from simulator.frame import AudioFrame
from simulator.line import ChannelContext, ChannelSpec, by_frames
from simulator.sound.streams import Outbox
from simulator.spec import Duration, ms

Distribution = Literal["gamma", "normal", "pareto"]

LONGEST_S = 5.0
DEVIATIONS = 4.0
MEMORY = 0.98
"""How much of an estimate is kept with every packet: it follows within a second. Ramjee's 0.998 takes ten."""
CLOSE_S = 0.01
"""A buffer that is right to 10 ms is left alone."""


class JitterSpec(ChannelSpec, frozen=True, kw_only=True, tag="jitter"):
    """Delay every packet by its own time: `{kind: jitter, mean: 40ms, std: 15ms, buffer: 80ms}`.

    trace: a text file with a delay in ms for each packet, over again at its end, in place of a drawn one. reorder:
    whether a packet may overtake another; without, it queues behind it. buffer: how long a packet is waited for from
    when it was said; `adaptive: true` begins there and follows what comes, up to three times that. mean: of the delays.
    std: their standard deviation. distribution: what they are drawn from. packet: how long each is. adaptive: whether
    the buffer follows what comes.
    """

    mean: Duration = ms(40)
    std: Duration = ms(15)
    distribution: Distribution = "gamma"
    trace: Path | None = None
    packet: Duration = ms(20)
    reorder: bool = True
    buffer: Duration = ms(80)
    adaptive: bool = False

    def __post_init__(self) -> None:
        if not 0.0025 <= self.packet <= 0.2:
            raise ValueError(f"packet is {self.packet}; allowed are 2.5ms to 200ms")
        if self.buffer > LONGEST_S:
            raise ValueError(f"buffer is {self.buffer}; allowed are up to {LONGEST_S:g}s")
        if self.mean <= 0:
            raise ValueError("mean must be above 0")

    def check(self, where: str, sample_rate: int) -> None:
        """Refuse a trace that cannot be read. ScenarioError."""
        if self.trace is not None:
            check_trace(self.trace, where)

    def build(self, context: ChannelContext) -> "Jitter":
        """Make the channel."""
        return Jitter(self, context)

    def delays(self, rng: np.random.Generator) -> Iterator[float]:
        """Give for one packet after the other its delay, in seconds."""
        if self.trace is not None:
            yield from cycle(value / 1000 for value in read_trace(self.trace))
        while True:
            yield from _drawn(self.distribution, float(self.mean), float(self.std), rng).tolist()


class _LateCount(LossCount):
    """Counts packets that are not there when they are due: a row of them is an under-run."""

    def _tell(self, at: int, *, since: int, packets: int) -> None:
        self._context.emit(at, "buffer_underrun", since=since, packets=packets)


class Jitter:
    """Plays packets when they are due. Measured: their delays, what was late, and how the buffer stood."""

    takes_blocks = True

    def __init__(self, spec: JitterSpec, context: ChannelContext) -> None:
        rate = self._rate = context.sample_rate
        self._context = context
        self._count = context.frame_samples
        self._size = max(1, spec.packet.samples(rate))
        self._delays = spec.delays(context.rng)
        self._reorder, self._adaptive = spec.reorder, spec.adaptive
        self.delay_samples = spec.buffer.samples(rate)
        self._most = 3 * self.delay_samples if spec.adaptive else self.delay_samples
        self._stretch = StretchedPlayout(self.delay_samples, self._most, rate, self._count)
        self._mean, self._deviation = float(self.delay_samples) / 2, float(self.delay_samples) / 2 / DEVIATIONS
        self._came = Outbox()
        self._concealment = Repetition(self._size, rate)
        self._left = 0
        self._is_late = False
        self._last_s = 0.0
        self._seen: list[float] = []
        self._late = _LateCount(context)

    def carry(self, frame: AudioFrame, other: AudioFrame) -> AudioFrame:
        """Carry a frame, or several one by one."""
        return by_frames(frame, other, self._count, self._carry)

    def _carry(self, frame: AudioFrame, other: AudioFrame) -> AudioFrame:
        now, stretch = frame.start, self._stretch
        self._came.push(frame.samples)
        delay = stretch.delay
        if self._adaptive and abs(self._target() - delay) > CLOSE_S * self._rate:
            delay = stretch.change(now, self._target())
        missing = now + self._count - min(delay, stretch.delay) - stretch.written
        if missing > 0:
            self._receive(missing, now)
        told = delay != stretch.delay
        samples = stretch.read(now, delay)
        if told:
            self._context.emit(now, "line_delay", delay=delay)
        return AudioFrame(now, samples)

    def _receive(self, count: int, now: int) -> None:
        """Take the next samples from the packets that came, or in place of those that did not."""
        while count:
            if not self._left:
                self._next_packet(now)
            part = min(count, self._left)
            came = self._came.take(part)
            if self._is_late:
                came = self._concealment.take(part)
            else:
                self._concealment.keep(came)
            self._stretch.write(came)
            self._left -= part
            count -= part

    def _next_packet(self, now: int) -> None:
        delay_s = next(self._delays)
        if not self._reorder:
            # It was sent a packet's length after the one before, which it cannot overtake.
            delay_s = max(delay_s, self._last_s - self._size / self._rate)
        self._last_s = delay_s
        delay = delay_s * self._rate
        self._left, self._is_late = self._size, delay > self._stretch.delay
        self._deviation += (1 - MEMORY) * (abs(delay - self._mean) - self._deviation)
        self._mean += (1 - MEMORY) * (delay - self._mean)
        if self._context.active():
            self._seen.append(delay_s)
        self._late.add(self._is_late, now)

    def _target(self) -> int:
        return round(min(self._mean + DEVIATIONS * self._deviation, self._most))

    def measured(self) -> dict[str, float | None]:
        """Delays of the packets (ms), the share that came too late (%), under-runs, and the buffer at the end (ms)."""
        seen_ms = 1000 * np.array(self._seen or [np.nan])
        values = {
            "packet_delay_mean_ms": float(seen_ms.mean()),
            "packet_delay_p50_ms": float(np.quantile(seen_ms, 0.5)),
            "packet_delay_p95_ms": float(np.quantile(seen_ms, 0.95)),
            "late_percent": 100 * self._late.lost / len(seen_ms),
        }
        rounded = {name: round(value, 3) if self._seen else None for name, value in values.items()}
        buffer_ms = round(1000 * self._stretch.delay / self._rate, 3)
        return {"packets": len(self._seen), **rounded, "underruns": self._late.bursts, "buffer_ms": buffer_ms}


def _drawn(distribution: Distribution, mean_s: float, std_s: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw delays with a mean and a standard deviation: float64 (AHEAD,), s. A normal one below 0 is 0."""
    if std_s == 0:
        return np.full(AHEAD, mean_s)
    if distribution == "gamma":
        return rng.gamma((mean_s / std_s) ** 2, std_s**2 / mean_s, AHEAD)
    if distribution == "normal":
        return np.maximum(rng.normal(mean_s, std_s, AHEAD), 0)
    # Pareto's first kind: its shape follows from mean and deviation, and is above 2, so that it has one.
    shape = 1 + np.sqrt(1 + (mean_s / std_s) ** 2)
    return np.asarray(mean_s * (shape - 1) / shape * (1 + rng.pareto(shape, AHEAD)))
