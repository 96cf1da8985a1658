"""Pitch and tempo, apart from each other: what a tone comes to, when things are heard, and how long they last."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from agents.player import PlayerSpec
from simulator.datasets.audio import AudioDatasetSpec
from simulator.frame import Samples
from simulator.planning.samples import with_sample
from simulator.scenario import Scenario
from simulator.sound.pitch import at_tempo, pitch_shifted
from simulator.spec import decode
from tests.channel_runs import Run

RATE = 24_000
VOICE_HZ = 120.0


def voice(seconds: float = 2.0, hz: float = VOICE_HZ) -> Samples:
    """A buzz of 120 Hz with 14 overtones, as a throat makes it."""
    t = np.arange(round(seconds * RATE)) / RATE
    return np.asarray(0.1 * sum(np.sin(2 * np.pi * hz * k * t) / k for k in range(1, 15)), np.float32)


def energy_at(sound: Samples, base_hz: float) -> float:
    """The share of a second's energy that lies within 4 Hz of 14 multiples of a frequency."""
    second = sound[RATE // 2 : RATE // 2 + RATE] * np.hanning(RATE)
    power = np.abs(np.fft.rfft(second)) ** 2
    hz = np.arange(len(power))
    multiples = np.round(hz / base_hz)
    near = (np.abs(hz - multiples * base_hz) <= 4) & (multiples >= 1) & (multiples <= 14)
    return float(power[near].sum() / power.sum())


@pytest.mark.parametrize("semitones", [-12, -5, -1, 1, 3, 7, 12])
def test_every_overtone_moves_by_the_ratio(semitones: int) -> None:
    """A tone's multiples stay its multiples; what the jumps add is 40 dB below."""
    ratio = 2 ** (semitones / 12)
    shifted = pitch_shifted(voice(), RATE, ratio)
    assert energy_at(shifted, VOICE_HZ * ratio) > 1 - 1e-4
    assert energy_at(shifted, VOICE_HZ * ratio * 1.31) < 0.6, "any tone would have passed"


@pytest.mark.parametrize("hz", [61.3, 113.1, 201.3, 263.2])
@pytest.mark.parametrize("semitones", [-5, 3])
def test_voices_whose_periods_are_no_whole_samples_keep_their_overtones(hz: float, semitones: int) -> None:
    """Deep ones and high ones: what is wrong with where it jumps to stays 35 dB below."""
    ratio = 2 ** (semitones / 12)
    assert energy_at(pitch_shifted(voice(hz=hz), RATE, ratio), hz * ratio) > 1 - 10**-3.5


@pytest.mark.parametrize("semitones", [-12, -3, 3, 12])
def test_jumps_do_not_click(semitones: int) -> None:
    """A sine stays as smooth as one of its new pitch: no step is larger than its steepest."""
    sine = np.asarray(0.1 * np.sin(2 * np.pi * 150 * np.arange(2 * RATE) / RATE), np.float32)
    ratio = 2 ** (semitones / 12)
    shifted = pitch_shifted(sine, RATE, ratio)[RATE // 4 : -RATE // 4]
    assert np.abs(np.diff(shifted)).max() < 1.05 * 0.1 * 2 * np.pi * 150 * ratio / RATE


def test_everything_is_heard_when_it_was_said() -> None:
    """Bursts of voice between silences begin and end where they did, to the length of a jump."""
    said = np.zeros(2 * RATE, np.float32)
    said[RATE // 2 : RATE] = voice(0.5)
    heard = np.flatnonzero(np.abs(pitch_shifted(said, RATE, 1.3)) > 0.02)
    assert abs(heard[0] - RATE // 2) < 0.03 * RATE
    assert abs(heard[-1] - RATE) < 0.03 * RATE


@pytest.mark.parametrize("tempo", [0.5, 0.8, 1.25, 2.0])
def test_tempo_changes_the_length_and_not_the_pitch(tempo: float) -> None:
    """Twice as fast is half as long, and 120 Hz stay 120 Hz."""
    sound = at_tempo(voice(4.0), RATE, tempo)
    assert len(sound) == pytest.approx(4 * RATE / tempo, abs=1)
    assert energy_at(sound, VOICE_HZ) > 1 - 1e-3


@pytest.mark.parametrize("semitones", [-12, -4, 4, 12])
def test_the_channel_says_how_late_it_is(semitones: int) -> None:
    """Bursts of voice come later by what is stated: each to the length of a jump, to 3 ms on the average."""
    said = np.zeros(20 * RATE, np.float32)
    starts = [round((0.3 + 0.493 * index) * RATE) for index in range(40)]
    for start in starts:
        said[start : start + RATE // 4] = voice(0.25)
    run = Run({"kind": "pitch", "semitones": semitones}, said, np.zeros_like(said), seed=0)
    loud = np.abs(run.heard) > 0.02
    late = [int(np.argmax(loud[start:])) - run.channel.delay_samples for start in starts]
    assert max(map(abs, late)) < 0.02 * RATE
    assert abs(np.mean(late)) < 0.003 * RATE


def test_a_recording_is_played_at_its_tempo(tmp_path: Path) -> None:
    """A player says a clip of two seconds in one, and a dataset's session ends with it."""
    soundfile.write(tmp_path / "caller.wav", voice(), RATE)
    spec = PlayerSpec(file=tmp_path / "caller.wav", tempo=2.0)
    sound = spec._sound(spec.recordings()[0], RATE)
    assert len(sound.samples) == pytest.approx(RATE, abs=1)

    dataset = AudioDatasetSpec(path=tmp_path / "caller.wav", tempo=2.0)
    scenario = decode({"name": "t", "user": "silent", "agent": "silent"}, Scenario, source="t", folder=tmp_path)
    (sample,) = dataset.samples()
    played = with_sample(scenario, dataset, sample)
    assert played.duration is not None and played.duration.time == 1.0
    assert played.user.tempo == 2.0  # type: ignore[attr-defined]
