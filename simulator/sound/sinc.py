"""Sound between its samples: a windowed sinc, its taps by the fraction of a sample."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray


@lru_cache(maxsize=16)
def sinc_taps(half: int, phases: int, beta: float, above: float = 1.0) -> NDArray[np.float32]:
    """Give the filter for every fraction of a sample up to a whole one: float32 (phases + 1, 2 * half), sums of 1.

    half: taps on either side. phases: fractions that are told apart. beta: of the Kaiser window. above: by how much
    everything goes up; what would go beyond the highest frequency is left out.
    """
    fraction = np.arange(phases + 1)[:, None] / phases
    away = np.arange(2 * half)[None, :] - (half - 1) - fraction
    window = np.i0(beta * np.sqrt(np.clip(1 - (away / half) ** 2, 0, 1))) / np.i0(beta)
    taps = np.sinc(away / above) * window
    return np.asarray(taps / taps.sum(axis=1, keepdims=True), np.float32)
