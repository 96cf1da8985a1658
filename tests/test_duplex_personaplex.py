"""PersonaPlex: the same tokens as NVIDIA's own code, in one batch, whatever the prompts and the starts."""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.duplex.model import Placement, Weights
from agents.duplex.moshi import Parts
from agents.duplex.moshi_parts import lm_sizes, load_lm, moshi_scope
from agents.duplex.personaplex import (
    SILENCE,
    TONE,
    Align,
    PersonaPlex,
    PersonaPlexSpec,
    PersonaPrompt,
    VoiceFiles,
    read_voice,
)
from agents.duplex.token_rows import Sampling, TokenRows
from simulator.errors import ScenarioError
from simulator.testing import ModelCase, model_contract
from tests import tiny_moshi

torch = pytest.importorskip("torch", reason="needs the torch extra")
pytest.importorskip("moshi", reason="needs Kyutai's moshi package")
pytestmark = [
    pytest.mark.torch,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning"),
]

DATA = Path(__file__).parent / "data" / "personaplex_tiny"
REFERENCE = json.loads((DATA / "reference.json").read_text())
JOBS: dict[str, Any] = REFERENCE["jobs"]
STARTS = {"a": 0, "b": 3, "c": 1}
SLOTS = {"a": 2, "b": 0, "c": 3}


class Numbers:
    """A vocabulary whose texts are numbers: `<system> 10 11 <system>` is the tokens 10, 11."""

    def encode(self, text: str) -> list[int]:
        """The numbers in the text."""
        return [int(word) for word in text.split() if word.isdigit()]

    def decode(self, tokens: list[int]) -> str:
        """The numbers as a text."""
        return " ".join(map(str, tokens))


class Codes:
    """A codec that takes codes for sound: the test says what the user's codes are, and sees the agent's."""

    def __init__(self, slots: int) -> None:
        self.heard = torch.zeros(slots, 8, dtype=torch.long)
        self.said = np.zeros((slots, 8), np.int64)
        self.decoded = np.zeros(slots, bool)

    def reset(self, slot: int) -> None:
        """Nothing to forget."""

    def encode(self, pcm: Any, active: Any) -> Any:
        """What the test has put there."""
        return self.heard.clone()

    def decode(self, codes: Any, active: Any) -> Any:
        """Keep the codes for the test."""
        self.said, self.decoded = codes.numpy().copy(), active.numpy().copy()
        return torch.zeros(len(codes), 1920)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The random weights, unpacked."""
    path = tmp_path_factory.mktemp("personaplex") / "model.safetensors"
    path.write_bytes(gzip.decompress((DATA / "moshi.safetensors.gz").read_bytes()))
    return path


def make(weights: Path, align: Align, context: int = 250) -> tuple[PersonaPlex, Codes]:
    """A greedy PersonaPlex of four rows in fp32 whose codec is the test."""
    sizes = lm_sizes(tiny_moshi.CONFIG | {"text_card": 512}, context)
    device = torch.device("cpu")
    lm = load_lm(weights, sizes, "fp32", device)
    rows = TokenRows(lm, 4, Sampling(temperature=0, text_temperature=0), device)
    codec = Codes(4)
    parts = Parts(rows=rows, codec=codec, vocabulary=Numbers(), context=context)  # type: ignore[arg-type]
    return PersonaPlex(parts, VoiceFiles(DATA / "voices", Weights("random")), align), codec


def prompt_of(job: dict[str, Any]) -> PersonaPrompt:
    """The prompt of a reference session."""
    return PersonaPrompt(voice=job["voice"], text=" ".join(map(str, job["text_prompt_tokens"])))


def converse(model: PersonaPlex, codec: Codes, frames: int) -> dict[str, list[list[int]]]:
    """Run the three sessions in one batch, each from its own start; text and codes of every talking step."""
    got: dict[str, list[list[int]]] = {name: [] for name in JOBS}
    lead_in: dict[str, int] = {}
    step = 0
    while any(len(rows) < frames for rows in got.values()):
        lead_in |= {
            name: model.open(SLOTS[name], prompt_of(job), 1) for name, job in JOBS.items() if STARTS[name] == step
        }
        talking = [name for name, left in lead_in.items() if left == 0 and len(got[name]) < frames]
        active = np.zeros(4, bool)
        for name, left in lead_in.items():
            active[SLOTS[name]] = left > 0 or name in talking
            lead_in[name] = max(0, left - 1)
        for name in talking:
            codec.heard[SLOTS[name]] = torch.tensor([row[len(got[name])] for row in JOBS[name]["user_codes"]])
        output = model.step(np.zeros((4, 1920), np.float32), active)
        texts = {piece.slot: piece.token for piece in output.pieces}
        for name in talking:
            got[name].append([texts.get(SLOTS[name], -1), *codec.said[SLOTS[name]].tolist()])
        step += 1
    return got


def expected(name: str) -> list[list[int]]:
    """NVIDIA's tokens of a session, frame by frame."""
    return np.array(JOBS[name]["expected_tokens"]).T.tolist()  # type: ignore[no-any-return]


def test_the_code_frames_of_the_prompt_are_nvidias() -> None:
    """Silence and tone are the constants of the reference."""
    assert REFERENCE["silence_tokens"] == list(SILENCE)
    assert REFERENCE["sine_tokens"] == list(TONE)


