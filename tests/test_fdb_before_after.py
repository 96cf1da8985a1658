"""Full-Duplex-Bench's prosody before and after an overlap."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from metrics.compat.fdb.before_after import BeforeAfterSpec, split_moment
from metrics.compat.fdb.prosody import intensity, level, pitch, spread
from metrics.compat.fdb.samples import Chunk
from simulator.errors import SessionError
from simulator.scoring.corpus import CorpusResult
from tests.fdb_folders import silence, voiced, words, write_sample

pytest.importorskip("parselmouth", reason="prosody needs praat-parselmouth")


def chunks(*times: tuple[float, float]) -> list[Chunk]:
    """Words with these times."""
    return [Chunk(text="w", timestamp=pair) for pair in times]


@pytest.mark.parametrize(
    ("overlap_end", "split"),
    [(0.5, 1.0), (1.0, 1.0), (1.5, 1.0), (2.0, 3.0), (3.9, 3.0), (4.0, 4.0), (9.0, 4.0)],
)
def test_the_split_moves_to_a_word(overlap_end: float, split: float) -> None:
    """To the start of the word that holds the end of the overlap or comes next, else to the last word's end."""
    assert split_moment(chunks((3.0, 4.0), (1.0, 2.0)), overlap_end) == split


def test_without_words_the_split_is_the_overlap_end() -> None:
    """There is no word to move to."""
    assert split_moment([], 5.0) == 5.0


SOUND = voiced([(0, 3.0), (4.0, 8.0)], 10)
WORDS = words(("a", 0.5, 1.0), ("b", 1.0, 2.5), ("c", 4.5, 5.0), ("d", 5.0, 5.5), ("e", 5.5, 6.0))
METADATA = {"timestamps": [2.6, 3.5]}


def score(root: Path, **options: Any) -> CorpusResult:
    """Score a dataset root."""
    return BeforeAfterSpec(**{"mode": "strict", **options}).score_corpus([root])


def test_a_sample_is_split_and_measured(tmp_path: Path) -> None:
    """Words and sound fall on their side of the split; rate is words over the span from first to last."""
    write_sample(tmp_path / "1", {"output.wav": SOUND, "output.json": WORDS, "metadata.json": METADATA})
    sample = score(tmp_path, mode="compat").samples[0].metrics
    assert (sample["split_t"], sample["distractor_end"]) == (4.5, 3.5)
    assert (sample["pre_dur_s"], sample["post_dur_s"]) == (4.5, 5.5)
    assert sample["pre.wpm"] == pytest.approx(2 / (2.0 / 60)) and sample["pre.speech_dur_s"] == 2.0
    assert sample["post.wpm"] == pytest.approx(3 / (1.5 / 60)) and sample["post.speech_dur_s"] == 1.5
    assert sample["pre.mean_pitch"] == pytest.approx(150, abs=1.5)
    assert 60 < sample["pre.mean_intensity"] < 90
    assert sample["clean.wpm"] is None


def test_a_silent_part_has_stand_ins_or_nothing(tmp_path: Path) -> None:
    """compat gives the original's zeros and -200 dB with spread 0, strict nulls; no sound at all: nothing in either."""
    files = {"output.wav": silence(4), "output.json": words(), "metadata.json": METADATA}
    write_sample(tmp_path / "1", files)
    write_sample(tmp_path / "2", {**files, "metadata.json": {"timestamps": [-1.0, 0.0]}})
    compat, strict = score(tmp_path, mode="compat").samples, score(tmp_path).samples
    part = {name: compat[0].metrics[f"pre.{name}"] for name in ("wpm", "mean_pitch", "std_pitch", "std_intensity")}
    assert set(part.values()) == {0.0}
    assert compat[0].metrics["pre.mean_intensity"] == pytest.approx(-200.00001526, abs=1e-7)
    assert compat[1].metrics["pre.wpm"] is None and compat[1].metrics["post.wpm"] == 0.0
    assert strict[0].metrics["pre.mean_intensity"] is None and strict[0].metrics["pre.wpm"] is None


def test_the_corpus_value_is_a_trimmed_mean(tmp_path: Path) -> None:
    """Values outside the 5th to 95th percentile are left out when there are at least three."""
    counts = [2, 3, 4, 5, 40]
    for index, count in enumerate(counts):
        said = words(*(("w", i * 3.0 / count, (i + 1) * 3.0 / count) for i in range(count)))
        write_sample(
            tmp_path / str(index), {"output.wav": SOUND, "output.json": said, "metadata.json": {"timestamps": [2, 9]}}
        )
    metric = score(tmp_path, mode="compat").metrics["pre.wpm"]
    rates = [count / (3.0 / 60) for count in counts]
    low, high = np.percentile(rates, [5, 95])
    assert metric.value == pytest.approx(np.mean([rate for rate in rates if low <= rate <= high])) and metric.n == 3


