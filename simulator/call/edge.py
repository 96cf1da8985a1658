"""Edges: an actor with its own sample rate or its own frame, seen from the session as a plain step.

Reframing and resampling as the numbers of `simulator/own_frame.py` say: frames of whole ticks, and streaming soxr at
the live edge, primed with zeros to a constant delay in whole ticks.
"""

from collections.abc import Awaitable, Callable

import numpy as np

from simulator.errors import ActorError
from simulator.frame import AudioFrame, Samples, freeze, silence
from simulator.own_frame import EdgeShape
from simulator.sound.streams import Outbox

Step = Callable[[AudioFrame], AudioFrame | Awaitable[AudioFrame]]


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
    """Turns session frames into an actor's own frames, and its answers back.

    `step` gives a plain frame in the ticks in which the actor has nothing to do, and what the actor gives otherwise.
    In blocks (see BlockActor) what it says is settled to the end of the own frame that is being said.
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
        self._missing = shape.ticks * frame_samples
        """How many samples of the own frame that is being heard are still to come."""
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
        waiting = self.hear(heard)
        now = heard.start + self._count
        return self._say(now) if waiting is None else self._say_later(waiting, now)

    def hear(self, heard: AudioFrame) -> Awaitable[None] | None:
        """Take session frames, at most to the end of an own frame, which is then answered."""
        if heard.start < 0:
            self._heard, self._missing = [silence(self._count)] * self._shape.ticks, 0
        else:
            self._heard.append(heard.samples)
            self._missing -= len(heard.samples)
        if self._missing:
            return None
        answer = self._ask()
        if isinstance(answer, AudioFrame):
            self._keep(answer)
            return None
        return self._keep_later(answer)

    def settled(self, now: int) -> int:
        """To the end of the own frame that is being heard: then it is answered, and what comes next is known."""
        return now + self._missing

    def say(self, now: int, count: int) -> Samples:
        """Say the next samples of the answers."""
        return self._said.take(count)

    def _ask(self) -> AudioFrame | Awaitable[AudioFrame]:
        shape = self._shape
        # In blocks an own frame often comes whole, as one stretch of its ticks.
        whole = self._heard[0] if len(self._heard) == 1 else np.concatenate(self._heard)
        self._heard, self._missing = [], shape.ticks * self._count
        samples = self._into(whole, shape.input_samples)
        frame = AudioFrame(self._position, freeze(samples))
        self._position += shape.input_samples
        if self._skip and frame.start < 0:
            return AudioFrame(0, silence(shape.output_samples))
        return self._step(frame)

    def _keep(self, answer: AudioFrame) -> None:
        if len(answer.samples) != self._shape.output_samples:
            raise ActorError(f"answered {len(answer.samples)} samples to a frame of {self._shape.output_samples}")
        self._said.push(self._out_of(answer.samples, self._shape.ticks * self._count))

    async def _keep_later(self, answer: Awaitable[AudioFrame]) -> None:
        self._keep(await answer)

    def _say(self, now: int) -> AudioFrame:
        return AudioFrame(now, self._said.take(self._count))

    async def _say_later(self, waiting: Awaitable[None], now: int) -> AudioFrame:
        await waiting
        return self._say(now)


def _untouched(samples: Samples, count: int) -> Samples:  # noqa: ARG001 - as a StreamResampler is called
    return samples
