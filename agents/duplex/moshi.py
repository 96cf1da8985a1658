"""`moshi`: Kyutai's Moshi in this process, many sessions in one batch.

Mimi turns 80 ms of sound into 8 codes, the language model answers with a text token and 8 codes of its own,
Mimi turns those into 80 ms of sound. Codebooks 1 to 7 run one frame behind codebook 0, so a row's first step
has no output: it is the lead-in. Mimi hears a row from the step after it, and decodes only steps that have
tokens: decoding the first one would spoil the state of its convolutions.
"""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta

from agents.duplex.device import fitting, need_torch, torch_device
from agents.duplex.ferry import Ferry
from agents.duplex.model import Mask, ModelSpec, Piece, Placement, StepAudio, StepOutput, Weights
from agents.duplex.moshi_parts import (
    Checkpoint,
    Dtype,
    RunningText,
    Vocabulary,
    find_checkpoint,
    lm_memory,
    lm_sizes,
    load_lm,
    load_mimi,
    load_vocabulary,
    moshi_scope,
    need_moshi,
)
from agents.duplex.token_rows import NONE, Forced, Sampling, TokenRows
from simulator.frame import Samples

AUDIO = StepAudio(input_rate=24_000, input_samples=1920, output_rate=24_000, output_samples=1920)
PADDING = (0, 1, 2, 3)
"""Text tokens without text: end of padding, the two sentence marks, padding."""


class MoshiPrompt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Moshi takes no prompt."""


class MoshiSettings(ModelSpec, frozen=True, kw_only=True):
    """What Moshi and the models built on it share.

    config: a config.json with the model's sizes, in place of the weights' own. context: frames the model remembers
    (default: its own, 3000 for Moshi 7B); shorter takes less memory per slot and changes long sessions. graphs: CUDA
    graphs. Temperature 0 takes the most likely token. dtype: the numbers' type. temperature: of the sound's tokens.
    text_temperature: of the text's. top_k: so many of the likeliest sound tokens are drawn from. text_top_k: so many of
    the text's.
    """

    config: Path | None = None
    context: Annotated[int, Meta(ge=16)] | None = None
    dtype: Dtype = "bf16"
    graphs: bool = True
    temperature: Annotated[float, Meta(ge=0)] = 0.8
    text_temperature: Annotated[float, Meta(ge=0)] = 0.7
    top_k: Annotated[int, Meta(ge=1)] = 250
    text_top_k: Annotated[int, Meta(ge=1)] = 25

    def audio(self) -> StepAudio:
        """24 kHz both ways, 80 ms."""
        return AUDIO

    def check(self) -> None:
        """Refuse when torch or Kyutai's package is missing."""
        need_torch(self.name)
        need_moshi(self.name)

    def scope(self, placement: Placement) -> AbstractContextManager[None]:
        """Torch without gradients, Kyutai's code without torch.compile."""
        need_moshi(self.name)
        return moshi_scope(placement.threads, graphs=self.graphs)

    def sampling(self) -> Sampling:
        """How tokens are drawn."""
        return Sampling(
            temperature=self.temperature,
            text_temperature=self.text_temperature,
            top_k=self.top_k,
            text_top_k=self.text_top_k,
        )

    def load_parts(self, checkpoint: Checkpoint, placement: Placement) -> "Parts":
        """Load the language model, the codec and the vocabulary."""
        device = torch_device(placement.device)
        sizes = lm_sizes(checkpoint.config, self.context)
        vocabulary = load_vocabulary(checkpoint.vocabulary, sizes["text_card"])
        with fitting(lm_memory(sizes, self.dtype), placement.slots, device):
            lm = load_lm(checkpoint.lm, sizes, self.dtype, device)
            rows = TokenRows(lm, placement.slots, self.sampling(), device)
            codec = CodecStates(load_mimi(checkpoint, device), placement.slots)
        return Parts(rows=rows, codec=codec, vocabulary=vocabulary, context=sizes["context"])


class MoshiModelSpec(MoshiSettings, frozen=True, kw_only=True, tag="moshi"):
    """Kyutai's Moshi; weights: a folder or a hub id (default kyutai/moshiko-pytorch-bf16).

    prompt: none is taken.
    """

    prompt: MoshiPrompt = MoshiPrompt()

    def load(self, placement: Placement) -> "MoshiModel":
        """Load the language model, the codec and the vocabulary."""
        weights = placement.weights or Weights("kyutai/moshiko-pytorch-bf16")
        return MoshiModel(self.load_parts(find_checkpoint(weights, self.config), placement))


