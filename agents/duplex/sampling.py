"""Sampling with one uniform number per token: the same seed gives the same tokens in any row of any batch.

A slot has a numpy generator of its own, which draws for many steps ahead; a step takes the next numbers of all
slots at once, by a counter per slot. They are written into one buffer on the device before the forward, so that
captured CUDA graphs hold and no row can use up another's randomness.
"""

from typing import Any

import numpy as np

from agents.duplex.model import Mask
from simulator.frame import Samples

AHEAD = 64
"""Steps whose numbers are drawn at once; a generator gives the same ones as if it were asked step by step."""


class SlotUniforms:
    """Uniform numbers in [0, 1) for every slot: `count` per step, from a generator per slot.

    values: float32 (slots, count) on the device, rewritten in place by `draw`.
    """

    def __init__(self, slots: int, count: int, device: Any) -> None:
        import torch

        self.values = torch.zeros(slots, count, device=device)
        self._host = np.zeros((slots, count), np.float32)
        self._ahead = np.zeros((slots, AHEAD, count), np.float32)
        self._place = np.zeros(slots, int)
        self._opened = np.zeros(slots, bool)
        self._generators: dict[int, np.random.Generator] = {}

    def open(self, slot: int, seed: int) -> None:
        """Give the slot a fresh generator."""
        self._generators[slot] = np.random.default_rng(seed)
        self._place[slot] = AHEAD
        self._opened[slot] = True

    def close(self, slot: int) -> None:
        """Forget the slot's generator."""
        self._generators.pop(slot, None)
        self._opened[slot] = False

    def numbers(self, active: Mask) -> Samples:
        """Take the numbers of the next step for the active slots, the others' stay: float32 (slots, count)."""
        drawing = active & self._opened
        for slot in np.flatnonzero(drawing & (self._place == AHEAD)).tolist():
            self._generators[slot].random(out=self._ahead[slot], dtype=np.float32)
            self._place[slot] = 0
        rows = np.flatnonzero(drawing)
        self._host[rows] = self._ahead[rows, self._place[rows]]
        self._place += drawing
        return self._host

    def draw(self, active: Mask) -> None:
        """Write the numbers of the next step into `values`, in a copy of their own."""
        import torch

        self.values.copy_(torch.from_numpy(self.numbers(active)))


def pick(logits: Any, uniform: Any, temperature: float, top_k: int) -> Any:
    """Sample by inverse CDF over the `top_k` best tokens; temperature 0 takes the best.

    logits: float (..., card). uniform: float32, one number in [0, 1) per leading position. Gives int64 (...).
    Tokens are ranked by probability, so a number near 0 is the most likely token. No random numbers are drawn
    here, and nothing depends on the batch: torch.multinomial would consume one shared generator for all rows.
    """
    import torch

    if temperature <= 0:
        return logits.argmax(dim=-1)
    best, tokens = logits.float().topk(min(top_k, logits.shape[-1]), dim=-1)
    ladder = torch.softmax(best / temperature, dim=-1).cumsum(dim=-1)
    rank = (ladder <= (uniform * ladder[..., -1])[..., None]).sum(dim=-1, keepdim=True)
    return tokens.gather(-1, rank.clamp_(max=tokens.shape[-1] - 1)).squeeze(-1)