def test_the_clean_version_is_measured_whole(tmp_path: Path) -> None:
    """clean_output is one part; its words and sound are not split."""
    write_sample(
        tmp_path / "1",
        {
            "output.wav": SOUND,
            "output.json": WORDS,
            "metadata.json": METADATA,
            "clean_output.wav": SOUND,
            "clean_output.json": WORDS,
        },
    )
    assert score(tmp_path).samples[0].metrics["clean.wpm"] == pytest.approx(5 / (5.5 / 60))


def test_existing_values_are_reused_in_compat_alone(tmp_path: Path) -> None:
    """general_split.json's pitch and intensity stay as they are in compat; the words are counted again."""
    old = {"pre": {"wpm": 1.0, "mean_pitch": 99.0, "std_pitch": 9.0}, "post": {"mean_pitch": 88.0}}
    write_sample(
        tmp_path / "1",
        {"output.wav": SOUND, "output.json": WORDS, "metadata.json": METADATA, "general_split.json": old},
    )
    compat, strict = (score(tmp_path, mode=mode).samples[0].metrics for mode in ("compat", "strict"))
    assert compat["pre.mean_pitch"] == 99.0 and compat["pre.wpm"] == pytest.approx(60.0)
    assert compat["post.mean_pitch"] == pytest.approx(150, abs=1.5)  # its spread was missing, so both are measured
    assert strict["pre.mean_pitch"] == pytest.approx(150, abs=1.5)


def test_unusable_samples_are_told(tmp_path: Path) -> None:
    """No overlap, a word without end (the original crashes), no sound: nulls and a note."""
    write_sample(tmp_path / "1", {"output.wav": SOUND, "output.json": WORDS})
    write_sample(
        tmp_path / "2", {"output.wav": SOUND, "output.json": words(("a", 1.0, None)), "metadata.json": METADATA}
    )
    write_sample(tmp_path / "3", {"output.json": WORDS, "metadata.json": METADATA})
    notes = [" ".join(sample.notes) for sample in score(tmp_path).samples]
    assert "no overlap is marked" in notes[0] and "has no end" in notes[1] and "output.wav: missing" in notes[2]


def test_the_original_file_is_written_where_asked(tmp_path: Path) -> None:
    """write=DIR gets general_split.json with the parts as measured."""
    write_sample(tmp_path / "in" / "1", {"output.wav": SOUND, "output.json": WORDS, "metadata.json": METADATA})
    result = score(tmp_path / "in", mode="compat", write=tmp_path / "out")
    written = json.loads((tmp_path / "out" / "1" / "general_split.json").read_text())
    assert written["pre"]["wpm"] == result.samples[0].metrics["pre.wpm"] and written["split_t"] == 4.5
    assert "clean" not in written and set(written) == {
        "pre",
        "post",
        "split_t",
        "distractor_end",
        "pre_dur_s",
        "post_dur_s",
    }


def test_praat_gives_pitch_and_intensity_of_a_buzz() -> None:
    """A buzz at 150 Hz has that pitch without spread; ten times the level is 20 dB more."""
    rate, loud = voiced([(0, 2)], 2)
    found = pitch(loud, rate)
    assert found.mean == pytest.approx(150, abs=1) and found.std < 2
    assert intensity(10 * loud, rate).mean - intensity(loud, rate).mean == pytest.approx(20, abs=1e-3)


def test_silence_and_snippets_have_no_intensity() -> None:
    """Praat has nothing to say of them; the level in dBFS stands in where the original has it."""
    for samples in (np.zeros(16000, np.float32), np.ones(400, np.float32)):
        with pytest.raises(SessionError, match="intensity"):
            intensity(samples, 16000)
    assert level(np.zeros(16000, np.float32), 16000).std == 0.0
    assert level(np.full(320, 0.1, np.float32), 16000).mean == pytest.approx(-20, abs=1e-4)
    with pytest.raises(SessionError, match="too short for a pitch"):
        pitch(np.ones(400, np.float32), 16000)


def test_equal_values_have_a_spread_of_exactly_zero() -> None:
    """A float32 sum would give a tiny one, and the trimmed mean over samples depends on it."""
    values = np.full(977, -200.00001526, np.float32)
    assert spread(values).std == 0.0 and spread(values).mean == float(values[0])
    assert spread(np.zeros(0, np.float32)).mean == 0.0
