"""`tiny_duplex`: a small full-duplex model for any CPU; the reference implementation of the interface.

It listens while it speaks, answers when a turn is over, yields when it is talked over, and says "mm-hm" in the
pauses of a long turn. It speaks from a bank of synthesised replies and hears with silero's network:

    24 kHz --decimation--> 16 kHz --chunks of 512, 2.5 per step--> speech probability --> voiced or silent
    voiced or silent, for how many steps --> begin a reply or a backchannel, yield, go on

The first line is torch over the full batch, where a row does not depend on the others; the second is numpy.
"""

import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from agents.duplex.device import Memory, fitting, need_torch, torch_device
from agents.duplex.model import Mask, ModelSpec, Piece, Placement, StepAudio, StepOutput
from simulator.errors import ScenarioError
from simulator.frame import Samples

AUDIO = StepAudio(input_rate=24_000, input_samples=1920, output_rate=24_000, output_samples=1920)
STEP = AUDIO.input_samples

HEARD, CHUNK, CONTEXT = 1280, 512, 64
"""Samples at 16 kHz: a step, Silero's chunk, and those before it that it wants to see again."""
TAPS = 33
"""Decimation filter: what folds back below 7.6 kHz stays under -40 dB."""

VOICED, STILL_VOICED = 0.5, 0.35
"""Speech begins above the first probability and goes on above the second."""

# Steps of 80 ms.
TURN, ENDPOINT = 3, 7
"""A turn has at least 240 ms of speech and is over after 560 ms of silence."""
YIELD = 4
"""Talked over for 320 ms, the model stops: what is shorter was a backchannel."""
LONG_TURN, BREATH, RARELY = 25, 2, 50
"""After 2 s of speech a pause of 160 ms may get a backchannel, at most one in 4 s."""
FADE = 480
"""A reply cut short fades over 20 ms: a hard cut clicks."""


class TinyPrompt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a session may ask of the model. opening: speak first, with the first reply of the bank."""

    opening: bool = False


class TinyDuplexSpec(ModelSpec, frozen=True, kw_only=True, tag="tiny_duplex"):
    """A small duplex model without weights of its own.

    voice: a voice of espeak, or `hum`: syllables of plain tones, for a machine without a synthesiser. replies: said in
    turn. backchannels: drawn from. prompt: what a session asks of it.
    """

    voice: str = "en-us+klatt2"
    replies: tuple[str, ...] = (
        "Good morning, how can I help you?",
        "Certainly. Let me check what we have this evening.",
        "Yes, that is possible. For how many people?",
        "I see. Could you tell me a little more about it?",
        "All right, I have noted that down for you.",
    )
    backchannels: tuple[str, ...] = ("mm-hm", "right", "I see")
    prompt: TinyPrompt = TinyPrompt()

    def audio(self) -> StepAudio:
        """24 kHz both ways, 80 ms."""
        return AUDIO

    def check(self) -> None:
        """Refuse an empty bank."""
        need_torch(self.name)
        if not self.replies or not self.backchannels:
            raise ScenarioError(f"{self.name} needs at least one reply and one backchannel")

    def load(self, placement: Placement) -> "TinyDuplex":
        """Read silero's network and synthesise the bank."""
        if placement.weights is not None:
            raise ScenarioError(f"{self.name} has no weights; leave `weights` out")
        device = torch_device(placement.device)
        with fitting(Memory(weights=40_000_000, per_slot_codec=40_000), placement.slots, device):
            return TinyDuplex(placement.slots, device, Bank(self))


