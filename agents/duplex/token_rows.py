"""Moshi's language model over the rows of a batch, each with a start, a seed and a prompt of its own.

A row's prompt is a list of forced steps: text, the agent's codes, the user's codes and the summed embedding
may each be given instead of sampled, heard or looked up. Forcing and sampling read buffers that are rewritten
before each step, so that a captured CUDA graph stays valid.
"""

from collections import deque
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from agents.duplex.model import Mask
from agents.duplex.sampling import SlotUniforms, pick
from simulator.errors import ScenarioError
from simulator.frame import Samples

FREE = -1
"""Not forced: the model samples it, or hears it."""
NONE = -2
"""Kyutai's mark for a row that has no output in this step."""
CODEBOOKS = 8
ALL_FREE = (FREE,) * CODEBOOKS
WARM_UP = 4
"""Steps before a CUDA graph is used: eager, capture, replay, and one to be sure."""


class Sampling(msgspec.Struct, frozen=True, kw_only=True):
    """How tokens are drawn; temperature 0 takes the best. The defaults are Kyutai's."""

    temperature: float = 0.8
    text_temperature: float = 0.7
    top_k: int = 250
    text_top_k: int = 25


class Forced(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a prompt: what is given, FREE where nothing is; embedding: (dim,) for all inputs at
    once.
    """

    text: int = FREE
    agent: tuple[int, ...] = ALL_FREE
    user: tuple[int, ...] = ALL_FREE
    embedding: Any = None


class TokenRows:
    """The language model, streaming, with one row per slot."""

    def __init__(self, lm: Any, slots: int, sampling: Sampling, device: Any) -> None:
        import torch
        from moshi.models.lm import LMGen

        self.slots = slots
        self._lm = lm
        self._sampling = sampling
        self.device = device
        self._uniforms = SlotUniforms(slots, 1 + lm.dep_q, device)
        self._prompts: list[deque[Forced]] = [deque() for _ in range(slots)]
        self._text = torch.zeros(slots, dtype=torch.long, device=device)
        self._lost = torch.zeros(slots, dtype=torch.bool, device=device)
        self._forced_text = torch.full((slots,), FREE, device=device)
        self._forced_agent = torch.full((slots, CODEBOOKS), FREE, device=device)
        self._forced_user = torch.full((slots, CODEBOOKS), FREE, device=device)
        self._embedding = torch.zeros(slots, lm.dim, dtype=lm.dtype, device=device)
        self._embedded = torch.zeros(slots, dtype=torch.bool, device=device)
        self._anything_forced = False
        # Both are looked up when streaming starts, so they take the places of the model's own.
        lm.forward_text = self._forward_text
        self._gen = LMGen(
            lm,
            use_sampling=False,
            support_out_of_sync=True,
            on_text_logits_hook=self._on_text_logits,
            on_text_hook=self._on_text,
            on_audio_hook=self._on_audio,
        )
        self._gen.depformer_step = self._depformer_step
        self._gen.streaming_forever(slots)
        if device.type == "cuda":
            self._warm_up()

    def open(self, slot: int, seed: int, prompt: Sequence[Forced]) -> None:
        """Begin a row anew, with a prompt."""
        self._uniforms.open(slot, seed)
        self._prompts[slot] = deque(prompt)
        self._gen.reset_streaming(self._only(slot))

    def close(self, slot: int) -> None:
        """Forget a row's generator and the rest of its prompt."""
        self._uniforms.close(slot)
        self._prompts[slot].clear()

    @property
    def lost(self) -> Any:
        """The rows whose text logits were not numbers in the last step: bool (slots,), on the device."""
        return self._lost

    def need_fitting(self, voice: str, dim: int, cache: Sequence[Sequence[int]]) -> None:
        """Refuse a voice of another model: ScenarioError names the size that does not fit."""
        if dim != self._lm.dim:
            raise ScenarioError(f"voice {voice} has embeddings of {dim} numbers, the model needs {self._lm.dim}")
        for card, rows in ((self._lm.text_card, cache[:1]), (self._lm.card, cache[1:])):
            if not 0 <= min(map(min, rows)) <= max(map(max, rows)) <= card:
                raise ScenarioError(f"voice {voice} holds tokens that the model does not have (0 to {card} are)")

    def step(self, codes: Any, active: Mask) -> NDArray[np.int64]:
        """Advance the active rows: user codes (slots, 8) in, tokens (slots, 9) out, text first; NONE where
        none.

        A row's step k after its prompt gives the text and codes beside user frame k.
        """
        import torch

        numbers = torch.from_numpy(self.numbers(active)).to(self.device)
        tokens = self.advance(codes, torch.from_numpy(active).to(self.device), numbers, active)
        return tokens.cpu().numpy()  # type: ignore[no-any-return]

    def numbers(self, active: Mask) -> Samples:
        """Take the random numbers of the next step: float32 (slots, 1 + codebooks), valid until the next call."""
        return self._uniforms.numbers(active)

    def advance(self, codes: Any, live: Any, numbers: Any, active: Mask) -> Any:
        """As `step`, without leaving the device: `live` is `active` there, `numbers` what `numbers` gave.

        Outside prompts nothing is copied to the device or back.
        """
        import torch

        self._uniforms.values.copy_(numbers)
        self._force(active)
        self._gen.set_exec_mask(live)
        codes = torch.where(self._forced_user == FREE, codes, self._forced_user)
        return self._gen.step(codes[:, :, None])[:, : 1 + CODEBOOKS, 0]

    def _only(self, slot: int) -> Any:
        import torch

        mask = torch.zeros(self.slots, dtype=torch.bool, device=self.device)
        mask[slot] = True
        return mask

    def _warm_up(self) -> None:
        import torch

        everyone = np.ones(self.slots, bool)
        for _ in range(WARM_UP):
            self.step(torch.zeros(self.slots, CODEBOOKS, dtype=torch.long, device=self.device), everyone)
        self._gen.reset_streaming()

    def _force(self, active: Mask) -> None:
        """Write the prompt steps of the active rows into the buffers."""
        import torch

        going = [slot for slot in np.flatnonzero(active).tolist() if self._prompts[slot]]
        forced = {slot: self._prompts[slot].popleft() for slot in going}
        if not forced and not self._anything_forced:
            return
        self._anything_forced = bool(forced)
        free = Forced()
        rows = [forced.get(slot, free) for slot in range(self.slots)]
        self._forced_text.copy_(torch.tensor([row.text for row in rows]))
        self._forced_agent.copy_(torch.tensor([row.agent for row in rows]))
        self._forced_user.copy_(torch.tensor([row.user for row in rows]))
        self._embedded.copy_(torch.tensor([row.embedding is not None for row in rows]))
        for slot, row in enumerate(rows):
            if row.embedding is not None:
                self._embedding[slot] = row.embedding

    def _on_text_logits(self, logits: Any) -> None:
        import torch

        self._lost.copy_(~torch.isfinite(logits[:, 0, 0]).all(dim=-1))
        sampling, uniform = self._sampling, self._uniforms.values[:, 0]
        self._text = pick(logits[:, 0, 0], uniform, sampling.text_temperature, sampling.text_top_k)

    def _on_text(self, token: Any) -> None:
        import torch

        token.copy_(torch.where(self._forced_text == FREE, self._text, self._forced_text))

    def _on_audio(self, tokens: Any) -> None:
        import torch

        tokens.copy_(torch.where(self._forced_agent == FREE, tokens, self._forced_agent))

    def _depformer_step(self, text: Any, transformer_out: Any) -> Any:
        """Sample the agent's codes one codebook after another: (slots,) in, (slots, 8) out."""
        import torch

        tokens, previous = [], text
        with self._lm.depformer.streaming(len(text)):
            for index in range(self._lm.dep_q):
                logits = self._lm.forward_depformer(index, previous[:, None, None], transformer_out)
                uniform = self._uniforms.values[:, 1 + index]
                previous = pick(logits[:, 0, 0], uniform, self._sampling.temperature, self._sampling.top_k)
                tokens.append(previous)
        return torch.stack(tokens, dim=1)

    def _forward_text(self, sequence: Any, _conditions: Any = None, cross_attention_src: Any = None) -> Any:
        """The model's own forward, but for rows whose summed embedding is given; it has no conditions."""
        import torch

        lm = self._lm
        summed = lm.text_emb(sequence[:, 0])
        for index in range(lm.num_audio_codebooks):
            summed = summed + lm.emb[index](sequence[:, index + lm.audio_offset])
        summed = torch.where(self._embedded[:, None, None], self._embedding[:, None], summed)
        out = lm.transformer(summed, cross_attention_src=cross_attention_src)
        if lm.out_norm:
            out = lm.out_norm(out)
        return out, lm.text_linear(out)[:, None]
