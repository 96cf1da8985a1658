"""What engines heard is remembered: a hit is what the engine gave, and another question is asked."""

import threading
from pathlib import Path

import numpy as np
import pytest

from simulator.engines import Recognition, Word, engine
from simulator.engines.espeak import EspeakSpec
from simulator.engines.moonshine import Moonshine, MoonshineSpec
from simulator.engines.remembered import RememberingRecognizer, SoundMemory, aligned
from simulator.engines.store import Store, key_of, trim
from simulator.frame import Samples
from simulator.speaking.alternatives import lines_of
from simulator.speaking.voice import PreparedSpeech, Say, spoken

SOUND = np.linspace(-1, 1, 100, dtype=np.float32)


class Counting:
    """Hears how often it was asked."""

    def __init__(self, version: str = "1") -> None:
        self.version = version
        self.asked = 0

    def warm(self) -> threading.Thread | None:
        return None

    def recognize(self, samples: Samples, sample_rate: int) -> Recognition:
        self.asked += 1
        word = Word(text="one", start=1, end=2, confidence=0.1 + 0.2)
        return Recognition(text=f"asked {self.asked} times", words=(word,), language="en")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own, and processes that remember nothing yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("sys.platform", "linux")
    forget(monkeypatch)
    return tmp_path / "duplex-simulator"


def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be another process: nothing in memory, the disk as it is."""
    monkeypatch.setattr("simulator.engines.remembered._HEARD", SoundMemory[Recognition]("recognised", Recognition))
    of = list[Word] | None
    monkeypatch.setattr("simulator.engines.remembered._ALIGNED", SoundMemory[list[Word] | None]("aligned", of))


def test_a_sound_is_recognised_once_by_all_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second answer is the first one to the last digit, in this process and in the next."""
    counting = Counting()
    first = RememberingRecognizer(counting, "counting").recognize(SOUND, 16_000)
    assert RememberingRecognizer(counting, "counting").recognize(SOUND.copy(), 16_000) == first
    forget(monkeypatch)
    assert RememberingRecognizer(counting, "counting").recognize(SOUND, 16_000) == first
    assert counting.asked == 1


@pytest.mark.parametrize(
    ("version", "asked_as", "sound", "rate"),
    [
        ("2", "counting", SOUND, 16_000),
        ("1", {"kind": "counting", "beams": 2}, SOUND, 16_000),
        ("1", "counting", SOUND[:-1], 16_000),
        ("1", "counting", SOUND, 16_001),
    ],
)
def test_another_question_is_asked(version: str, asked_as: object, sound: Samples, rate: int) -> None:
    """Another version, another spec, one sample less, another rate."""
    RememberingRecognizer(Counting(), "counting").recognize(SOUND, 16_000)
    other = Counting(version)
    RememberingRecognizer(other, asked_as).recognize(sound, rate)
    assert other.asked == 1


def test_a_recogniser_without_a_version_is_remembered_by_its_process_only(home: Path) -> None:
    """Nobody knows when what is on disk would be wrong: nothing is written."""
    counting = Counting("")
    remembering = RememberingRecognizer(counting, "counting")
    assert remembering.recognize(SOUND, 16_000) == remembering.recognize(SOUND, 16_000)
    assert counting.asked == 1
    assert not home.exists()


@pytest.mark.parametrize("damage", [b"", b"{", bytes(40)])
def test_a_damaged_file_counts_as_absent(damage: bytes, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine is asked again, and the file is whole again."""
    RememberingRecognizer(Counting(), "counting").recognize(SOUND, 16_000)
    (kept,) = home.rglob("*.answer")
    whole = kept.read_bytes()
    kept.write_bytes(damage)
    forget(monkeypatch)
    assert RememberingRecognizer(Counting(), "counting").recognize(SOUND, 16_000).text == "asked 1 times"
    assert kept.read_bytes() == whole


def test_engines_give_from_memory_what_they_give(monkeypatch: pytest.MonkeyPatch) -> None:
    """Moonshine's text and PocketSphinx's times of real speech, from the disk and from the engines; None stays None."""
    said = EspeakSpec().shared().synthesize("On Sunday we open at six.", 160)
    text = Moonshine().recognize(said.samples, said.sample_rate)
    assert "sunday" in text.text.lower()
    times = engine("pocketsphinx").align(said.samples, said.sample_rate, "On Sunday we open at six.")
    for _ in range(2):
        assert MoonshineSpec().shared().recognize(said.samples, said.sample_rate) == text
        assert aligned("pocketsphinx", said.samples, said.sample_rate, "On Sunday we open at six.") == times
        assert aligned("pocketsphinx", np.zeros(8_000, np.float32), 16_000, "Hello.") is None
        forget(monkeypatch)


def test_small_files_count_a_block_of_the_disk(tmp_path: Path) -> None:
    """Three bytes in three files are three blocks: of 8192 bytes, a tenth left free, one may stay."""
    store = Store(tmp_path / "small", "x")
    for number in range(3):
        store.put(key_of(number), b"1")
    assert trim(tmp_path / "small", 8192, block=4096) == 8192
    assert sum(store.get(key_of(number)) == b"1" for number in range(3)) == 1


def test_room_is_made_for_a_folder_and_not_for_every_store_of_it(tmp_path: Path) -> None:
    """With no room at all the first write goes again; who opens the folder anew does not have it looked through."""
    for number in range(3):
        Store(tmp_path / "full", "x", lambda: 0).put(key_of(number), b"1")
    assert [Store(tmp_path / "full", "x").get(key_of(number)) for number in range(3)] == [None, b"1", b"1"]


def test_a_store_without_room_still_answers(tmp_path: Path) -> None:
    """A folder that cannot be made, or none at all, keeps nothing and is no error."""
    (tmp_path / "file").write_text("")
    for store in (Store(tmp_path / "file" / "in it", "x"), Store(None, "x")):
        store.put(key_of("a"), b"1")
        assert store.get(key_of("a")) is None


@pytest.mark.parametrize(("realtime", "prepared"), [(True, 3), (False, 0)])
def test_lines_are_prepared_when_they_are_drawn(realtime: bool, prepared: int) -> None:
    """On the wall clock all of them beforehand, else each when it is asked for; what is said is the same."""
    texts: list[Say] = ["Yes.", "No.", "Maybe."]
    asked: list[Say] = []

    def prepare(text: Say) -> PreparedSpeech:
        asked.append(text)
        return spoken(text, EspeakSpec(), 16_000)

    lines = lines_of(texts, EspeakSpec(), prepare, realtime=realtime)
    assert len(asked) == prepared
    assert len(lines) == 3
    assert [line.text for line in lines] == texts
    assert np.array_equal(lines[1].samples, spoken("No.", EspeakSpec(), 16_000).samples)
