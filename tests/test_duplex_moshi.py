"""Moshi and what it is made of, at a tiny size with random weights."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.duplex.model import Placement, Weights
from agents.duplex.moshi import MoshiModelSpec, MoshiPrompt
from agents.duplex.moshi_parts import RunningText, find_checkpoint, lm_memory, lm_sizes
from simulator.errors import ScenarioError
from simulator.testing import ModelCase, model_contract
from simulator.testing.models import Part, play
from tests import tiny_moshi

pytest.importorskip("torch", reason="needs the torch extra")
pytest.importorskip("moshi", reason="needs Kyutai's moshi package")
pytestmark = [
    pytest.mark.torch,
    # Kyutai's einops patterns and torch's own deprecations are not ours to mend.
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Moshi on disk."""
    return tiny_moshi.make(tmp_path_factory.mktemp("moshi"))


class TestContract(model_contract()):
    """The suite every model passes; the weights are made up on the spot."""

    @classmethod
    def case(cls) -> ModelCase:
        """Four rows, sampled tokens."""
        return ModelCase(
            spec=MoshiModelSpec(dtype="fp32", config=cls.config),
            placement=Placement(slots=4, weights=Weights("random")),
            prompts=(MoshiPrompt(), MoshiPrompt()),
            frames=10,
        )

    config: Path

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def _config(cls, folder: Path) -> None:
        cls.config = folder / "config.json"

    @pytest.fixture(scope="class")
    @classmethod
    def one(cls, _config: None) -> ModelCase:
        """The case, once its sizes are on disk."""
        return cls.case()

    def test_the_seed_is_heard(self, one: ModelCase, model: Any) -> None:
        """The same seed gives the same session, another seed another one."""
        sound = self.sound(one, 1)
        parts = [
            Part(slot=slot, prompt=MoshiPrompt(), seed=seed, heard=sound) for slot, seed in ((0, 5), (2, 5), (3, 6))
        ]
        first, again, other = play(model, parts)
        assert np.array_equal(first.pcm, again.pcm)
        assert first.pieces == again.pieces
        assert first.pieces != other.pieces


def load(folder: Path, **settings: Any) -> Any:
    """Load a tiny Moshi of the folder."""
    spec = MoshiModelSpec(dtype="fp32", **settings)
    return spec.load(Placement(slots=2, weights=Weights(str(folder))))


def test_files_are_loaded_and_text_is_decoded(folder: Path) -> None:
    """Weights, codec and vocabulary come from the folder; tokens have text, padding has none."""
    spec = MoshiModelSpec(dtype="fp32", text_temperature=5.0, text_top_k=300)
    with spec.scope(Placement()):
        model = spec.load(Placement(slots=2, weights=Weights(str(folder))))
        heard = np.zeros((60, 1920), np.float32)
        said = play(model, [Part(slot=1, prompt=MoshiPrompt(), seed=2, heard=heard)])[0]
    assert [frame for _, frame, _, _ in said.pieces] == list(range(60))
    assert any(text for _, _, _, text in said.pieces)
    assert all(text == "" for _, _, token, text in said.pieces if token < 4)


def test_text_is_decoded_in_its_context(folder: Path) -> None:
    """Word by word with leading spaces, a character's bytes once and complete, long streams whole."""
    import sentencepiece

    vocabulary = sentencepiece.SentencePieceProcessor(str(folder / "text.model"))
    text = "good morning, a naïve café costs 20 € ☕ " + "how can I help you " * 20
    running = RunningText(vocabulary)
    pieces = [running.add(token) for token in vocabulary.encode(text)]
    assert "".join(pieces).strip() == text.strip()
    assert "".join(pieces).startswith(" good")
    assert "\ufffd" not in "".join(pieces)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A folder without weights: the file that is looked for is in the message."""
    with pytest.raises(ScenarioError, match=r"model\.safetensors is missing"):
        find_checkpoint(Weights(str(tmp_path)), None)


def test_a_hub_that_is_not_reached_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights on the hub, no network: one sentence with the id and the file, not a missing file."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ScenarioError, match=r"nobody/nothing: config\.json cannot be downloaded"):
        find_checkpoint(Weights("nobody/nothing"), None)


def test_weights_of_another_shape_are_refused_by_name(folder: Path, tmp_path: Path) -> None:
    """File, tensor and both shapes are named."""
    import json

    for name in ("model.safetensors", "mimi.safetensors", "text.model", "mimi.json"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    config = json.loads((folder / "config.json").read_text()) | {"dim": 96}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with (
        MoshiModelSpec().scope(Placement()),
        pytest.raises(ScenarioError, match=r"model\.safetensors does not fit the model: \S+ has shape .*64.*96"),
    ):
        load(tmp_path)


def test_more_slots_than_memory_are_refused(folder: Path) -> None:
    """The message says how many slots fit."""
    spec = MoshiModelSpec(dtype="fp32", config=folder / "config.json", context=250)
    with spec.scope(Placement()), pytest.raises(ScenarioError, match=r"at most \d+ slots fit"):
        spec.load(Placement(slots=100_000, weights=Weights("random")))


def test_a_gpu_that_is_not_there_is_refused(folder: Path) -> None:
    """Asking for CUDA without one: one sentence, nothing loaded."""
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    spec = MoshiModelSpec(config=folder / "config.json")
    with spec.scope(Placement()), pytest.raises(ScenarioError, match="device cuda is not available"):
        spec.load(Placement(device="cuda", weights=Weights("random")))


def test_memory_of_the_real_size_is_what_was_computed() -> None:
    """Moshi 7B in bf16: 14.3 GiB of weights, 1.465 GiB of cache per slot, half of it at 1500 frames."""
    with MoshiModelSpec().scope(Placement()):
        memory = lm_memory(lm_sizes(None, None), "bf16")
        shorter = lm_memory(lm_sizes(None, 1500), "bf16")
    assert memory.weights / 2**30 == pytest.approx(14.3, abs=0.05)
    assert memory.per_slot_cache / 2**30 == pytest.approx(1.465, abs=0.001)
    assert shorter.per_slot_cache * 2 == memory.per_slot_cache
