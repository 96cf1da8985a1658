"""A duplex model that costs nothing, and how much CPU a model's own calls take: what is left is the host's.

`Free` says a tone that was made when it was loaded, one token a row and step; it needs no torch.
"""

import time
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from agents.duplex.model import Mask, ModelSpec, Piece, Placement, StepAudio, StepOutput
from simulator.frame import Samples

AUDIO = StepAudio(input_rate=24_000, input_samples=1920, output_rate=24_000, output_samples=1920)


class FreeSpec(ModelSpec, frozen=True, kw_only=True, tag="free"):
    """Moshi's rates and step without a model behind them."""

    def audio(self) -> StepAudio:
        """24 kHz both ways, 80 ms."""
        return AUDIO

    def scope(self, placement: Placement) -> AbstractContextManager[None]:
        """Nothing to set up."""
        return nullcontext()

    def load(self, placement: Placement) -> "Free":
        """Make one."""
        return Free(placement.slots)


class Free:
    """Says the same tone whatever it hears, and a token a row."""

    def __init__(self, slots: int) -> None:
        self.slots = slots
        tone = 0.1 * np.sin(2 * np.pi * 200 * np.arange(AUDIO.output_samples) / AUDIO.output_rate)
        self._said = np.tile(tone.astype(np.float32), (slots, 1))
        self._frames = np.zeros(slots, int)

    def open(self, slot: int, prompt: Any, seed: int) -> int:
        """Begin a row; it needs no lead-in."""
        self._frames[slot] = 0
        return 0

    def close(self, slot: int) -> None:
        """Nothing to give back."""

    def step(self, pcm: Samples, active: Mask) -> StepOutput:
        """Say the tone."""
        frames = self._frames.tolist()
        pieces = [Piece(slot, "said", frames[slot], 3) for slot in np.flatnonzero(active).tolist()]
        self._frames += active
        return StepOutput(self._said, pieces)


class Metered:
    """A loaded model with the CPU seconds of its thread that its steps have taken."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self.slots = model.slots
        self.open, self.close = model.open, model.close
        self.cpu_s = 0.0

    def step(self, pcm: Samples, active: Mask) -> StepOutput:
        """Step the model, with a look at the thread's own clock before and after."""
        began_s = time.thread_time()
        output: StepOutput = self._model.step(pcm, active)
        self.cpu_s += time.thread_time() - began_s
        return output


def metered(spec: ModelSpec) -> tuple[ModelSpec, list[Metered]]:
    """Give a spec of the same settings whose loaded models are metered, and the list they will be in."""
    models: list[Metered] = []

    def load(self: ModelSpec, placement: Placement) -> Metered:
        models.append(Metered(type(spec).load(self, placement)))
        return models[-1]

    kind = type(
        f"Metered{type(spec).__name__}", (type(spec),), {"load": load}, frozen=True, kw_only=True, tag=spec.name
    )
    fields = {field: getattr(spec, field) for field in spec.__struct_fields__}
    made: ModelSpec = kind(**fields)
    return made, models
