"""The parts of a Moshi: its files, its language model, its codec (Mimi) and its text vocabulary.

Kyutai's package is imported here only, inside the functions that use it.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, Protocol

import msgspec

from agents.duplex.device import Memory, made_up, torch_scope
from agents.duplex.model import Weights
from simulator.errors import ScenarioError

INSTALL = "pip install --no-deps moshi==0.2.13, then pip install sentencepiece safetensors einops huggingface-hub"
CODEBOOKS = 8
CODEC_BYTES = 16 * 2**20
"""What Mimi remembers of a stream: 15.7 MiB measured at its real size in fp32."""

Dtype = Literal["bf16", "fp32"]
Config = Mapping[str, Any]


class Vocabulary(Protocol):
    """Text tokens and text; sentencepiece's processor is one."""

    def encode(self, text: str) -> list[int]:
        """Give the tokens of a text."""
        ...

    def decode(self, tokens: list[int]) -> str:
        """Give the text of tokens."""
        ...


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """The files of a model; None for random weights, for what is not there, and for the sizes of Moshi 7B.

    config: the language model's sizes. mimi_config: the codec's.
    """

    lm: Path | None = None
    mimi: Path | None = None
    vocabulary: Path | None = None
    config: Config | None = None
    mimi_config: Config | None = None
    voices: Path | None = None


def need_moshi(model: str) -> None:
    """Refuse a model whose package is not installed: ScenarioError with the install lines."""
    from importlib.util import find_spec

    for package in ("moshi", "sentencepiece", "safetensors", "einops", "huggingface_hub"):
        if find_spec(package) is None:
            raise ScenarioError(f"{model} needs {package}; install: {INSTALL}")


@contextmanager
def moshi_scope(threads: int, *, graphs: bool) -> Iterator[None]:
    """Run Kyutai's code without torch.compile (which wants a C compiler), with CUDA graphs or without."""
    from contextlib import ExitStack

    from moshi.utils.compile import no_compile, no_cuda_graph

    with ExitStack() as stack:
        stack.enter_context(torch_scope(threads))
        stack.enter_context(no_compile())
        if not graphs:
            stack.enter_context(no_cuda_graph())
        yield


def find_checkpoint(weights: Weights, config: Path | None) -> Checkpoint:
    """Find a model's files in a folder or on the hub; ScenarioError names the one that is missing.

    A folder looks like Kyutai's repositories: config.json (optional; it names the other files and gives the
    sizes), model.safetensors, Mimi's weights, the text vocabulary. config: a config.json that takes the place
    of its own.
    """
    from moshi.models import loaders

    raw = _read_config(config or _file(weights, "config.json", needed=False))
    sizes = raw if "dim" in raw else None
    mimi_name = raw.get("mimi_config_name")
    mimi = (config.parent / mimi_name if config else _file(weights, mimi_name)) if mimi_name else None
    mimi_config = _read_config(mimi) if mimi else None
    if weights.is_random:
        return Checkpoint(config=sizes, mimi_config=mimi_config)
    return Checkpoint(
        lm=_file(weights, raw.get("moshi_name", loaders.MOSHI_NAME)),
        mimi=_file(weights, raw.get("mimi_name", loaders.MIMI_NAME)),
        vocabulary=_file(weights, raw.get("tokenizer_name", loaders.TEXT_TOKENIZER_NAME)),
        config=sizes,
        mimi_config=mimi_config,
        voices=weights.folder,
    )


def lm_sizes(config: Config | None, context: int | None) -> dict[str, Any]:
    """Give the language model's sizes: of the config, or of Moshi 7B; `context` in frames overrides."""
    from moshi.models import loaders

    sizes = dict(config or loaders._lm_kwargs)
    known = set(loaders._lm_kwargs) | {"depformer_norm", "norm_emb", "bias_proj"}
    sizes = {key: value for key, value in sizes.items() if key in known}
    return sizes | ({"context": context} if context else {})


def lm_memory(sizes: Mapping[str, Any], dtype: Dtype) -> Memory:
    """What the model takes: its weights; per slot the key-value ring, allocated whole, and Mimi's state."""
    from moshi.models import loaders

    width = 2 if dtype == "bf16" else 4
    model = loaders.get_moshi_lm(None, lm_kwargs=dict(sizes), device="meta")
    count = sum(parameter.numel() for parameter in model.parameters())
    ring = 2 * sizes["num_layers"] * sizes["dim"] * sizes["context"] * width
    return Memory(weights=count * width, per_slot_cache=ring, per_slot_codec=CODEC_BYTES)


def load_lm(path: Path | None, sizes: Mapping[str, Any], dtype: Dtype, device: Any) -> Any:
    """Load the language model, or make one of random weights on the device.

    A file with 16 depformer slices (PersonaPlex: the last 8 predict the user) is cut to the model's own
    `dep_q`.
    """
    import torch
    from moshi.models import loaders

    kind = torch.bfloat16 if dtype == "bf16" else torch.float32
    if path is None:
        with made_up(device):
            return loaders.get_moshi_lm(None, lm_kwargs=dict(sizes), device=device, dtype=kind)
    model = loaders.get_moshi_lm(None, lm_kwargs=dict(sizes), device="meta", dtype=kind)
    state = {name: value.to(kind) for name, value in _tensors(path, device).items()}
    _assign(model, without_user_slices(state, sizes["dep_q"]), path)
    return model


