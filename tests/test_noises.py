"""Noises that are made: their level, their seed, no seam, and what makes them sound like what they are called."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from channels.noises import generate
from simulator.frame import Samples, silence
from simulator.testing import burst
from tests.channel_runs import RATE, Run, level_db


def bands_db(sound: Samples, edges: list[float]) -> list[float]:
    """The level between edges in Hz, of all of a sound's, in dB."""
    power = np.abs(np.fft.rfft(sound.astype(np.float64))) ** 2
    hz = np.fft.rfftfreq(len(sound), 1 / RATE)
    whole = power.sum()
    return [float(10 * np.log10(power[(hz >= a) & (hz < b)].sum() / whole)) for a, b in pairwise(edges)]


@pytest.mark.parametrize("color", ["traffic", "keyboard", "music"])
def test_a_made_noise_has_its_level_no_seam_and_a_seed(color: Any) -> None:
    """15 dB under the nominal level over a loop; the step from its end to its beginning is one like any other."""
    first, again, other = (generate(color, RATE, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    run = Run({"kind": "noise", "color": color, "snr_db": 15}, silence(30 * RATE))
    assert level_db(run.heard) == pytest.approx(-41, abs=0.1)
    assert abs(first[0] - first[-1]) <= np.abs(np.diff(first)).max()


def test_noises_sound_like_what_they_are_called() -> None:
    """Traffic is a rumble that swells, keys are clicks with silence between, music has tones of a scale."""
    traffic, keys, music = (
        generate(color, RATE, np.random.default_rng(1)) for color in ("traffic", "keyboard", "music")
    )  # type: ignore[arg-type]
    low, _, high = bands_db(traffic, [0, 1000, 4000, 12_000])
    assert low > high + 15
    swell = [level_db(part) for part in np.split(traffic, 60)]
    assert max(swell) - min(swell) > 4
    quiet = np.mean([np.abs(part).max() < 1e-3 * np.abs(keys).max() for part in np.split(keys, 1500)])
    clicks = np.sum(np.diff((np.abs(keys.reshape(-1, 240)).max(axis=1) > 0.1 * np.abs(keys).max()).astype(int)) == 1)
    assert quiet > 0.3 and 60 < clicks < 400
    spectrum = np.abs(np.fft.rfft(music.astype(np.float64))) ** 2
    hz = np.fft.rfftfreq(len(music), 1 / RATE)
    near = np.abs(12 * np.log2(np.maximum(hz, 20) / 220) - np.round(12 * np.log2(np.maximum(hz, 20) / 220))) < 0.15
    assert (
        spectrum[near & (hz > 80) & (hz < 1000)].sum() / spectrum[(hz > 80) & (hz < 1000)].sum() > 0.7
    )  # a third of it by chance


def test_hold_music_is_heard_instead_of_speech() -> None:
    """10 dB under the nominal level, and nothing of what is said."""
    run = Run({"kind": "mute", "hold": "music"}, burst(30 * RATE))
    assert level_db(run.heard) == pytest.approx(-36, abs=0.1)
    assert abs(np.corrcoef(run.heard, run.said)[0, 1]) < 0.01
