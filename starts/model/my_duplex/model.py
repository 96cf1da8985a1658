"""A duplex model that hears and speaks in steps of 80 ms, many sessions in one batch: it says back what it heard.

Put your own network into `step`. Weights, prompts and more settings: agents/duplex/model.py tells what else there is.
"""

import torch

from agents.duplex.device import torch_device
from agents.duplex.model import ModelSpec, StepAudio, StepOutput

AUDIO = StepAudio(input_rate=24_000, input_samples=1920, output_rate=24_000, output_samples=1920)
LONGEST, QUIET, LOUD = 50, 6, 0.01  # steps that it remembers, steps of silence that end a turn, root mean square


class MyDuplexSpec(ModelSpec, frozen=True, kw_only=True, tag="my_duplex"):
    """Say back what was heard: `model: {kind: my_duplex}`."""

    def audio(self):
        return AUDIO

    def load(self, placement):
        return MyDuplex(placement.slots, torch_device(placement.device))


class MyDuplex:
    def __init__(self, slots, device):
        self.slots, self.device = slots, device
        self.memory = torch.zeros(slots, LONGEST, AUDIO.input_samples, device=device)
        self.heard, self.silent, self.said, self.talks = torch.zeros(4, slots, dtype=torch.long, device=device)

    def open(self, slot, prompt, seed):
        for state in (self.heard, self.silent, self.said, self.talks):
            state[slot] = 0
        return 0  # steps on silence that it needs before it hears

    def close(self, slot):
        pass

    def step(self, pcm, active):
        rows = torch.arange(self.slots, device=self.device)
        pcm, live = torch.from_numpy(pcm).to(self.device), torch.from_numpy(active).to(self.device)
        loud = live & (pcm.square().mean(dim=1).sqrt() > LOUD)
        keep = live & (self.talks == 0) & (loud | (self.heard > 0)) & (self.heard < LONGEST)
        self.memory[rows[keep], self.heard[keep]] = pcm[keep]
        self.heard += keep
        self.silent = torch.where(loud, 0, self.silent + live)
        self.talks |= live & (self.heard > 0) & (self.silent >= QUIET)  # the other's turn is over
        place = self.said.clamp(max=LONGEST - 1)
        out = self.memory[rows, place] * (live & (self.talks > 0))[:, None]
        self.said += live & (self.talks > 0)
        over = live & (self.said >= self.heard) & (self.talks > 0)
        for state in (self.heard, self.said, self.talks):
            state[over] = 0
        return StepOutput(out.cpu().numpy())
