"""Four small torch modules of random weights for a Nemotron pipeline, some batched, some not."""

from typing import Any

from agents.duplex.model import Placement
from agents.duplex.nemotron import HEARD, SAID, NemotronSpec
from agents.duplex.nemotron_parts import NemotronParts, Rows
from agents.duplex.nemotron_rules import TokenMarks

DIM, CARD, CODEBOOKS, CODES = 24, 40, 3, 64
MARKS = TokenMarks(pad=0, bos=1, eos=2, user_bos=(3,), user_eos=(4,))


class Letters:
    """A vocabulary of letters behind the marks."""

    def encode(self, text: str) -> list[int]:
        """One token per letter."""
        return [5 + ord(letter) % 26 for letter in text]

    def decode(self, tokens: list[int]) -> str:
        """The letters of tokens."""
        return "".join(chr(97 + (token - 5) % 26) for token in tokens)


class Perceive:
    """Looks at each frame and the one before it; batched."""

    batched = True

    def __init__(self, torch: Any) -> None:
        self._torch = torch
        self._look = torch.nn.Linear(2 * HEARD, DIM)

    def embed(self, rows: Rows, audio: Any, lengths: Any, frames: int) -> Any:
        """See nemotron_parts.Perceive."""
        cut = audio.view(len(audio), -1, HEARD)
        before = self._torch.nn.functional.pad(cut, (0, 0, 1, 0))[:, :-1]
        seen = self._torch.tanh(4 * self._look(self._torch.cat([before, cut], dim=2)))
        last = lengths[:, None] // HEARD - frames + self._torch.arange(frames)
        return seen.gather(1, last.clamp(min=0)[:, :, None].expand(-1, -1, DIM))


class Think:
    """A recurrent cell with two heads; batched or, for a test, one row at a time."""

    def __init__(self, torch: Any, slots: int, *, batched: bool) -> None:
        self.batched = batched
        self._torch = torch
        self._tokens = torch.nn.Embedding(CARD, DIM)
        self._heard = torch.nn.Embedding(CARD, DIM)
        self._cell = torch.nn.GRUCell(DIM, DIM)
        self._heads = torch.nn.Linear(DIM, 2 * CARD)
        self._state = torch.zeros(slots, DIM)

    def begin(self, slot: int) -> None:
        """See nemotron_parts.Think."""
        self._state[slot] = 0

    def prompt(self, tokens: Any) -> Any:
        """See nemotron_parts.Think."""
        return self._tokens(tokens)

    def step(self, rows: Rows, inputs: Any, agent: Any, heard: Any) -> tuple[Any, Any]:
        """See nemotron_parts.Think."""
        torch, before = self._torch, self._state[rows.slots]
        state = self._cell(inputs + self._tokens(agent) + self._heard(heard), before)
        self._state[rows.slots] = torch.where(rows.active[:, None], state, before)
        said, noted = (6 * self._heads(state)).view(-1, 2, CARD).argmax(dim=2).unbind(1)
        return said, noted


class Speak:
    """Codes that depend on the tokens and on the codes before; not batched. Two frames of lead-in."""

    batched = False
    codebooks = CODEBOOKS
    LEAD_IN = 2

    def __init__(self, torch: Any, slots: int) -> None:
        self._tokens = torch.nn.Embedding(CARD, CODEBOOKS * CODES)
        self._past = torch.nn.Embedding(CODES, CODEBOOKS * CODES)
        self._before = torch.zeros(slots, dtype=torch.long)

    def begin(self, slot: int, speaker: Any, seed: int) -> int:
        """See nemotron_parts.Speak."""
        self._before[slot] = seed % CODES
        return self.LEAD_IN

    def step(self, rows: Rows, agent: Any, previous: Any) -> Any:
        """See nemotron_parts.Speak."""
        logits = self._tokens(agent) + self._tokens(previous) / 2 + self._past(self._before[rows.slots])
        codes = logits.view(-1, CODEBOOKS, CODES).argmax(dim=2)
        self._before[rows.slots] = codes[:, 0]
        return codes


class Decode:
    """Sound of the last frames, each with the frame before it; not batched."""

    batched = False

    def __init__(self, torch: Any) -> None:
        self._torch = torch
        self._sound = torch.nn.Embedding(CODES, 2 * SAID)

    def sound(self, rows: Rows, codes: Any, lengths: Any, frames: int) -> Any:
        """See nemotron_parts.Decode."""
        length = int(lengths[0])
        known = codes[:, :length]
        now, after = self._sound(known).mean(dim=2).view(len(codes), length, 2, SAID).unbind(2)
        late = self._torch.nn.functional.pad(after, (0, 0, 1, 0))[:, :-1]
        return (0.05 * (now + late))[:, -frames:].reshape(len(codes), -1)


def load(spec: NemotronSpec, placement: Placement) -> NemotronParts:
    """Make the four parts, always the same."""
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(1)
        return NemotronParts(
            perceive=Perceive(torch),
            think=Think(torch, placement.slots, batched=spec.history != "embeddings"),
            speak=Speak(torch, placement.slots),
            decode=Decode(torch),
            marks=MARKS,
            vocabulary=Letters(),
            device=torch.device("cpu"),
        )
