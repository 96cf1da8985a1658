"""Speech without what lies below it: a constant offset, rumble and the ground tone of mains hum are taken away.

Cheap converters add a constant, microphones pick up floors and fans; both are energy that nobody hears and that drowns
the rise of a voice. A linear-phase filter takes away what lies under 50 Hz, below every voice, and delays nothing.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from simulator.frame import Samples

CUTOFF_HZ = 50.0
"""Half the amplitude is gone here; a deep voice begins at 70 Hz."""

_HALF_S = 0.04
# A transform this many times as long as the filter costs least per sample.
_SPAN = 8


def above_rumble(blocks: Iterable[Samples], sample_rate: int) -> Iterator[Samples]:
    """Give the same recording without what lies under 50 Hz, in blocks of other lengths but as many samples in all.

    blocks: float32 (n,) each, full scale 1.0, of any lengths; the result does not depend on them, and memory is a
    block. Before its beginning and after its end the recording is taken to stand still at the mean of its first and
    last 40 ms: an offset that is simply there is no step.
    """
    response, taps = _filter(sample_rate)
    half = taps // 2
    step = _SPAN * taps - taps + 1
    waiting: Samples = np.zeros(0, np.float32)
    began = False
    for block in blocks:
        waiting = np.concatenate([waiting, block])
        if not began and len(waiting) >= half:
            waiting, began = np.concatenate([_still(waiting[:half], half), waiting]), True
        while began and len(waiting) >= step + 2 * half:
            yield _filtered(waiting[: step + 2 * half], response, taps)
            waiting = waiting[step:]
    if not began:
        waiting = np.concatenate([_still(waiting[:half], half), waiting])
    waiting = np.concatenate([waiting, _still(waiting[half:][-half:], half)])
    for start in range(0, len(waiting) - 2 * half, step):
        yield _filtered(waiting[start : start + step + 2 * half], response, taps)


def _still(edge: Samples, length: int) -> Samples:
    return np.full(length, edge.mean(dtype=np.float64) if len(edge) else 0.0, np.float32)


def _filtered(part: Samples, response: NDArray[np.complex128], taps: int) -> Samples:
    """Filter n + taps - 1 samples to n."""
    size = _SPAN * taps
    whole = np.fft.irfft(np.fft.rfft(part, size) * response, size)
    return whole[taps - 1 : len(part)].astype(np.float32)


@lru_cache(maxsize=8)
def _filter(sample_rate: int) -> tuple[NDArray[np.complex128], int]:
    """Give the spectrum of the filter, one for all lengths of part, and how many taps it has (an odd number)."""
    half = round(_HALF_S * sample_rate)
    at = np.arange(-half, half + 1)
    low = np.sinc(2 * CUTOFF_HZ / sample_rate * at) * np.blackman(len(at))
    taps = -low / low.sum()
    taps[half] += 1
    return np.fft.rfft(taps, _SPAN * len(taps)), len(taps)
