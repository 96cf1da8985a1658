"""Filters as products of matrices: what is worked out by hand, and numpy's own convolution."""

import numpy as np
import pytest

from channels.polyphase import Polyphase, convolution


def through(filtered: Polyphase, sound: np.ndarray, count: int) -> np.ndarray:
    """Filter so many samples at a time."""
    return np.concatenate([filtered(sound[at : at + count]) for at in range(0, len(sound), count)])


def test_a_filter_is_worked_out_by_hand() -> None:
    """Two samples for each that comes: the one before its place, and the mean of the two before; a sample later."""
    taps = np.array([[0, 1], [0.5, 0.5]])
    sound = np.array([2, 4, 8, 16], np.float32)
    assert Polyphase(taps, 1, 4)(sound).tolist() == [0, 0, 2, 1, 4, 3, 8, 6]
    assert Polyphase(taps, 1, 4, late=1)(sound).tolist() == [0, 0, 0, 2, 1, 4, 3, 8]


def test_one_sample_of_three_is_given() -> None:
    """The sum of the three that came before each place."""
    assert Polyphase(np.ones((1, 3)), 3, 6)(np.arange(6, dtype=np.float32)).tolist() == [0, 0 + 1 + 2]


@pytest.mark.parametrize(("taps", "frame"), [(480, 480), (1, 480), (1000, 441), (33, 7), (480, 1920), (300, 163)])
def test_a_convolution_is_numpys(taps: int, frame: int) -> None:
    """Whatever the response and the frames, one that has no divisors among them."""
    rng = np.random.default_rng(taps)
    response, sound = rng.standard_normal(taps).astype(np.float32), rng.standard_normal(20 * frame).astype(np.float32)
    expected = np.convolve(sound.astype(np.float64), response)[: len(sound)]
    assert np.allclose(through(convolution(response, frame), sound, frame), expected, atol=1e-4)


@pytest.mark.parametrize("at_once", [2, 5, 20])
def test_frames_do_not_show(at_once: int) -> None:
    """To the last bit, however many are handed over."""
    rng = np.random.default_rng(0)
    response, sound = rng.standard_normal(480).astype(np.float32), rng.standard_normal(20 * 480).astype(np.float32)
    one_by_one = through(convolution(response, 480), sound, 480)
    assert through(convolution(response, 480), sound, at_once * 480).tobytes() == one_by_one.tobytes()


def test_a_frame_of_no_whole_periods_is_refused() -> None:
    """It has no output of its own length."""
    with pytest.raises(ValueError, match="no whole number of periods of 3"):
        Polyphase(np.ones((1, 3)), 3, 80)
