"""A duplex model that says and hears what is written down, frame by frame; no torch."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext

import msgspec
import numpy as np

from agents.duplex.model import Mask, ModelSpec, Piece, Placement, StepAudio, StepOutput
from simulator.frame import Samples

HEARD, SAID = 1280, 1764


class ScriptedPrompt(msgspec.Struct, frozen=True, kw_only=True):
    """text: what the model says in its second frame, when there is any."""

    text: str = ""


class ScriptedModelSpec(ModelSpec, frozen=True, kw_only=True, tag="written_down"):
    """says, hears: texts by frame, all other frames are padding. loud: from which frame to before which it is heard."""

    says: Mapping[int, str] = {}
    hears: Mapping[int, str] = {}
    loud: tuple[int, int] = (0, 0)
    frames_per_step: int = 1
    prompt: ScriptedPrompt = ScriptedPrompt()

    def audio(self) -> StepAudio:
        """16 kHz in, 22.05 kHz out, 80 ms a frame."""
        count = self.frames_per_step
        return StepAudio(input_rate=16_000, input_samples=HEARD * count, output_rate=22_050,
                         output_samples=SAID * count, frames=count)  # fmt: skip

    def scope(self, placement: Placement) -> AbstractContextManager[None]:
        """Nothing to set up."""
        return nullcontext()

    def load(self, placement: Placement) -> "ScriptedModel":
        """Make one."""
        return ScriptedModel(self, placement.slots)


class ScriptedModel:
    """Rows that follow the script; each counts its own frames."""

    def __init__(self, spec: ScriptedModelSpec, slots: int) -> None:
        self.slots = slots
        self._spec = spec
        self._frame = np.zeros(slots, int)
        self._prompts = [""] * slots

    def open(self, slot: int, prompt: ScriptedPrompt, seed: int) -> int:
        """Begin a row; it hears at once."""
        self._frame[slot], self._prompts[slot] = 0, prompt.text
        return 0

    def close(self, slot: int) -> None:
        """Nothing to give back."""

    def step(self, pcm: Samples, active: Mask) -> StepOutput:
        """Say 0.1 in the loud frames; what is heard adds nothing."""
        spec = self._spec
        said = np.zeros((self.slots, SAID * spec.frames_per_step), np.float32)
        pieces = []
        for slot in np.flatnonzero(active).tolist():
            for part in range(spec.frames_per_step):
                frame = int(self._frame[slot]) + part
                if spec.loud[0] <= frame < spec.loud[1]:
                    said[slot, part * SAID : (part + 1) * SAID] = 0.1
                own = self._prompts[slot] if frame == 1 else ""
                for stream, text in (("said", own or spec.says.get(frame, "")), ("heard", spec.hears.get(frame, ""))):
                    token = 100 + frame if text else 0
                    pieces.append(Piece(slot, stream, frame, token, text))  # type: ignore[arg-type]  # both are streams
            self._frame[slot] += spec.frames_per_step
        return StepOutput(said, pieces)