class CodecStates:
    """Mimi over the rows of a batch: sound to codes and codes to sound, one state for both."""

    def __init__(self, mimi: Any, slots: int) -> None:
        self.device = next(mimi.parameters()).device
        self._mimi = mimi
        self._slots = slots
        mimi.streaming_forever(slots)
        if self.device.type == "cuda":
            self._warm_up()

    def reset(self, slot: int) -> None:
        """Begin a row anew, both ways."""
        self._mimi.reset_streaming(self._mask(np.arange(self._slots) == slot))

    def encode(self, pcm: Any, active: Any) -> Any:
        """float32 (slots, 1920) -> int64 (slots, 8), all on the device; rows not active keep their state."""
        self._mimi.set_exec_mask(active)
        return self._mimi.encode(pcm[:, None])[:, :, 0]

    def decode(self, codes: Any, active: Any) -> Any:
        """int64 (slots, 8) -> float32 (slots, 1920), all on the device; rows that are not active are void."""
        self._mimi.set_exec_mask(active)
        return self._mimi.decode(codes.clamp(min=0)[:, :, None])[:, 0].float()

    def _mask(self, active: Mask) -> Any:
        import torch

        return torch.from_numpy(active).to(self.device)

    def _warm_up(self) -> None:
        import torch

        everyone = self._mask(np.ones(self._slots, bool))
        for _ in range(4):
            pcm = torch.zeros(self._slots, AUDIO.input_samples, device=self.device)
            self.decode(self.encode(pcm, everyone), everyone)
        self._mimi.reset_streaming()


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """What a loaded model consists of; context: the frames it remembers."""

    rows: TokenRows
    codec: CodecStates
    vocabulary: Vocabulary | None
    context: int


class MoshiModel:
    """The loaded model."""

    def __init__(self, parts: Parts) -> None:
        self.slots = parts.rows.slots
        self.vocabulary = parts.vocabulary
        self._rows = parts.rows
        self._codec = parts.codec
        self._ferry = Ferry(parts.rows.device)
        self._texts = [RunningText(None) for _ in range(self.slots)]
        self._frame = np.zeros(self.slots, int)
        self._lead_in = np.zeros(self.slots, int)

    def open(self, slot: int, prompt: MoshiPrompt, seed: int) -> int:
        """Begin a row; its one lead-in step fills the delay between the codebooks."""
        self.begin(slot, seed, [Forced()], lead_in=1)
        return 1

    def begin(self, slot: int, seed: int, prompt: list[Forced], *, lead_in: int, first_frame: int = 0) -> None:
        """Begin a row with forced steps; first_frame: the own frame that its first answer belongs to."""
        self._codec.reset(slot)
        self._rows.open(slot, seed, prompt)
        self._texts[slot] = RunningText(self.vocabulary)
        self._frame[slot] = first_frame
        self._lead_in[slot] = lead_in

    def close(self, slot: int) -> None:
        """Give a row back."""
        self._rows.close(slot)

    def step(self, pcm: Samples, active: Mask) -> StepOutput:
        """Hear 80 ms, think, say 80 ms."""
        talking = active & (self._lead_in == 0)
        # The decoder begins with the last step of the lead-in, which the first answer follows on.
        masks = np.stack([active, talking, active & (self._lead_in <= 1)], axis=1)
        heard, numbers, on = self._ferry.over(pcm, self._rows.numbers(active), masks)
        live, hearing, speaking = (on > 0).unbind(dim=1)
        codes = self.heard(self._codec.encode(heard, hearing), hearing)
        tokens = self._rows.advance(codes, live, numbers, active)
        sound = self._codec.decode(tokens[:, 1:], speaking & (tokens != NONE).all(dim=1))
        said, tokens, lost = self._ferry.back(sound, tokens, self._rows.lost[:, None])
        said[~talking] = 0
        said[talking & (lost[:, 0] > 0)] = np.nan  # sound comes out of any tokens: the batch must be told
        pieces = [self._piece(slot, int(tokens[slot, 0])) for slot in np.flatnonzero(talking).tolist()]
        self._frame += talking
        self._lead_in -= active & ~talking
        return StepOutput(said, [piece for piece in pieces if piece.frame >= 0])

    def heard(self, codes: Any, talking: Any) -> Any:
        """The codes the rows get for what was just heard, on the device; a model may give them later."""
        return codes

    def _piece(self, slot: int, token: int) -> Piece:
        text = "" if token in PADDING else self._texts[slot].add(token)
        return Piece(slot, "said", int(self._frame[slot]), token, text)
