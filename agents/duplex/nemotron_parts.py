"""The four parts of a Nemotron pipeline, and how a part that knows only one session serves a batch.

    sound, 5.6 s --perceive--> embeddings --think--> tokens --speak--> codes, 4.8 s --decode--> sound

Each part says whether it is `batched`. One that is gets all rows at once, with a mask of who is active, and
keeps the state of the others as it is. One that is not is called for each active row by itself, with that
row's slot.
"""

from collections.abc import Callable
from typing import Any, Protocol

import msgspec
import numpy as np

from agents.duplex.model import Mask
from agents.duplex.moshi_parts import Vocabulary
from agents.duplex.nemotron_rules import TokenMarks


class Rows(msgspec.Struct, frozen=True):
    """The rows of a call: their slots, and which of them advance, bool tensor (rows,)."""

    slots: list[int]
    active: Any


class Perceive(Protocol):
    """Hears: sound to embeddings."""

    batched: bool

    def embed(self, rows: Rows, audio: Any, lengths: Any, frames: int) -> Any:
        """Give the embeddings of the last frames of each window.

        audio: float32 (rows, window) at 16 kHz, from the left, zeros behind. lengths: int64 (rows,), samples
        that count. Gives float (rows, frames, dim).
        """
        ...


class Think(Protocol):
    """Thinks: a step of the language model, which remembers by a cache or by all its embeddings so far."""

    batched: bool

    def begin(self, slot: int) -> None:
        """Forget a slot's history."""
        ...

    def prompt(self, tokens: Any) -> Any:
        """Give the embeddings of prompt tokens, int64 (rows,) -> (rows, dim), to take the sound's place."""
        ...

    def step(self, rows: Rows, inputs: Any, agent: Any, heard: Any) -> tuple[Any, Any]:
        """Give the next tokens, the agent's and the heard ones: int64 (rows,) each.

        inputs: (rows, dim). agent, heard: int64 (rows,), the tokens of the frame before (padding at the
        first).
        """
        ...


class Speak(Protocol):
    """Speaks: tokens to the codes of a codec."""

    batched: bool
    codebooks: int

    def begin(self, slot: int, speaker: Any, seed: int) -> int:
        """Begin a slot with a speaker; the frames of lead-in it needs at least (`step` is called in them)."""
        ...

    def step(self, rows: Rows, agent: Any, previous: Any) -> Any:
        """Give the codes of a frame: int64 (rows, codebooks); -1 says nothing, which sounds as silence.

        agent, previous: int64 (rows,), the agent's token of this frame and of the one before.
        """
        ...


class Decode(Protocol):
    """Decodes: codes to sound."""

    batched: bool

    def sound(self, rows: Rows, codes: Any, lengths: Any, frames: int) -> Any:
        """Give the sound of the last frames of each window.

        codes: int64 (rows, window, codebooks), from the left. lengths: int64 (rows,), frames that count.
        Gives float (rows, frames * 1764) at 22.05 kHz.
        """
        ...


class NemotronParts(msgspec.Struct, frozen=True, kw_only=True):
    """A whole pipeline; device: where its tensors live."""

    perceive: Perceive
    think: Think
    speak: Speak
    decode: Decode
    marks: TokenMarks
    vocabulary: Vocabulary
    device: Any


def over_rows(batched: bool, active: Mask, device: Any, call: Callable[[Rows], Any]) -> Any:
    """Call a part for the active rows: once for all of them, or one after the other.

    call(rows) gives a tensor, or several, whose first dimension are the rows asked for; the answer has all
    rows, zeros where a part that is not batched was not asked.
    """
    import torch

    if batched:
        return call(Rows(list(range(len(active))), torch.from_numpy(active).to(device)))
    one = torch.ones(1, dtype=torch.bool, device=device)
    answers = {slot: call(Rows([slot], one)) for slot in np.flatnonzero(active).tolist()}
    first = next(iter(answers.values()))
    if not isinstance(first, tuple):
        return _scattered(answers, len(active))
    columns = range(len(first))
    return tuple(_scattered({slot: answer[i] for slot, answer in answers.items()}, len(active)) for i in columns)


def _scattered(answers: dict[int, Any], slots: int) -> Any:
    first = next(iter(answers.values()))
    out = first.new_zeros((slots, *first.shape[1:]))
    for slot, answer in answers.items():
        out[slot] = answer[0]
    return out
