"""`nemotron`: NVIDIA's incremental speech-to-speech loop, many sessions in one batch.

Each step hears `frames_per_step` frames of 80 ms: the last 5.6 s of sound are embedded anew, each new frame
takes one step of the language model, which says a token and writes down a token of what it heard, the token
becomes codes, and the last 4.8 s of codes become sound. Which modules do that is up to `parts`: a function
that gives the four of them.

With `history: embeddings` the language model reads all its embeddings again at every frame (some models have
no cache for this loop): the cost of a session then grows with the square of its length.
"""

from collections import deque
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from msgspec import Meta

from agents.duplex.device import need_torch
from agents.duplex.model import Mask, ModelSpec, Piece, Placement, StepAudio, StepOutput
from agents.duplex.moshi_parts import RunningText
from agents.duplex.nemotron_parts import NemotronParts, Rows, over_rows
from agents.duplex.nemotron_rules import EndRule, ReplyEnd, TokenHistory, TurnRule, reply_end
from simulator.errors import ScenarioError
from simulator.frame import Samples

HEARD, SAID = 1280, 1764
"""Samples of a frame, at 16 kHz and at 22.05 kHz."""
SOUND_WINDOW, CODE_WINDOW = 70, 60
"""Frames that are embedded and decoded anew at every step."""


class NemotronPrompt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """text: the system prompt, may be empty. speaker: a recording; None takes the model's own voice."""

    text: str = ""
    speaker: Path | None = None


class NemotronSpec(ModelSpec, frozen=True, kw_only=True, tag="nemotron"):
    """NVIDIA's duplex speech models; weights: a folder or a hub id of a NemotronVoiceChat.

    turns: forced turn-taking, `skills` (a pause of 2 s gives the agent the floor), `nemo3` (the user's own turn marks
    too) or `none`. reply_end: how the end of a reply is found, an event. parts: `module:function` that loads the four
    parts. history: auto takes a cache where the language model has one. frames_per_step: frames of 80 ms that each step
    hears. prompt: what a session asks of the model, text and speaker.
    """

    frames_per_step: Annotated[int, Meta(ge=1, le=SOUND_WINDOW)] = 1
    turns: TurnRule = "nemo3"
    reply_end: EndRule = "none"
    history: Literal["auto", "cache", "embeddings"] = "auto"
    parts: str = "agents.duplex.nemotron_nemo:load"
    prompt: NemotronPrompt = NemotronPrompt()

    def audio(self) -> StepAudio:
        """16 kHz in, 22.05 kHz out, 80 ms per frame."""
        count = self.frames_per_step
        return StepAudio(
            input_rate=16_000,
            input_samples=HEARD * count,
            output_rate=22_050,
            output_samples=SAID * count,
            frames=count,
        )

    def check(self) -> None:
        """Refuse parts that cannot be found."""
        need_torch(self.name)
        if not callable(self._loader()):
            raise ScenarioError(f"{self.name}: parts: {self.parts!r} is not a function")

    def load(self, placement: Placement) -> "Nemotron":
        """Load the four parts."""
        return Nemotron(self, self._loader()(self, placement), placement.slots)

    def _loader(self) -> Any:
        module, _, function = self.parts.partition(":")
        try:
            return getattr(import_module(module), function)
        except (ImportError, AttributeError, ValueError) as error:
            raise ScenarioError(f"{self.name}: parts: {self.parts!r} is not found; expected module:function") from error


