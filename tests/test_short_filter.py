"""The channels' own resampler: as many samples as the time says, its delay exact, its aliases far down."""

import numpy as np
import pytest

from channels.short_filter import ShortResampler

RATES = [
    (24_000, 8_000),
    (8_000, 24_000),
    (16_000, 8_000),
    (44_100, 8_000),
    (8_000, 44_100),
    (48_000, 8_000),
    (8_000, 8_000),
]


def through(resampler: ShortResampler, sound: np.ndarray, frame: int) -> np.ndarray:
    """Resample frame by frame."""
    return np.concatenate([resampler(sound[at : at + frame].astype(np.float32)) for at in range(0, len(sound), frame)])


@pytest.mark.parametrize(("from_hz", "to_hz"), RATES)
@pytest.mark.parametrize("frame", [80, 441, 480])
def test_it_gives_as_many_samples_as_the_time_says(from_hz: int, to_hz: int, frame: int) -> None:
    """Whatever the frames, nothing is lost or added over a second."""
    count = from_hz // frame * frame
    assert abs(len(through(ShortResampler(from_hz, to_hz), np.zeros(count), frame)) - count * to_hz / from_hz) < 1


@pytest.mark.parametrize(("from_hz", "to_hz"), RATES)
def test_a_tone_passes_with_its_level_and_the_stated_delay(from_hz: int, to_hz: int) -> None:
    """1 kHz comes out within 0.1 dB, later by delay_s and by nothing else."""
    resampler = ShortResampler(from_hz, to_hz)
    delay_s = resampler.delay_s
    out = through(resampler, np.sin(2 * np.pi * 1000 * np.arange(from_hz) / from_hz), 441)
    times = np.arange(len(out)) / to_hz - delay_s
    settled = slice(round(0.1 * to_hz), round(0.9 * to_hz))
    expected = np.sin(2 * np.pi * 1000 * times)
    assert np.max(np.abs(out[settled] - expected[settled])) < 0.012


def test_what_the_lower_rate_cannot_hold_is_60_db_down() -> None:
    """A tone of 5 kHz leaves no alias at 8 kHz."""
    out = through(ShortResampler(24_000, 8_000), np.sin(2 * np.pi * 5000 * np.arange(24_000) / 24_000), 480)
    assert 20 * np.log10(np.max(np.abs(out[200:-200]))) < -55


@pytest.mark.parametrize("frame", [1, 80, 480, 1000])
def test_frames_do_not_show(frame: int) -> None:
    """The same samples come out however the sound is cut."""
    sound = np.random.default_rng(0).standard_normal(4000)
    whole = through(ShortResampler(24_000, 8_000), sound, 4000)
    assert np.allclose(through(ShortResampler(24_000, 8_000), sound, frame), whole, atol=1e-6)


@pytest.mark.parametrize(
    ("from_hz", "to_hz", "frame"), [(24_000, 8_000, 480), (8_000, 24_000, 160), (16_000, 8_000, 160)]
)
def test_whole_frames_come_out_as_any_lengths_do(from_hz: int, to_hz: int, frame: int) -> None:
    """The same samples by another way, and so many later as is asked for."""
    sound = np.random.default_rng(0).standard_normal(10 * frame)
    expected = through(ShortResampler(from_hz, to_hz), sound, 441)
    for late in (0, 4):
        of_frames = ShortResampler(from_hz, to_hz).of_frames(frame, late)
        assert of_frames is not None
        heard = of_frames(sound.astype(np.float32))
        assert np.allclose(heard[late:], expected[: len(expected) - late], atol=1e-5)
        assert not heard[:late].any()


@pytest.mark.parametrize(
    ("from_hz", "to_hz", "frame"), [(22_050, 8_000, 441), (24_000, 8_000, 80), (8_000, 8_000, 160)]
)
def test_rates_that_do_not_fit_have_no_way_of_whole_frames(from_hz: int, to_hz: int, frame: int) -> None:
    """Too many phases, a frame of no whole number of outputs, or nothing to do."""
    assert ShortResampler(from_hz, to_hz).of_frames(frame) is None
