"""Edges: an actor with its own sample rate or its own frame, seen from the session as a plain step.

Reframing: an actor's frame is m ticks; it hears ticks j*m ... j*m+m-1 as one frame and its answer is said in ticks
(j+1)*m .... Resampling: streaming soxr at the live edge, primed with zeros to a constant delay in whole ticks.
"""

import math
from collections.abc import Awaitable, Callable
from fractions import Fraction
from functools import lru_cache

import msgspec
import numpy as np

from simulator.actor import AudioFormat
from simulator.errors import ActorError, ScenarioError
from simulator.frame import AudioFrame, Samples, freeze, silence
from simulator.sound.recordings import HIGHEST_HZ, LOWEST_HZ
from simulator.sound.streams import Outbox

Step = Callable[[AudioFrame], AudioFrame | Awaitable[AudioFrame]]


class EdgeShape(msgspec.Struct, frozen=True, kw_only=True):
    """An actor's frame in numbers: ticks per own frame; rates (Hz) and samples per own frame, heard and said.

    input_delay, output_delay: what resampling adds on either side, in session samples.
    """

    ticks: int
    input_rate: int
    output_rate: int
    input_samples: int
    output_samples: int
    input_delay: int = 0
    output_delay: int = 0


def shape_of(form: AudioFormat, sample_rate: int, frame_samples: int) -> EdgeShape:
    """Work out an actor's frame in a session; ScenarioError when its frame is no whole number of session frames."""
    input_rate, output_rate = form.input_rate or sample_rate, form.output_rate or sample_rate
    for rate in (input_rate, output_rate):
        if not LOWEST_HZ <= rate <= HIGHEST_HZ:
            raise ScenarioError(f"a rate of {rate} Hz is not allowed; {LOWEST_HZ} to {HIGHEST_HZ} Hz are")
    # The smallest number of ticks that is a whole number of samples at every rate.
    whole = math.lcm(*(Fraction(frame_samples * rate, sample_rate).denominator for rate in (input_rate, output_rate)))
    ticks = whole if form.frame_ms is None else _own_ticks(form.frame_ms, sample_rate, frame_samples, whole)
    length = ticks * frame_samples
    heard, said = length * input_rate // sample_rate, length * output_rate // sample_rate

    def delay(lag_s: float) -> int:
        return math.ceil(lag_s * sample_rate / frame_samples / whole) * whole * frame_samples

    return EdgeShape(
        ticks=ticks,
        input_rate=input_rate,
        output_rate=output_rate,
        input_samples=heard,
        output_samples=said,
        input_delay=delay(streaming_lag(sample_rate, input_rate, length) / input_rate),
        output_delay=delay(streaming_lag(output_rate, sample_rate, said) / sample_rate),
    )


def _own_ticks(frame_ms: float, sample_rate: int, frame_samples: int, whole: int) -> int:
    ticks = Fraction(frame_ms).limit_denominator(1000) * sample_rate / (1000 * frame_samples)
    if ticks.denominator != 1 or ticks < 1 or ticks % whole:
        fitting = ", ".join(f"{frame_ms / count:g}" for count in (1, 2, 4, 5, 8) if frame_ms / count >= 5)
        raise ScenarioError(
            f"its frame of {frame_ms:g} ms is no whole number of session frames of "
            f"{1000 * frame_samples / sample_rate:g} ms; frame_ms may be {fitting}"
        )
    return int(ticks)


@lru_cache(maxsize=64)
def streaming_lag(from_hz: int, to_hz: int, chunk: int, quality: str = "HQ") -> int:
    """By how many output samples streaming soxr falls behind at worst when it is fed `chunk` samples at a time."""
    if from_hz == to_hz:
        return 0
    import soxr

    stream = soxr.ResampleStream(from_hz, to_hz, 1, dtype="float32", quality=quality)
    quiet = np.zeros(chunk, np.float32)
    given = lag = 0
    for fed in range(1, 2 + 2 * from_hz // chunk):
        given += len(stream.resample_chunk(quiet))
        lag = max(lag, math.ceil(Fraction(fed * chunk * to_hz, from_hz)) - given)
    return lag


class StreamResampler:
    """Resamples a live stream chunk by chunk, every answer as long as its chunk, `delay` output samples late."""

    def __init__(self, from_hz: int, to_hz: int, delay: int) -> None:
        import soxr

        self._stream = soxr.ResampleStream(from_hz, to_hz, 1, dtype="float32", quality="HQ")
        self._out = Outbox()
        self._out.push(np.zeros(delay, np.float32))

    def __call__(self, samples: Samples, count: int) -> Samples:
        """Take a chunk and give the next `count` samples: float32 (count,)."""
        self._out.push(self._stream.resample_chunk(samples))
        return self._out.take(count)


class Edge:
    """Turns a session frame per tick into an actor's own frames, and its answers back.

    `step` gives a plain frame in the ticks in which the actor has nothing to do, and what the actor gives otherwise.
    skips_first: the silent frame before session time 0 is not forwarded; silence is said in its place.
    """

    def __init__(
        self, step: Step, shape: EdgeShape, sample_rate: int, frame_samples: int, *, skips_first: bool
    ) -> None:
        self._step = step
        self._shape = shape
        self._count = frame_samples
        self._skip = skips_first
        self._heard: list[Samples] = []
        self._said = Outbox()
        self._into = self._out_of = _untouched
        if shape.input_rate != sample_rate:
            prime = shape.input_delay * shape.input_rate // sample_rate
            self._into = StreamResampler(sample_rate, shape.input_rate, prime)
        if shape.output_rate != sample_rate:
            self._out_of = StreamResampler(shape.output_rate, sample_rate, shape.output_delay)
        self._position = -shape.input_samples

    def step(self, heard: AudioFrame) -> AudioFrame | Awaitable[AudioFrame]:
        """Hear a session frame, say the next one."""
        now = heard.start + self._count
        if heard.start < 0:
            self._heard = [silence(self._count)] * self._shape.ticks
        else:
            self._heard.append(heard.samples)
        if len(self._heard) < self._shape.ticks:
            return AudioFrame(now, self._said.take(self._count))
        answer = self._ask()
        if isinstance(answer, AudioFrame):
            return self._give(answer, now)
        return self._give_later(answer, now)

    def _ask(self) -> AudioFrame | Awaitable[AudioFrame]:
        shape = self._shape
        whole = self._heard[0] if shape.ticks == 1 else np.concatenate(self._heard)
        self._heard = []
        samples = self._into(whole, shape.input_samples)
        frame = AudioFrame(self._position, freeze(samples))
        self._position += shape.input_samples
        if self._skip and frame.start < 0:
            return AudioFrame(0, silence(shape.output_samples))
        return self._step(frame)

    def _give(self, answer: AudioFrame, now: int) -> AudioFrame:
        if len(answer.samples) != self._shape.output_samples:
            raise ActorError(f"answered {len(answer.samples)} samples to a frame of {self._shape.output_samples}")
        self._said.push(self._out_of(answer.samples, self._shape.ticks * self._count))
        return AudioFrame(now, self._said.take(self._count))

    async def _give_later(self, answer: Awaitable[AudioFrame], now: int) -> AudioFrame:
        return self._give(await answer, now)


def _untouched(samples: Samples, count: int) -> Samples:  # noqa: ARG001 - as a StreamResampler is called
    return samples
