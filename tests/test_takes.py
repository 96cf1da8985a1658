"""A folder of takes as a voice: which recording says a text, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from simulator.cli import main
from simulator.engines.kinds import voice_of
from simulator.engines.takes import TakesSpec
from simulator.errors import ScenarioError
from simulator.frame import Samples
from simulator.session import read_session
from simulator.speaking.voice import spoken

RATE = 24_000


def take(folder: Path, name: str, text: str, beside: str | None = None) -> Samples:
    """Record a take: a text, with half a second of silence at both ends."""
    folder.mkdir(exist_ok=True)
    samples = spoken(text, "en-gb-scotland", RATE).samples
    soundfile.write(folder / name, np.pad(samples, RATE // 2), RATE, subtype="PCM_16")
    if beside is not None:
        (folder / name).with_suffix(".txt").write_text(beside)
    return samples


def test_a_take_is_found_by_its_name_or_by_the_text_beside_it(tmp_path: Path) -> None:
    """Letters and digits count; the silence at both ends goes, but for a margin."""
    folder = tmp_path / "takes"
    first = take(folder, "what-time-do-you-open.flac", "What time do you open?")
    other = take(folder, "take7.wav", "Yes, please.", "Yes, please!\n")
    voice = TakesSpec(folder=folder).build()
    for text, samples in (("What time do you open?", first), ("yes please", other)):
        said = voice.synthesize(text)
        assert said.sample_rate == RATE and said.text == text
        assert abs(len(said.samples) - len(samples)) < 0.08 * RATE
        place = int(np.argmax(np.correlate(said.samples, samples[5000:6000], "valid")))
        assert np.allclose(said.samples[place : place + 1000], samples[5000:6000], atol=2e-4)
    assert len(voice.synthesize("…").samples) == 0


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    """A folder, any take, the take of a text; two takes of one text are one too many."""
    with pytest.raises(ScenarioError, match=r"there is no folder .*/nowhere of takes"):
        TakesSpec(folder=tmp_path / "nowhere").check()
    with pytest.raises(ScenarioError, match="holds no takes; they are sound files"):
        TakesSpec(folder=tmp_path).check()
    folder = tmp_path / "takes"
    take(folder, "yes.wav", "Yes.")
    TakesSpec(folder=folder).check()
    with pytest.raises(ScenarioError, match=r"has no take of 'No\.'; record it"):
        TakesSpec(folder=folder).build().synthesize("No.")
    take(folder, "other.wav", "Yes.", "YES")
    with pytest.raises(ScenarioError, match=r"other\.wav and yes\.wav are takes of the same text"):
        TakesSpec(folder=folder).check()
    (folder / "no.wav").write_bytes(b"no sound")
    (folder / "other.wav").unlink()
    with pytest.raises(ScenarioError, match=r"no\.wav"):
        TakesSpec(folder=folder).build().synthesize("No.")


def test_a_take_that_was_recorded_again_is_heard(tmp_path: Path) -> None:
    """What was said from the folder before is not kept for it."""
    folder = tmp_path / "takes"
    take(folder, "yes.wav", "Yes.")
    before = TakesSpec(folder=folder).build().version
    take(folder, "yes.wav", "Yes, certainly, of course.")
    assert TakesSpec(folder=folder).build().version != before


def test_a_script_says_takes_and_its_words_are_aligned(tmp_path: Path) -> None:
    """The folder is relative to the scenario; words have times though nobody told them."""
    take(tmp_path / "takes", "how-much-does-it-cost.wav", "How much does it cost?")
    (tmp_path / "call.yaml").write_text("""
name: takes
duration: 4s
user: {kind: scripted, voice: {kind: file, folder: takes}, turns: ["How much does it cost?"]}
agent: silent
scorers: [content]
""")
    assert main([str(tmp_path / "call.yaml"), "--out", str(tmp_path / "out")]) == 0
    words = read_session(tmp_path / "out" / "takes-0").speech.user.words
    assert [(word.text, word.source) for word in words] == [
        (word, "model") for word in ("How", "much", "does", "it", "cost?")
    ]
    assert words[0].start > 0.4 * RATE and words[-1].end - words[0].start > RATE
    with pytest.raises(ScenarioError, match="there is no folder"):
        voice_of({"kind": "file", "folder": "elsewhere"}).check()