def test_earliest_gives_nvidias_tokens_one_frame_sooner(weights: Path) -> None:
    """Fed user frame i, a row gives NVIDIA's output i + 1: every token of three sessions in one batch."""
    with moshi_scope(1, graphs=False):
        got = converse(*make(weights, "earliest"), frames=19)
    for name in JOBS:
        assert got[name] == expected(name)[1:]


def test_server_gives_nvidias_tokens_frame_by_frame(weights: Path) -> None:
    """Fed user frame i, a row gives NVIDIA's output i; the first is still the prompt's, without a piece."""
    with moshi_scope(1, graphs=False):
        got = converse(*make(weights, "server"), frames=20)
    for name in JOBS:
        assert got[name][1:] == expected(name)[1:]
        assert got[name][0][1:] == expected(name)[0][1:]


def test_a_prompt_longer_than_the_context_is_refused(weights: Path) -> None:
    """The frames of the prompt and of the context are named."""
    with moshi_scope(1, graphs=False):
        model, _ = make(weights, "earliest", context=32)
        with pytest.raises(ScenarioError, match="the prompt takes 74 frames and the model's context is 32"):
            model.open(0, prompt_of(JOBS["c"]), 1)


@pytest.mark.parametrize("field", ["voice", "text"])
def test_an_empty_prompt_is_refused(field: str) -> None:
    """Both halves of the prompt are needed, and the missing one is named."""
    with pytest.raises(ScenarioError, match=f"needs a {field} prompt"):
        PersonaPlexSpec(prompt=PersonaPrompt(**{field: " "})).check()


def test_a_voice_that_is_none_is_refused(tmp_path: Path) -> None:
    """A missing file, one of something else, embeddings or cache lacking or misshapen: each by name."""
    with pytest.raises(ScenarioError, match=r"NOBODY\.pt does not exist; there are LONG, NATF0, NATF2"):
        VoiceFiles(DATA / "voices", Weights("random")).get("NOBODY")
    path = tmp_path / "voice.pt"
    path.write_bytes(b"not a voice")
    with pytest.raises(ScenarioError, match="is no voice file"):
        read_voice(path)
    whole = torch.load(DATA / "voices" / "NATF0.pt", weights_only=True)
    for lacking in ("embeddings", "cache"):
        torch.save({key: value for key, value in whole.items() if key != lacking}, path)
        with pytest.raises(ScenarioError, match=f"it holds no {lacking}"):
            read_voice(path)
    torch.save(whole | {"embeddings": whole["embeddings"][:0]}, path)
    with pytest.raises(ScenarioError, match="its embeddings are empty"):
        read_voice(path)
    torch.save(whole | {"cache": whole["cache"][:, :9]}, path)
    with pytest.raises(ScenarioError, match=r"cache has shape \(1, 9, 4\)"):
        read_voice(path)


def test_a_voice_of_another_model_is_refused(weights: Path, tmp_path: Path) -> None:
    """Embeddings of another width, tokens that the vocabulary does not have: each is named."""
    whole = torch.load(DATA / "voices" / "NATF0.pt", weights_only=True)
    torch.save(whole | {"embeddings": whole["embeddings"][..., :32]}, tmp_path / "narrow.pt")
    torch.save(whole | {"cache": whole["cache"] + 500}, tmp_path / "foreign.pt")
    with moshi_scope(1, graphs=False):
        model, _ = make(weights, "earliest")
        with pytest.raises(ScenarioError, match="embeddings of 32 numbers, the model needs 64"):
            model.open(0, PersonaPrompt(voice=str(tmp_path / "narrow.pt"), text="1"), 1)
        with pytest.raises(ScenarioError, match=r"does not have \(0 to 512 are\)"):
            model.open(0, PersonaPrompt(voice=str(tmp_path / "foreign.pt"), text="1"), 1)


class TestContract(model_contract()):
    """The suite every model passes: from files, with prompts of different lengths."""

    folder: Path

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def _files(cls, tmp_path_factory: pytest.TempPathFactory) -> None:
        cls.folder = tiny_moshi.make(tmp_path_factory.mktemp("personaplex"))
        (cls.folder / "voices").mkdir()
        for name, frames in (("SHORT", 2), ("LONG", 9)):
            rng = torch.Generator().manual_seed(frames)
            voice = {
                "embeddings": torch.randn(frames, 1, 1, 64, generator=rng).bfloat16(),
                "cache": torch.randint(0, 250, (1, 17, 4), generator=rng),
            }
            torch.save(voice, cls.folder / "voices" / f"{name}.pt")

    @pytest.fixture(scope="class")
    @classmethod
    def one(cls, _files: None) -> ModelCase:
        """The case, once its files are there."""
        return cls.case()

    @classmethod
    def case(cls) -> ModelCase:
        """A short prompt and a long one."""
        return ModelCase(
            spec=PersonaPlexSpec(dtype="fp32"),
            placement=Placement(slots=3, weights=Weights(str(cls.folder))),
            prompts=(
                PersonaPrompt(voice="SHORT", text="be brief"),
                PersonaPrompt(voice="LONG", text="you help people who book a table"),
            ),
            frames=8,
        )