def load_mimi(checkpoint: Checkpoint, device: Any) -> Any:
    """Load the codec, or make one of random weights whose codes vary with the sound."""
    from moshi.models import loaders

    with made_up(device):
        mimi = loaders.get_mimi(None, checkpoint.mimi_config, device=device, num_codebooks=CODEBOOKS)
        if checkpoint.mimi is not None:
            _assign(mimi, _tensors(checkpoint.mimi, device), checkpoint.mimi)
            return mimi
        for module in mimi.modules():
            if hasattr(module, "embedding_sum"):
                module.embedding_sum.normal_()
                module.cluster_usage.fill_(1)
    return mimi


def load_vocabulary(path: Path | None, card: int) -> Vocabulary | None:
    """Load the text vocabulary, a sentencepiece model of `card` tokens; random weights have none."""
    if path is None:
        return None
    import sentencepiece

    try:
        vocabulary = sentencepiece.SentencePieceProcessor(str(path))
    except (RuntimeError, OSError) as error:
        raise ScenarioError(f"{path} is no sentencepiece model") from error
    if vocabulary.vocab_size() != card:
        raise ScenarioError(f"{path} has {vocabulary.vocab_size()} tokens, the model needs {card}")
    return vocabulary  # type: ignore[no-any-return]


def without_user_slices(state: dict[str, Any], dep_q: int) -> dict[str, Any]:
    """Keep the first `dep_q` slices of the depformer; its weights are stacked or numbered by slice."""
    if f"linears.{dep_q}.weight" not in state:
        return state
    slices = sum(name.startswith("linears.") for name in state)
    kept = {}
    for name, value in state.items():
        numbered = re.match(r"(?:.*\.gating|depformer_in|linears)\.(\d+)\.", name)
        embedding = re.match(r"depformer_emb\.(\d+)\.", name)
        if (numbered and int(numbered[1]) >= dep_q) or (embedding and int(embedding[1]) >= dep_q - 1):
            continue
        stacked = name.startswith("depformer.") and ".self_attn." in name
        kept[name] = value.chunk(slices)[:dep_q] if stacked else value
    import torch

    return {name: torch.cat(value) if isinstance(value, tuple) else value for name, value in kept.items()}


class RunningText:
    """Text of a stream of tokens: gives what each one adds, decoded with what came before.

    Bytes of a character that is not complete yet are held back until it is.
    """

    WINDOW = 16

    def __init__(self, vocabulary: Vocabulary | None) -> None:
        self._vocabulary = vocabulary
        self._tokens: list[int] = []
        self._told = ""

    def add(self, token: int) -> str:
        """Take a token and give the text it adds, with its leading space."""
        if self._vocabulary is None:
            return ""
        self._tokens.append(token)
        text = self._vocabulary.decode(self._tokens)
        if text.endswith("\ufffd"):
            return ""
        first = not self._told
        new = text[len(self._told) :] if text.startswith(self._told) else text
        self._told = text
        if len(self._tokens) > self.WINDOW:
            self._tokens = self._tokens[-self.WINDOW // 2 :]
            self._told = self._vocabulary.decode(self._tokens)
        return f" {new}" if first and new else new


def _file(weights: Weights, name: str, *, needed: bool = True) -> Any:
    """Find one file of the weights: in their folder, or downloaded from the hub."""
    if weights.is_random:
        return None
    if weights.folder is not None:
        path = weights.folder / name
        if needed and not path.is_file():
            raise ScenarioError(f"{weights.folder}: {name} is missing")
        return path if path.is_file() else None
    from huggingface_hub import hf_hub_download
    from huggingface_hub.utils import EntryNotFoundError, HfHubHTTPError, LocalEntryNotFoundError

    try:
        return Path(hf_hub_download(str(weights), name))
    except LocalEntryNotFoundError as error:  # no network, and not downloaded before
        raise ScenarioError(f"{weights}: {name} cannot be downloaded: the hub is not reached") from error
    except EntryNotFoundError as error:
        if needed:
            raise ScenarioError(f"{weights}: {name} is missing on the hub") from error
        return None
    except (HfHubHTTPError, OSError) as error:
        raise ScenarioError(f"{weights}: {name} cannot be downloaded: {error}") from error


def _read_config(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ScenarioError(f"{path} cannot be read: {error}") from error
    if not isinstance(raw, dict):
        raise ScenarioError(f"{path} holds no sizes: expected a JSON object")
    return raw


def _tensors(path: Path, device: Any) -> dict[str, Any]:
    import safetensors
    from safetensors.torch import load_file

    try:
        return load_file(path, device=str(device))  # type: ignore[no-any-return]
    except (safetensors.SafetensorError, OSError) as error:
        raise ScenarioError(f"{path} is no safetensors file: {error}") from error


def _assign(model: Any, state: dict[str, Any], path: Path) -> None:
    """Put weights into a model; ScenarioError names the file and the first tensor that does not fit."""
    try:
        model.load_state_dict(state, assign=True)
    except RuntimeError as error:
        raise ScenarioError(f"{path} does not fit the model: {_first_misfit(str(error))}") from error


def _first_misfit(complaint: str) -> str:
    """Pick the first sentence out of torch's list of everything that is wrong."""
    shape = re.search(r"size mismatch for (\S+): .*?Size\((.*?)\).*?Size\((.*?)\)", complaint, re.DOTALL)
    if shape:
        return f"{shape[1]} has shape {shape[2]}, the model needs {shape[3]}"
    lacking = re.search(r"Missing key\(s\) in state_dict: \"(.*?)\"", complaint)
    if lacking:
        return f"{lacking[1]} is missing"
    surplus = re.search(r"Unexpected key\(s\) in state_dict: \"(.*?)\"", complaint)
    return f"{surplus[1]} is not part of it" if surplus else complaint.splitlines()[0]
