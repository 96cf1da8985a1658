"""`personaplex`: NVIDIA's PersonaPlex, a Moshi with a voice and a text prompt, on Kyutai's package.

The prompt of a row, step by step: T embeddings of the voice, 6 silent frames, the text tokens, 6 silent
frames. Text, the agent's codes (silence) and the user's codes (a steady tone) are forced meanwhile. Prompts
of different lengths run beside each other and beside sessions that talk.

NVIDIA's loop wants a token's target in the call that is one later than Kyutai's, and codebooks 1 to 7 belong
one frame further back than codebook 0; so a prompt frame's text and codebook 0 are forced together with
codebooks 1 to 7 of the frame before it, and one forced set of those follows the last frame. The columns T and
T+1 of the voice file's token cache say how the voice went on. With `align: server` a user frame is used one
step (80 ms) later, as NVIDIA's server does; `earliest` answers as soon as the model can.
"""

from pathlib import Path
from typing import Any, Literal

import msgspec

from agents.duplex.model import Placement, Weights
from agents.duplex.moshi import MoshiModel, MoshiSettings, Parts
from agents.duplex.moshi_parts import find_checkpoint
from agents.duplex.token_rows import FREE, Forced
from simulator.errors import ScenarioError

SILENCE = (948, 243, 1178, 546, 1736, 1030, 1978, 2008)
"""Mimi's codes of a silent frame."""
TONE = (430, 1268, 381, 1611, 1095, 1495, 56, 472)
"""Mimi's codes of the steady tone that stands for the user during the prompt."""
PAUSE = 6
"""Silent frames after the voice and after the text: half a second."""
NO_TEXT = 3
CACHE_ROWS, CACHE_COLUMNS = 17, 4

Align = Literal["earliest", "server"]


class PersonaPrompt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who the model is.

    voice: a name (NATF2) or a path of a `.pt` file. text: the model's role.
    """

    voice: str = "NATF2"
    text: str = "You enjoy having a good conversation."


class PersonaPlexSpec(MoshiSettings, frozen=True, kw_only=True, tag="personaplex"):
    """NVIDIA's PersonaPlex; weights: a folder or a hub id (default nvidia/personaplex-7b-v1).

    voices: the folder of the voice files; default: `voices` beside the weights. align: when a frame is used, at the
    earliest or a step later as the server does. prompt: its voice and its role.
    """

    voices: Path | None = None
    align: Align = "earliest"
    prompt: PersonaPrompt = PersonaPrompt()

    def check(self) -> None:
        """Refuse an empty prompt: the model cannot do without."""
        super().check()
        for field in ("voice", "text"):
            if not getattr(self.prompt, field).strip():
                raise ScenarioError(f"{self.name} needs a {field} prompt; prompt.{field} is empty")

    def load(self, placement: Placement) -> "PersonaPlex":
        """Load language model, codec and vocabulary; voices are read when a session asks for them."""
        weights = placement.weights or Weights("nvidia/personaplex-7b-v1")
        checkpoint = find_checkpoint(weights, self.config)
        voices = VoiceFiles(self.voices or (checkpoint.voices / "voices" if checkpoint.voices else None), weights)
        return PersonaPlex(self.load_parts(checkpoint, placement), voices, self.align)


class VoicePrompt(msgspec.Struct, frozen=True, kw_only=True):
    """A voice prompt: embeddings (T, dim), the token cache it ends with, int (17, 4): column = frame mod
    4.
    """

    embeddings: Any
    cache: list[list[int]]

    def column(self, frame: int) -> list[int]:
        """Text, the agent's 8 codes and the user's 8 codes at a frame."""
        return [row[frame % CACHE_COLUMNS] for row in self.cache]


class VoiceFiles:
    """Voices by name, each read once."""

    def __init__(self, folder: Path | None, weights: Weights) -> None:
        self._folder = folder
        self._weights = weights
        self._read: dict[str, VoicePrompt] = {}

    def get(self, name: str) -> VoicePrompt:
        """Give a voice; ScenarioError when it is not there or is none."""
        if name not in self._read:
            self._read[name] = read_voice(self._path(name))
        return self._read[name]

    def _path(self, name: str) -> Path:
        file = name if name.endswith(".pt") else f"{name}.pt"
        path = Path(file).expanduser()
        if not path.is_absolute() and self._folder is not None:
            path = self._folder / file
        elif not path.is_absolute() and not self._weights.is_random:
            path = _voice_on_the_hub(self._weights, file)
        if not path.is_file():
            known = sorted(item.stem for item in self._folder.glob("*.pt")) if self._folder else []
            raise ScenarioError(f"voice {path} does not exist; there are {', '.join(known) or 'none'}")
        return path


def read_voice(path: Path) -> VoicePrompt:
    """Read a voice file, tensors only; ScenarioError says what it lacks."""
    import pickle

    import torch

    try:
        state = torch.load(path, weights_only=True, map_location="cpu")
    except (RuntimeError, OSError, EOFError, KeyError, ValueError, pickle.UnpicklingError) as error:
        raise ScenarioError(f"{path} is no voice file: {(str(error) or 'it is empty').splitlines()[0]}") from error
    for key in ("embeddings", "cache"):
        if not isinstance(state, dict) or key not in state:
            raise ScenarioError(f"{path} is no voice file: it holds no {key}")
        if not isinstance(state[key], torch.Tensor):
            raise ScenarioError(f"{path}: {key} is of type {type(state[key]).__name__}, expected a tensor")
    cache = state["cache"]
    if tuple(cache.shape) != (1, CACHE_ROWS, CACHE_COLUMNS):
        raise ScenarioError(f"{path}: cache has shape {tuple(cache.shape)}, expected (1, 17, 4)")
    embeddings = state["embeddings"]
    if len(embeddings) == 0:
        raise ScenarioError(f"{path} is no voice file: its embeddings are empty")
    if not torch.isfinite(embeddings).all():
        raise ScenarioError(f"{path}: its embeddings are not numbers (NaN or infinity)")
    return VoicePrompt(embeddings=embeddings.reshape(len(embeddings), -1), cache=cache[0].tolist())


def _voice_on_the_hub(weights: Weights, file: str) -> Path:
    """NVIDIA's repository keeps its voices in one archive, voices.tgz, whose folder is `voices`."""
    import tarfile

    from huggingface_hub import hf_hub_download

    archive = Path(hf_hub_download(str(weights), "voices.tgz"))
    folder = archive.parent / "voices"
    if not folder.is_dir():
        with tarfile.open(archive) as tar:
            tar.extractall(archive.parent, filter="data")
    return folder / file


