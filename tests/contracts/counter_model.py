"""Models for tests of the host that need no torch: they run anywhere and can be made to fail."""

import threading
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import msgspec
import numpy as np

from agents.duplex.model import Mask, ModelSpec, Piece, Placement, StepAudio, StepOutput
from simulator.frame import Samples

AUDIO = StepAudio(input_rate=8000, input_samples=640, output_rate=8000, output_samples=640)


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A session's prompt: its lead-in steps, the frame in which its row turns to NaN or all fails.

    breach: what the model gives in frame 2 instead of what it promised.
    """

    lead_in: int = 0
    nan_at: int | None = None
    fail_at: int | None = None
    breach: str = ""


class CounterSpec(ModelSpec, frozen=True, kw_only=True, tag="counter"):
    """A model that answers each frame with its own number of frames plus what it heard last."""

    prompt: Plan = Plan()
    broken_load: bool = False

    def audio(self) -> StepAudio:
        """8 kHz, 80 ms."""
        return AUDIO

    def scope(self, placement: Placement) -> AbstractContextManager[None]:
        """Nothing to set up."""
        return nullcontext()

    def load(self, placement: Placement) -> "Counter":
        """Make one."""
        if self.broken_load:
            raise RuntimeError("the file is torn")
        return Counter(placement.slots)


class Counter:
    """Rows that count; `gate` holds a step back until somebody opens it, `threads` says who called."""

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self.plans: dict[int, Plan] = {}
        self.frames = np.zeros(slots, int)
        self.calls: list[str] = []
        self.gate = threading.Event()
        self.gate.set()
        self.threads: set[int] = set()

    def open(self, slot: int, prompt: Plan, seed: int) -> int:
        """Note it."""
        self.calls.append(f"open {slot}")
        self.threads.add(threading.get_ident())
        self.plans[slot] = prompt
        self.frames[slot] = -int(prompt.lead_in or 0)
        return prompt.lead_in

    def close(self, slot: int) -> None:
        """Note it."""
        self.calls.append(f"close {slot}")
        self.plans.pop(slot, None)

    def step(self, pcm: Samples, active: Mask) -> StepOutput:
        """Answer frame number + first sample heard, in every sample."""
        self.gate.wait(10)
        self.threads.add(threading.get_ident())
        self.calls.append("step " + "".join(str(slot) for slot in np.flatnonzero(active)))
        said = np.zeros((self.slots, AUDIO.output_samples), np.float32)
        pieces = []
        for slot in np.flatnonzero(active).tolist():
            plan, frame = self.plans[slot], int(self.frames[slot])
            if plan.fail_at == frame:
                raise RuntimeError("out of luck")
            said[slot] = np.nan if plan.nan_at == frame else frame + pcm[slot, 0]
            if frame >= 0:
                pieces.append(Piece(slot, "said", frame, frame))
        breach = next((self.plans[slot].breach for slot in self.plans if self.frames[slot] == 2), "")
        self.frames += active
        return _breached(said, breach) if breach else StepOutput(said, pieces)


def _breached(said: Samples, breach: str) -> Any:
    """What a model may give that it must not."""
    wrong = {
        "nothing": None,
        "rows": StepOutput(said[:1]),
        "short": StepOutput(said[:, :-1]),
        "flat": StepOutput(said[0]),
        "doubles": StepOutput(said.astype(np.float64)),  # type: ignore[arg-type]
        "list": StepOutput(said.tolist()),  # type: ignore[arg-type]
    }
    return wrong[breach]


def watched(spec: Any) -> tuple[Any, list[Counter]]:
    """Give a spec of the same kind whose loaded models can be seen, and the list they will be in."""
    models: list[Counter] = []

    class Watched(CounterSpec, frozen=True, kw_only=True, tag="watched"):
        def load(self, placement: Placement) -> Counter:
            models.append(CounterSpec.load(self, placement))
            return models[-1]

    return Watched(broken_load=spec.broken_load), models


class HalvesSpec(CounterSpec, frozen=True, kw_only=True, tag="halves"):
    """A counter whose step holds two frames."""

    def audio(self) -> StepAudio:
        """8 kHz, 80 ms, of two frames."""
        return msgspec.structs.replace(AUDIO, frames=2)

    def load(self, placement: Placement) -> "Halves":
        """Make one."""
        return Halves(placement.slots)


class Halves(Counter):
    """Tells a piece for both frames of a step."""

    def step(self, pcm: Samples, active: Mask) -> StepOutput:
        """As the counter."""
        output = super().step(pcm, active)
        pieces = [(piece, 2 * piece.frame + half) for piece in output.pieces for half in (0, 1)]
        return StepOutput(output.pcm, [msgspec.structs.replace(piece, frame=frame) for piece, frame in pieces])
