"""What detection is not to be moved by: offsets, rumble, hum, the level of a recording, breaths; and real talk."""

from pathlib import Path

import numpy as np
import pytest

from channels.noises import generate
from simulator.frame import Samples
from simulator.sound.highpass import above_rumble
from simulator.sound.loudness import active_level_dbfs
from tests.conversations import voiced
from tests.real_talk import CHANGES, RATE, detected, found_in

TEXT = "Could you tell me whether you have anything near the window?"


@pytest.fixture(scope="module")
def talk() -> Samples:
    """Two sentences with a pause of a second and a half, and silence around."""
    said = voiced(TEXT, "en-gb-x-rp", RATE)
    gap = np.zeros(3 * RATE // 2, np.float32)
    return np.concatenate([gap, said, gap, said, gap])


@pytest.mark.parametrize("count", [0, 1, 640, 641, 5_000, 70_003])
def test_the_filter_gives_as_many_samples_whatever_the_blocks(count: int) -> None:
    """Blocks of 700 samples or all at once: the same samples, as many as went in."""
    sound = np.random.default_rng(count).standard_normal(count).astype(np.float32)
    whole = np.concatenate([np.zeros(0, np.float32), *above_rumble([sound], RATE)])
    parts = [sound[start : start + 700] for start in range(0, count, 700)]
    assert len(whole) == count
    assert np.array_equal(whole, np.concatenate([np.zeros(0, np.float32), *above_rumble(parts, RATE)]))


@pytest.mark.parametrize(("hz", "gain_db"), [(20, -50), (50, -6), (100, 0), (1_000, 0)])
def test_the_filter_takes_what_lies_under_50_hz(hz: float, gain_db: float) -> None:
    """A tone at the cutoff is halved; an octave above it nothing is lost, below 20 Hz nothing is left."""
    tone = np.cos(2 * np.pi * hz * np.arange(3 * RATE) / RATE).astype(np.float32)
    kept = np.concatenate(list(above_rumble([tone], RATE)))[RATE : 2 * RATE]
    found = 20 * np.log10(np.std(kept) / np.std(tone[RATE : 2 * RATE]))
    assert found <= gain_db if gain_db <= -50 else found == pytest.approx(gain_db, abs=0.1)


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_no_speech_moves_no_edge(talk: Samples, change: str, tmp_path: Path) -> None:
    """Speech with an offset, rumble, a soft hum or at another level begins and ends within 50 ms of where it did."""
    clean, changed = detected(tmp_path, talk, CHANGES[change](talk))
    assert len(changed) == len(clean) == 2
    for before, after in zip(clean, changed, strict=True):
        assert abs(before.start - after.start) <= RATE // 20
        assert abs(before.end - after.end) <= RATE // 20


def test_breath_drawn_before_speech_is_none(tmp_path: Path) -> None:
    """A breath of 0.4 s, 22 dB under the speech and directly before it, moves neither edge by more than 50 ms."""
    gap = np.zeros(6 * RATE, np.float32)
    talk = np.concatenate([gap, voiced(TEXT, "en-gb-x-rp", RATE), gap])
    ((clean,),) = detected(tmp_path, talk)
    breath = generate("pink", RATE, np.random.default_rng(7))[: 2 * RATE // 5].copy()
    breath *= np.hanning(len(breath)).astype(np.float32)
    breath *= 10 ** ((active_level_dbfs(talk, RATE) - 22) / 20) / np.std(breath)
    talk[clean.start - len(breath) : clean.start] += breath
    ((found,),) = detected(tmp_path, talk)
    assert abs(found.start - clean.start) <= RATE // 20
    assert abs(found.end - clean.end) <= RATE // 20


@pytest.mark.parametrize("change", ["as it is", "offset 0.05", "rumble", "level -50", "level -63"])
def test_real_talk_is_found_where_people_marked_it(change: str, real_audio: Path, tmp_path: Path) -> None:
    """Clips of meetings with manual word times: every turn found, none invented, 9 of 10 edges within 100 ms."""
    found = found_in(real_audio / "conversations_ami", CHANGES.get(change, lambda sound: sound), tmp_path)
    assert (found.turns, found.missed, found.invented) == (9, 0, 0)
    assert np.quantile(found.errors_s, 0.9) <= 0.1
