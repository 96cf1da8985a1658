"""Edges: an actor with its own sample rate or its own frame, seen from the session as a plain step.

Reframing and resampling as the numbers of `simulator/own_frame.py` say: frames of whole ticks, and streaming soxr at
the live edge, primed with zeros to a constant delay in whole ticks.
"""

from collections.abc import Awaitable, Callable

import numpy as np

from simulator.actor import Actor, PunctualActor
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
    In blocks (see BlockActor) what it says is settled to the end of the own frame that is being said. A punctual actor
    (see PunctualActor) hears when its own frame is whole and answers when the first tick of the next one is said.
    Where it skips the silent frame before session time 0, that is not forwarded; silence is said in its place.
    """

    def __init__(self, actor: Actor, shape: EdgeShape, sample_rate: int, frame_samples: int) -> None:
        self._actor = actor
        self._shape = shape
        self._count = frame_samples
        self._skip = actor.traits.skips_first
        self._asked: PunctualActor | None = None
        """The actor while it owes the answer to an own frame."""
        self._now = 0
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
        return self.answer() if waiting is None else self._answer_later(waiting)

    def answer(self) -> AudioFrame:
        """Say the session frame after the one that was heard."""
        return AudioFrame(self._now, self.say(self._now, self._count))

    def hear(self, heard: AudioFrame) -> Awaitable[None] | None:
        """Take session frames, at most to the end of an own frame, which is then answered."""
        self._now = heard.start + len(heard.samples)
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
        elif answer is not None:
            return self._keep_later(answer)
        return None

    def settled(self, now: int) -> int:
        """To the end of the own frame that is being heard: then it is answered, and what comes next is known."""
        return now + self._missing

    def say(self, now: int, count: int) -> Samples:
        """Say the next samples of the answers."""
        if self._asked is not None:
            asked, self._asked = self._asked, None
            self._keep(asked.answer())
        return self._said.take(count)

    def _ask(self) -> AudioFrame | Awaitable[AudioFrame] | None:
        """Let the actor hear its own frame; gives the answer, or None where it is asked for later."""
        shape = self._shape
        # In blocks an own frame often comes whole, as one stretch of its ticks.
        whole = self._heard[0] if len(self._heard) == 1 else np.concatenate(self._heard)
        self._heard, self._missing = [], shape.ticks * self._count
        samples = self._into(whole, shape.input_samples)
        frame = AudioFrame(self._position, freeze(samples))
        self._position += shape.input_samples
        if self._skip and frame.start < 0:
            return AudioFrame(0, silence(shape.output_samples))
        if isinstance(self._actor, PunctualActor):
            self._asked = self._actor
            self._asked.hear(frame)
            return None
        return self._actor.step(frame)

    def _keep(self, answer: AudioFrame) -> None:
        if len(answer.samples) != self._shape.output_samples:
            raise ActorError(f"answered {len(answer.samples)} samples to a frame of {self._shape.output_samples}")
        self._said.push(self._out_of(answer.samples, self._shape.ticks * self._count))

    async def _keep_later(self, answer: Awaitable[AudioFrame]) -> None:
        self._keep(await answer)

    async def _answer_later(self, waiting: Awaitable[None]) -> AudioFrame:
        await waiting
        return self.answer()


def _untouched(samples: Samples, count: int) -> Samples:  # noqa: ARG001 - as a StreamResampler is called
    return samples
