"""NeMo's modules in our loop: the tokens and the sound of NeMo's own inference, tiny and random."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from agents.duplex.model import Placement
from agents.duplex.nemotron import Nemotron, NemotronPrompt, NemotronSpec
from agents.duplex.nemotron_parts import Rows
from simulator.testing import ModelCase, model_contract
from simulator.testing.models import Part, play
from tests import tiny_nemo

pytest.importorskip("nemo.collections.speechlm2", reason="needs NeMo, in an environment of its own")
torch = pytest.importorskip("torch", reason="needs the torch extra")
soundfile = pytest.importorskip("soundfile")
pytestmark = [pytest.mark.torch, pytest.mark.slow, pytest.mark.filterwarnings("default")]

FRAMES = 40


@pytest.fixture(scope="module")
def voicechat(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The random model; its two heads differ."""
    made = tiny_nemo.make(tmp_path_factory.mktemp("nemo"))
    with torch.no_grad():
        made.stt_model.asr_head.weight.copy_(made.stt_model.asr_head.weight.flip(0))
    return made


@pytest.fixture(scope="module")
def speaker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording of a voice."""
    path = tmp_path_factory.mktemp("speaker") / "voice.wav"
    soundfile.write(path, np.random.default_rng(1).standard_normal(22_050).astype(np.float32) * 0.1, 22_050)
    return path


def heard(frames: int) -> Any:
    """Sound in bursts, float32 (frames, 1280)."""
    rng = np.random.default_rng(2)
    return (rng.standard_normal((frames, 1280)) * 0.1 * (rng.random((frames, 1)) < 0.6)).astype(np.float32)


def ours(model: Any, spec: NemotronSpec, slots: int = 1) -> Nemotron:
    """Our loop around the model's parts."""
    from agents.duplex.nemotron_nemo import parts_of

    return Nemotron(spec, parts_of(model, spec.history), slots)


class Foreseen:
    """Perceives what an encoder that heard the whole sound at once would have said."""

    batched = False

    def __init__(self, model: Any, sound: Any) -> None:
        lengths = torch.tensor([sound.size])
        whole = torch.from_numpy(sound).reshape(1, -1)
        self._encoded = model.stt_model.perception(
            input_signal=whole, input_signal_length=lengths, return_encoder_emb=True
        )[0]
        self._frame = 0

    def embed(self, rows: Rows, audio: Any, lengths: Any, frames: int) -> Any:
        """The next frames."""
        self._frame += frames
        return self._encoded[:, self._frame - frames : self._frame]


@pytest.mark.parametrize("history", ["cache", "embeddings"])
def test_our_loop_says_what_nemos_own_inference_says(voicechat: Any, speaker: Path, history: Any) -> None:
    """Same embeddings in: both token streams and the sound are those of `offline_inference`."""
    sound = heard(FRAMES)
    spec = NemotronSpec(turns="none", history=history)
    voice, rate = soundfile.read(speaker, dtype="float32")
    assert rate == 22_050
    with spec.scope(Placement()):
        torch.manual_seed(11)
        theirs = voicechat.offline_inference(
            torch.from_numpy(sound).reshape(1, -1),
            torch.tensor([sound.size]),
            speaker_audio=torch.from_numpy(voice)[None],
            speaker_audio_lens=torch.tensor([len(voice)]),
            incremental_audio_decoding=True,
        )
        loop = ours(voicechat, spec)
        loop._parts = msgspec.structs.replace(loop._parts, perceive=Foreseen(voicechat, sound))
        said = play(loop, [Part(slot=0, prompt=NemotronPrompt(speaker=speaker), seed=11, heard=sound)])[0]
    streams = {stream: [token for name, _, token, _ in said.pieces if name == stream] for stream in ("said", "heard")}
    assert streams["said"] == theirs["tokens_text"][0, :FRAMES].tolist()
    assert streams["heard"] == theirs["tokens_text_src"][0, :FRAMES].tolist()
    assert streams["said"] != streams["heard"]
    assert not said.pcm[0].any()
    length = (FRAMES - 1) * 1764
    assert np.allclose(np.concatenate(said.pcm[1:]), theirs["audio"][0, :length].numpy(), atol=1e-5)


class TestContract(model_contract()):
    """The suite every model passes, with NVIDIA's modules."""

    loaded: Any
    speaker: Path

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def _loaded(cls, voicechat: Any, speaker: Path) -> None:
        cls.speaker = speaker
        cls.loaded = voicechat

    @pytest.fixture(scope="class")
    @classmethod
    def one(cls, _loaded: None) -> ModelCase:
        """The case, once the model is there."""
        return cls.case()

    @classmethod
    def case(cls) -> ModelCase:
        """One prompt with text, one without."""
        prompts = (
            NemotronPrompt(speaker=cls.speaker),
            NemotronPrompt(speaker=cls.speaker, text="w1 w2 w3 w4 w5"),
        )
        return ModelCase(spec=NemotronSpec(), placement=Placement(slots=3), prompts=prompts, frames=8)

    @pytest.fixture(scope="class")
    @classmethod
    def model(cls, one: ModelCase) -> Any:
        """Our loop over the random model."""
        with one.spec.scope(one.placement):
            yield ours(cls.loaded, NemotronSpec(), slots=3)
