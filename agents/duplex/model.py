"""The interface of a duplex model: rows of a batch that hear and speak at once, step by step.

A model plays up to `slots` sessions at once. A session opens a slot, is stepped with everybody else, and
closes it; what a slot says depends on its prompt, its seed and what it heard, never on its number, on its
neighbours or on when the others start and end. Adding a model is one file: a ModelSpec, registered under
`simulator.models`, and a class with the three calls of DuplexModel, and that of BeginsTurns where it is served turn by
turn. All calls come from one thread, the
host's, inside `ModelSpec.scope`.
"""

from contextlib import AbstractContextManager
from pathlib import Path
from re import fullmatch
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

import msgspec
import numpy as np
from numpy.typing import NDArray

from simulator.errors import ScenarioError
from simulator.frame import Samples
from simulator.plugins import Kind
from simulator.spec import Convert, Spec
from simulator.texts import quoted

Stream = Literal["said", "heard"]
Mask = NDArray[np.bool_]


class Piece(msgspec.Struct, frozen=True, gc=False):
    """A token the model said or heard.

    frame: which of the slot's own frames of that stream it belongs to, counted from 0 after the lead-in; it
    may lie in the past. token: its id. text: what it adds to the text so far, with its leading space; empty
    for padding. pad: whether it is padding; None: where its text is empty (a letter's first byte has no text either).
    """

    slot: int
    stream: Stream
    frame: int
    token: int
    text: str = ""
    pad: bool | None = None


class StepOutput(msgspec.Struct, frozen=True, gc=False):
    """What a step gave: pcm float32 (slots, output_samples), full scale 1.0, the caller's own; the pieces;
    the slots whose reply ended in it, where a model knows. A row that is not a number fails its session.
    """

    pcm: Samples
    pieces: list[Piece] = []
    ended: list[int] = []


class StepAudio(msgspec.Struct, frozen=True, kw_only=True):
    """What a step hears and says: rates in Hz, samples per step; both last exactly the same time.

    frames: how many of the model's frames, as its pieces count them, a step holds.
    """

    input_rate: int
    input_samples: int
    output_rate: int
    output_samples: int
    frames: int = 1

    def __post_init__(self) -> None:
        if self.input_samples * self.output_rate != self.output_samples * self.input_rate:
            raise ValueError(
                f"{self.input_samples} samples at {self.input_rate} Hz and {self.output_samples} at "
                f"{self.output_rate} Hz do not last the same time"
            )

    @property
    def step_ms(self) -> float:
        """How long a step lasts, in milliseconds."""
        return self.input_samples * 1000 / self.input_rate

    @property
    def step_s(self) -> float:
        """How long a step lasts, in seconds."""
        return self.input_samples / self.input_rate


class DuplexModel(Protocol):
    """A loaded model. Every call may take as long as it takes; none is ever made while another runs."""

    slots: int

    def open(self, slot: int, prompt: Any, seed: int) -> int:
        """Prepare a free slot and give its lead-in: the steps, on silence, that it needs before it hears."""
        ...

    def step(self, pcm: Samples, active: Mask) -> StepOutput:
        """Advance the active slots by one step; the others stay as they are, their rows of the output are
        void.

        pcm: float32 (slots, input_samples), full scale 1.0. active: bool (slots,).
        """
        ...

    def close(self, slot: int) -> None:
        """Give the slot back; safe in any state, in the lead-in too."""
        ...


@runtime_checkable
class BeginsTurns(Protocol):
    """A model that can begin its voice anew while it goes on knowing what was said."""

    def begin_turn(self, slot: int) -> None:
        """Begin an open slot's voice anew, as `open` does; between two steps."""
        ...


class Weights(str):
    """Where weights are: a path relative to the scenario, a hub id `owner/name`, or `random`."""

    @classmethod
    def __decode__(cls, value: object, convert: Convert) -> "Weights":
        if not isinstance(value, str) or not value:
            raise ValueError(f"expected a path, a hub id or random, found {quoted(value)}")
        path: Path = convert(value, Path)
        if value == "random" or path.exists():
            return cls(value if value == "random" else str(path))
        if fullmatch(r"[\w-][\w.-]*/[\w.-]+", value) is None:
            raise ValueError(f"{path} does not exist, and {quoted(value)} is no hub id (owner/name)")
        return cls(value)

    def __encode__(self) -> str:
        return str(self)

    @property
    def is_random(self) -> bool:
        """Whether the weights are made up on the spot, for tests and measurements."""
        return self == "random"

    @property
    def folder(self) -> Path | None:
        """The local path; None for a hub id and for random weights."""
        return Path(self) if Path(self).is_absolute() else None


class Placement(msgspec.Struct, frozen=True, kw_only=True):
    """Where and how large a model is loaded. weights: None takes the model's own default."""

    weights: Weights | None = None
    device: str = "cpu"
    slots: int = 1
    threads: int = 1


class ModelSpec(Spec, frozen=True, kw_only=True):
    """What every duplex model's spec has; a model adds settings, and a `prompt` struct if it takes one.

    Sessions whose specs differ in nothing but the prompt share one loaded model.
    """

    @property
    def name(self) -> str:
        """The kind, as written in scenarios."""
        return str(self.__struct_config__.tag)

    def audio(self) -> StepAudio:
        """What a step hears and says, known before anything is loaded."""
        raise NotImplementedError

    def opening_prompt(self) -> Any:
        """What `open` gets as the prompt of a session."""
        return getattr(self, "prompt", None)

    def shared(self) -> "ModelSpec":
        """The spec without the prompt: what a loaded model depends on."""
        fields = {field.name: field for field in msgspec.structs.fields(self)}
        if "prompt" not in fields:
            return self
        return msgspec.structs.replace(self, prompt=fields["prompt"].type())

    def check(self) -> None:
        """Refuse settings that cannot work, before anything is loaded: ScenarioError."""

    def scope(self, placement: Placement) -> AbstractContextManager[None]:
        """What the host's thread lives in while it calls the model; a torch model needs no other."""
        from agents.duplex.device import torch_scope

        return torch_scope(placement.threads)

    def load(self, placement: Placement) -> DuplexModel:
        """Load the model on its device; ScenarioError names what is wrong with the weights or the device."""
        raise NotImplementedError


if TYPE_CHECKING:
    AnyModel = ModelSpec
else:

    class AnyModel(Kind):
        """The spec of any duplex model that is installed."""

        group = "models"
        spec = ModelSpec


def allowed_frames(step_ms: float, sample_rate: int) -> list[float]:
    """Give the session frames (ms), longest first, that divide a step, in whole samples and 2 decimals."""
    parts = (step_ms / count for count in range(1, int(step_ms) + 1))
    whole = (part for part in parts if (part * sample_rate / 1000).is_integer())
    return [part for part in whole if part == round(part, 2)]


def need_whole_steps(audio: StepAudio, frame_ms: float, sample_rate: int) -> None:
    """Refuse a session frame that does not divide the step: ScenarioError names those that do."""
    if (audio.step_ms / frame_ms).is_integer():
        return
    allowed = ", ".join(f"{part:g}" for part in allowed_frames(audio.step_ms, sample_rate)[:8])
    raise ScenarioError(
        f"a step lasts {audio.step_ms:g} ms, no whole number of session frames of {frame_ms:g} ms; "
        f"allowed frame_ms: {allowed}"
    )