class Bank:
    """Everything the model can say, in one array; clip i is samples[start[i] : start[i] + length[i]].

    A step of silence follows each clip, so that its last step is a plain slice.
    """

    def __init__(self, spec: TinyDuplexSpec) -> None:
        lines = [_say(text, spec.voice) for text in (*spec.replies, *spec.backchannels)]
        self.replies = len(lines) - len(spec.backchannels)
        self.length = np.array([len(samples) for samples, _ in lines])
        self.start = np.concatenate([[0], np.cumsum(self.length + STEP)[:-1]])
        gap = np.zeros(STEP, np.float32)
        self.samples = np.concatenate([part for samples, _ in lines for part in (samples, gap)])
        self._words: list[dict[int, list[tuple[int, str]]]] = [{} for _ in lines]
        token = 0
        for steps, (_, words) in zip(self._words, lines, strict=True):
            for word, onset in words:
                token += 1
                steps.setdefault(onset // STEP, []).append((token, " " + word))

    def words(self, clip: int, step: int) -> list[tuple[int, str]]:
        """The words (token, text) that begin in a step of a clip; a padding token where none does."""
        return self._words[clip].get(step, [(0, "")])


class TinyHearing:
    """Says how likely each row heard speech: the network of silero, batched, with a state per row."""

    def __init__(self, slots: int, device: Any) -> None:
        import torch

        self._network = _silero(device)
        self._filter = torch.from_numpy(_decimation()).to(device)
        self._past = torch.zeros(slots, TAPS - 1, device=device)
        self._waiting = torch.zeros(slots, CONTEXT + CHUNK // 2, device=device)
        self._state = torch.zeros(2, slots, 128, device=device)
        self._places = torch.arange(CONTEXT + CHUNK, device=device)
        self._device = device
        self._odd = np.zeros(slots, bool)  # half a chunk is left over from the step before

    def reset(self, slot: int) -> None:
        """Forget what the row has heard."""
        self._past[slot] = 0
        self._waiting[slot] = 0
        self._state[:, slot] = 0
        self._odd[slot] = False

    def hear(self, pcm: Samples, active: Mask) -> Samples:
        """Give each active row's highest speech probability in this step: float32 (slots,).

        A row has 1280 new samples and, every other step, 256 from before: two chunks or three. What waits
        is context and leftover, right-aligned: a row's first chunk begins at 256 or at 0.
        """
        import torch

        live = torch.from_numpy(active).to(self._device)
        heard = self._decimated(torch.from_numpy(pcm).to(self._device), live)
        line = torch.cat([self._waiting, heard], dim=1)
        begin = torch.from_numpy(np.where(self._odd, 0, CHUNK // 2)).to(self._device)
        best = torch.zeros(len(pcm), device=self._device)
        for chunk in range(3):
            wanted = live if chunk < 2 else live & torch.from_numpy(self._odd).to(self._device)
            if chunk == 2 and not (active & self._odd).any():
                break
            window = line.gather(1, (begin[:, None] + chunk * CHUNK + self._places).clamp(max=line.shape[1] - 1))
            probability, state = self._network(window, self._state)
            self._state = torch.where(wanted[:, None], state, self._state)
            best = torch.where(wanted, torch.maximum(best, probability[:, 0]), best)
        self._waiting = torch.where(live[:, None], line[:, -self._waiting.shape[1] :], self._waiting)
        self._odd ^= active
        return best.cpu().numpy()  # type: ignore[no-any-return]

    def _decimated(self, pcm: Any, live: Any) -> Any:
        """float32 (slots, 1920) at 24 kHz -> (slots, 1280) at 16 kHz: one strided convolution, two phases."""
        import torch

        line = torch.cat([self._past, pcm], dim=1)
        self._past = torch.where(live[:, None], line[:, -self._past.shape[1] :], self._past)
        phases = torch.nn.functional.conv1d(line[:, None], self._filter, stride=3)
        return phases.transpose(1, 2).reshape(len(pcm), HEARD)


class TinyDuplex:
    """The loaded model: rows that hear, decide and speak."""

    def __init__(self, slots: int, device: Any, bank: Bank) -> None:
        self.slots = slots
        self._bank = bank
        self._hearing = TinyHearing(slots, device)
        self._chance: list[np.random.Generator | None] = [None] * slots
        self._voiced = np.zeros(slots, bool)
        self._run = np.zeros(slots, int)  # steps since the voice last began or ended
        self._turn = np.zeros(slots, int)  # voiced steps of the other's turn so far
        self._since = np.zeros(slots, int)  # steps since the last backchannel
        self._clip = np.full(slots, -1)  # what is being said; -1: nothing
        self._place = np.zeros(slots, int)  # the next step of it
        self._frame = np.zeros(slots, int)

    def open(self, slot: int, prompt: TinyPrompt, seed: int) -> int:
        """Prepare a row; it needs no lead-in."""
        self._hearing.reset(slot)
        self._chance[slot] = np.random.default_rng(seed)
        self._voiced[slot] = False
        for counter in (self._run, self._turn, self._place, self._frame):
            counter[slot] = 0
        self._since[slot] = RARELY
        self._clip[slot] = 0 if prompt.opening else -1
        return 0

    def close(self, slot: int) -> None:
        """Give a row back."""
        self._chance[slot] = None

    def step(self, pcm: Samples, active: Mask) -> StepOutput:
        """Hear 80 ms, decide, and say the next 80 ms."""
        self._notice(self._hearing.hear(pcm, active), active)
        yields = self._decide(active)
        said = np.zeros((self.slots, STEP), np.float32)
        pieces: list[Piece] = []
        for slot in np.flatnonzero(active).tolist():
            self._speak(slot, said[slot], pieces, cut=bool(yields[slot]))
        self._frame += active
        return StepOutput(said, pieces)

    def _notice(self, probability: Samples, active: Mask) -> None:
        """Update who is voiced since when, and how long the other's turn is."""
        voiced = probability >= np.where(self._voiced, STILL_VOICED, VOICED)
        changed = active & (voiced != self._voiced)
        self._run = np.where(changed, 1, self._run + active)
        self._voiced = np.where(active, voiced, self._voiced)
        self._turn += active & voiced
        self._since += active

    def _decide(self, active: Mask) -> Mask:
        """Begin replies and backchannels; give the rows that yield the floor in this step."""
        silent = ~self._voiced
        replying = (self._clip >= 0) & (self._clip < self._bank.replies)
        quiet = active & (self._clip < 0)
        over = quiet & silent & (self._turn >= TURN) & (self._run >= ENDPOINT)
        breath = quiet & silent & (self._turn >= LONG_TURN) & (self._run == BREATH) & (self._since >= RARELY)
        for slot in np.flatnonzero(over).tolist():
            self._say(slot, 0, self._bank.replies)
        for slot in np.flatnonzero(breath).tolist():
            self._say(slot, self._bank.replies, len(self._bank.length))
            self._since[slot] = 0
        # What was too short for a turn is forgotten, and so is a backchannel heard during a reply.
        self._turn[(quiet & silent & (self._run >= ENDPOINT)) | (active & replying & silent)] = 0
        return active & replying & self._voiced & (self._run >= YIELD)

    def _say(self, slot: int, first: int, end: int) -> None:
        chance = self._chance[slot]
        assert chance is not None
        self._clip[slot] = chance.integers(first, end)
        self._place[slot] = 0

    def _speak(self, slot: int, row: Samples, pieces: list[Piece], *, cut: bool) -> None:
        """Write the row's next 80 ms; a reply cut short fades out."""
        frame, clip, place = int(self._frame[slot]), int(self._clip[slot]), int(self._place[slot])
        if clip < 0:
            pieces.append(Piece(slot, "said", frame, 0))
            return
        begin = int(self._bank.start[clip]) + place * STEP
        row[:] = self._bank.samples[begin : begin + STEP]
        if cut:
            row[:FADE] *= np.linspace(1, 0, FADE, dtype=np.float32)
            row[FADE:] = 0
        words = [(0, "")] if cut else self._bank.words(clip, place)
        pieces.extend(Piece(slot, "said", frame, token, text) for token, text in words)
        self._place[slot] += 1
        if cut or (place + 1) * STEP >= self._bank.length[clip]:
            self._clip[slot] = -1


def _silero(device: Any) -> Any:
    """Silero's 16 kHz network without its wrapper, which holds one state for the whole batch."""
    import torch

    package = find_spec("silero_vad")
    if package is None or not package.submodule_search_locations:
        raise ScenarioError(
            "tiny_duplex needs silero-vad; install it with: pip install 'torch>=2.6,<2.14' 'silero-vad>=6.2'"
        )
    path = Path(package.submodule_search_locations[0], "data", "silero_vad.jit")
    with warnings.catch_warnings():
        # torch announces the end of this format; silero-vad ships no other that takes a batch.
        warnings.simplefilter("ignore", DeprecationWarning)
        return torch.jit.load(str(path), map_location=device).eval()._model


def _decimation() -> Samples:
    """The two phases of the 3:2 filter, float32 (2, 1, TAPS): a windowed sinc, 7.2 kHz at 24 kHz, unit gain.

    Output 2m lies at input 3m, output 2m + 1 half a sample after input 3m + 1.
    """
    places = np.arange(TAPS) - (TAPS - 1) / 2
    phases = [np.sinc(0.6 * (places - shift)) * np.kaiser(TAPS, 5.0) for shift in (0.0, 1.5)]
    return np.stack([phase / phase.sum() for phase in phases])[:, None].astype(np.float32)


def _say(text: str, voice: str) -> tuple[Samples, list[tuple[str, int]]]:
    """Synthesise a clip at 24 kHz, float32 (n,), with (word, onset sample) pairs."""
    if voice != "hum":
        from simulator.speaking.voice import spoken

        line = spoken(text, voice, AUDIO.output_rate)
        return line.samples, list(line.words)
    words = [(word, index * 7200) for index, word in enumerate(text.split())]
    times = np.arange(6000) / AUDIO.output_rate
    tone = sum(np.sin(2 * np.pi * 120 * harmonic * times) / harmonic for harmonic in range(1, 12))
    syllable = np.pad((0.05 * tone * np.hanning(len(times))).astype(np.float32), (0, 1200))
    return np.tile(syllable, len(words)), words
