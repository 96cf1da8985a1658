"""Rules of the probes: a click's return is found to the sample, a tone's leak to the decibel."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from simulator.live.probes import click, click_return, leak_of, tone

RATE = 24_000


def room(seconds: float, seed: int = 0) -> np.ndarray:
    """A quiet room: noise at -60 dBFS."""
    return (1e-3 * np.random.default_rng(seed).standard_normal(round(seconds * RATE))).astype(np.float32)


@pytest.mark.parametrize(("gain_db", "delay_ms"), [(-6, 20), (-20, 123), (-35, 300), (-45, 60)])
def test_a_leak_is_measured_in_a_recording(tmp_path: Path, gain_db: int, delay_ms: int) -> None:
    """A WAV that holds the tone, delayed and attenuated, gives both back."""
    heard = room(2.0)
    played, start = tone(RATE), delay_ms * RATE // 1000
    heard[start : start + len(played)] += played * np.float32(10 ** (gain_db / 20))
    soundfile.write(tmp_path / "echo.wav", heard, RATE, subtype="PCM_16")
    recorded, _ = soundfile.read(tmp_path / "echo.wav", dtype="float32")
    leak = leak_of(room(0.8, seed=1), recorded, RATE)
    assert leak.level_db == pytest.approx(gain_db, abs=1.0)
    assert leak.delay_ms == pytest.approx(delay_ms, abs=10)


def test_a_canceller_that_turns_the_phase_hides_nothing() -> None:
    """The level is told whatever happens to the phase: half the tone inverted leaks as much as all of it."""
    heard, played = room(2.0), tone(RATE) * np.float32(0.1)
    played[len(played) // 2 :] *= -1
    heard[2400 : 2400 + len(played)] += played
    assert leak_of(room(0.8, seed=1), heard, RATE).level_db == pytest.approx(-20, abs=1.0)


def test_a_silent_room_has_no_leak() -> None:
    """Nothing above the room's own noise is no echo, and the sentence says how far one could see."""
    leak = leak_of(room(0.8), room(2.0, seed=1), RATE)
    assert leak.level_db is None
    assert leak.verdict().startswith("no echo: nothing came back above -")


def test_the_verdict_says_what_to_do() -> None:
    """A loud leak asks for headphones, a faint one does not."""
    loud, faint = room(2.0), room(2.0)
    loud[480 : 480 + RATE] += tone(RATE) * np.float32(0.3)
    faint[480 : 480 + RATE] += tone(RATE) * np.float32(0.006)
    assert leak_of(room(0.8), loud, RATE).verdict().endswith("use headphones")
    assert leak_of(room(0.8), faint, RATE).verdict().endswith("too faint to matter")


@pytest.mark.parametrize("rate", [16_000, 24_000, 48_000])
def test_a_click_is_found_where_it_lies(rate: int) -> None:
    """Its place is exact in noise, at a tenth of its level."""
    heard = (1e-3 * np.random.default_rng(0).standard_normal(rate)).astype(np.float32)
    pattern = click(rate)
    heard[rate // 5 : rate // 5 + len(pattern)] += 0.1 * pattern
    assert click_return(heard, rate) == pytest.approx(rate // 5, abs=2)


def test_a_click_that_did_not_come_back_is_not_made_up() -> None:
    """Noise, speech-like bursts or silence hold no click."""
    assert click_return(room(1.0), RATE) is None
    assert click_return(np.zeros(RATE, np.float32), RATE) is None