class NemotronSession:
    """What a row remembers outside of the four parts."""

    def __init__(self, spec: NemotronSpec, parts: NemotronParts, prompt: list[int], speaker_frames: int) -> None:
        self.steps = -(-max(len(prompt), speaker_frames) // spec.frames_per_step)
        self.frame = -self.steps * spec.frames_per_step
        self.prompt = deque([*[parts.marks.pad] * (-self.frame - len(prompt)), *prompt])
        """The tokens of the lead-in, one per frame; none left: the session talks."""
        self.tokens = (parts.marks.pad, parts.marks.pad)
        self.voice: tuple[Any, int] = (None, 0)
        """The speaker and the seed that the voice began with."""
        self.history = TokenHistory()
        self.texts = {"said": RunningText(parts.vocabulary), "heard": RunningText(parts.vocabulary)}
        self.end: ReplyEnd | None = reply_end(spec.reply_end, parts.marks)
        self.sound_length = 0
        self.code_length = 0


class Nemotron:
    """The loaded pipeline and the rows in it."""

    def __init__(self, spec: NemotronSpec, parts: NemotronParts, slots: int) -> None:
        import torch

        self.slots = slots
        self._spec = spec
        self._parts = parts
        self._count = spec.frames_per_step
        self._sessions: dict[int, NemotronSession] = {}
        device = parts.device
        self._sound = torch.zeros(slots, SOUND_WINDOW * HEARD, device=device)
        self._codes = torch.zeros(slots, CODE_WINDOW, parts.speak.codebooks, dtype=torch.long, device=device)
        self._said_nothing = np.zeros((slots, self._count), bool)

    def open(self, slot: int, prompt: NemotronPrompt, seed: int) -> int:
        """Begin a row; its lead-in is its prompt, and what the speaker part needs beside it."""
        self._parts.think.begin(slot)
        frames = self._parts.speak.begin(slot, prompt.speaker, seed)
        text = self._parts.vocabulary.encode(prompt.text) if prompt.text else []
        self._sessions[slot] = NemotronSession(self._spec, self._parts, text, frames)
        self._sessions[slot].voice = prompt.speaker, seed
        self._sound[slot] = 0
        self._codes[slot] = 0
        return self._sessions[slot].steps

    def begin_turn(self, slot: int) -> None:
        """See BeginsTurns; the frames in which a voice finds its way in come at once, and nobody thinks in them."""
        import torch

        session = self._sessions[slot]
        frames = self._parts.speak.begin(slot, *session.voice)
        self._codes[slot] = 0
        session.code_length = 0
        nobody = torch.full((self.slots,), self._parts.marks.pad, device=self._parts.device)
        alone = np.arange(self.slots) == slot
        for _ in range(frames):
            self._speak(nobody, nobody, alone, 0)

    def close(self, slot: int) -> None:
        """Give a row back."""
        if self._sessions.pop(slot, None) is not None:
            self._parts.think.begin(slot)

    def step(self, pcm: Samples, active: Mask) -> StepOutput:
        """Hear, think frame by frame, speak, decode."""
        talking = np.array([bool(active[slot]) and self._talks(slot) for slot in range(self.slots)])
        embeddings = self._perceive(pcm, talking)
        pieces: list[Piece] = []
        agents: dict[int, list[int]] = {slot: [] for slot in np.flatnonzero(talking).tolist()}
        for index in range(self._count):
            said, heard = self._think(embeddings, index, active)
            self._speak(said, self._said_before(), active, index)
            for slot in np.flatnonzero(active).tolist():
                self._note(slot, int(said[slot]), int(heard[slot]), pieces)
                if slot in agents:
                    agents[slot].append(int(said[slot]))
        sound = self._decode(talking)
        ended = [slot for slot, tokens in agents.items() if self._ended(slot, tokens, sound[slot])]
        return StepOutput(sound, pieces, ended)

    def _talks(self, slot: int) -> bool:
        return slot in self._sessions and not self._sessions[slot].prompt

    def _perceive(self, pcm: Samples, talking: Mask) -> Any:
        """Move the windows on and embed them: (slots, frames, dim), or None while nobody talks."""
        import torch

        if not talking.any():
            return None
        new = torch.from_numpy(pcm).to(self._parts.device)
        for slot in np.flatnonzero(talking).tolist():
            session = self._sessions[slot]
            session.sound_length = _push(self._sound[slot], new[slot], session.sound_length)
        lengths = self._lengths("sound_length")

        def embed(rows: Rows) -> Any:
            return self._parts.perceive.embed(rows, self._sound[rows.slots], lengths[rows.slots], self._count)

        return over_rows(self._parts.perceive.batched, talking, self._parts.device, embed)

    def _think(self, embeddings: Any, index: int, active: Mask) -> tuple[Any, Any]:
        """One step of the language model: the agent's tokens and the heard ones, (slots,) each."""
        import torch

        parts, device = self._parts, self._parts.device
        pad = parts.marks.pad
        prompts = [self._prompt_token(slot) if active[slot] else None for slot in range(self.slots)]
        inputs = parts.think.prompt(torch.tensor([pad if t is None else t for t in prompts], device=device))
        led = torch.tensor([token is not None for token in prompts], device=device)
        if embeddings is not None:
            inputs = torch.where(led[:, None], inputs, embeddings[:, index].to(inputs.dtype))
        before = [self._sessions[slot].tokens if slot in self._sessions else (pad, pad) for slot in range(self.slots)]
        agent, heard = torch.tensor(before, device=device).unbind(1)

        def think(rows: Rows) -> Any:
            return parts.think.step(rows, inputs[rows.slots], agent[rows.slots], heard[rows.slots])

        said, heard = over_rows(parts.think.batched, active, device, think)
        said, heard = said.masked_fill(led, pad), heard.masked_fill(led, pad)
        return self._forced(said, heard, active & ~led.cpu().numpy()), heard

    def _prompt_token(self, slot: int) -> int | None:
        prompt = self._sessions[slot].prompt
        return prompt.popleft() if prompt else None

    def _forced(self, said: Any, heard: Any, active: Mask) -> Any:
        """Let the rule of turn-taking put its tokens in."""
        for slot in np.flatnonzero(active).tolist():
            history = self._sessions[slot].history
            token = history.forced(self._spec.turns, self._parts.marks, int(heard[slot]))
            if token is not None:
                said[slot] = token
        return said

    def _said_before(self) -> Any:
        """The agent's tokens of the frame before, (slots,)."""
        import torch

        pad = self._parts.marks.pad
        before = [self._sessions[slot].tokens[0] if slot in self._sessions else pad for slot in range(self.slots)]
        return torch.tensor(before, device=self._parts.device)

    def _speak(self, said: Any, previous: Any, active: Mask, index: int) -> None:
        """Turn a frame's tokens into codes; in the lead-in too, which is when the voice finds its way in."""

        def speak(rows: Rows) -> Any:
            return self._parts.speak.step(rows, said[rows.slots], previous[rows.slots])

        codes = over_rows(self._parts.speak.batched, active, self._parts.device, speak)
        for slot in np.flatnonzero(active).tolist():
            session = self._sessions[slot]
            self._said_nothing[slot, index] = int(codes[slot, 0]) < 0
            new = codes[slot : slot + 1].clamp(min=0)
            session.code_length = _push(self._codes[slot], new, session.code_length)

    def _decode(self, talking: Mask) -> Samples:
        """Turn the windows of codes into this step's sound: float32 (slots, frames * 1764)."""
        sound = np.zeros((self.slots, SAID * self._count), np.float32)
        if not talking.any():
            return sound
        lengths = self._lengths("code_length")

        def decode(rows: Rows) -> Any:
            return self._parts.decode.sound(rows, self._codes[rows.slots], lengths[rows.slots], self._count)

        decoded = over_rows(self._parts.decode.batched, talking, self._parts.device, decode).float().cpu().numpy()
        silent = np.repeat(self._said_nothing, SAID, axis=1)
        return np.where(talking[:, None] & ~silent, decoded, sound)

    def _note(self, slot: int, said: int, heard: int, pieces: list[Piece]) -> None:
        session = self._sessions[slot]
        session.history.add(said, heard)
        session.tokens = (said, heard)
        if session.frame >= 0:
            pad = self._parts.marks.pad
            pieces.append(Piece(slot, "said", session.frame, said, self._text(session, "said", said), said == pad))
            pieces.append(Piece(slot, "heard", session.frame, heard, self._text(session, "heard", heard), heard == pad))
        session.frame += 1

    def _text(self, session: NemotronSession, stream: str, token: int) -> str:
        """Padding has no text; the marks that open and close a turn are written as `<s>` and `</s>`."""
        marks = self._parts.marks
        if token == marks.pad:
            return ""
        if token == marks.bos or token in marks.user_bos:
            return "<s>"
        if token == marks.eos or token in marks.user_eos:
            return "</s>"
        return session.texts[stream].add(token)

    def _ended(self, slot: int, tokens: list[int], pcm: Samples) -> bool:
        end = self._sessions[slot].end
        return end is not None and end.ended(tokens, pcm)

    def _lengths(self, field: str) -> Any:
        import torch

        sessions = [self._sessions.get(slot) for slot in range(self.slots)]
        lengths = [getattr(session, field) if session else 0 for session in sessions]
        return torch.tensor(lengths, device=self._parts.device)


def _push(window: Any, new: Any, length: int) -> int:
    """Append to a window that is filled from the left, then shifts; the length that counts now."""
    room = len(window)
    if length + len(new) <= room:
        window[length : length + len(new)] = new
        return length + len(new)
    keep = room - len(new)
    window[:keep] = window[length - keep : length].clone()
    window[keep:] = new
    return room