def prompt_steps(voice: VoicePrompt, text: list[int]) -> list[Forced]:
    """Lay a prompt out as forced steps; the last one lets text and codebook 0 go."""
    length = len(voice.embeddings)
    at_end, after = voice.column(length), voice.column(length + 1)
    steps = [Forced(text=NO_TEXT, agent=SILENCE, user=TONE, embedding=embedding) for embedding in voice.embeddings]
    steps[-1] = Forced(
        text=at_end[0], agent=tuple(at_end[1:9]), user=(TONE[0], *at_end[10:]), embedding=voice.embeddings[-1]
    )
    frames = [NO_TEXT] * PAUSE + text + [NO_TEXT] * PAUSE
    late, user = tuple(after[2:9]), (at_end[9], *after[10:])
    for token in frames:
        steps.append(Forced(text=token, agent=(SILENCE[0], *late), user=user))
        late, user = SILENCE[1:], TONE
    return [*steps, Forced(agent=(FREE, *SILENCE[1:]), user=TONE)]


class PersonaPlex(MoshiModel):
    """The loaded model."""

    def __init__(self, parts: Parts, voices: VoiceFiles, align: Align) -> None:
        super().__init__(parts)
        self._voices = voices
        self._context = parts.context
        self._align = align
        self._late: Any = None

    def open(self, slot: int, prompt: PersonaPrompt, seed: int) -> int:  # type: ignore[override]
        """Begin a row; its lead-in is its prompt.

        `earliest` spends the last step of the prompt before the session, `server` in it: the user's first
        frame is then used one step later, and the first answer belongs to the frame before it.
        """
        if self.vocabulary is None:
            raise ScenarioError("personaplex needs a text vocabulary beside its weights")
        voice = self._voices.get(prompt.voice)
        self._rows.need_fitting(prompt.voice, voice.embeddings.shape[1], voice.cache)
        steps = prompt_steps(voice, self.vocabulary.encode(_wrapped(prompt.text)))
        if len(steps) >= self._context:
            raise ScenarioError(f"the prompt takes {len(steps)} frames and the model's context is {self._context}")
        late = self._align == "server"
        self.begin(slot, seed, steps, lead_in=len(steps) - late, first_frame=-late)
        return len(steps) - late

    def heard(self, codes: Any, talking: Any) -> Any:
        """The codes just heard, or with `align: server` those of the step before."""
        if self._align == "earliest":
            return codes
        import torch

        late = torch.zeros_like(codes) if self._late is None else self._late
        self._late = torch.where(talking[:, None], codes, late)
        return late


def _wrapped(text: str) -> str:
    text = text.strip()
    return text if text.startswith("<system>") and text.endswith("<system>") else f"<system> {text} <system>"
