"""A short filter over a live stream, and from one rate to another, as products of small matrices.

Every `down` samples that come give `up` samples, each by the filter of its place between two samples that came. Rows of
a few dozen outputs share a matrix, so a frame is one product, which is cheaper than transforms of up to some thousand
taps and cheaper than a correlation for each filter.
"""

import numpy as np
from numpy.typing import NDArray

from simulator.frame import Samples

COLUMNS = 32
"""Outputs of a row: fewer copy more of what rows share, more multiply more zeros. Two registers of AVX-512."""
MOST_WORK = 1 << 18
"""Multiplications of one product. Above it OpenBLAS wakes threads, which cost other cores' time and sum in an order of
their own."""


class Polyphase:
    """Filters whole frames: float32 (k * frame_samples,) gives (k * frame_samples * up / down,).

    taps: (up, n), the filter of each fraction of a sample, over the n samples that end with the one before the output's
    place. late: by how many samples of its own the output comes later. Every product has the same shape, so the bits of
    an output do not depend on how many frames are handed over. ValueError when `down` is no part of a frame.
    """

    def __init__(self, taps: NDArray[np.floating], down: int, frame_samples: int, late: int = 0) -> None:
        up, length = taps.shape
        periods, rest = divmod(frame_samples, down)
        if rest:
            raise ValueError(f"a frame of {frame_samples} samples is no whole number of periods of {down}")
        wide = _largest_part(periods, COLUMNS // up)
        first, phase = np.divmod((np.arange(wide * up) - late) * down, up)
        early = -int(first[0])
        first += early
        reach = int(first[-1]) + length
        self._matrix = np.zeros((reach, wide * up), np.float32)
        self._matrix[first + np.arange(length)[:, None], np.arange(wide * up)] = taps[phase].T
        rows = _largest_part(periods // wide, MOST_WORK // self._matrix.size)
        self._product = rows * wide * down
        """Samples that come for one product: a frame, or a part of it."""
        self._rows = rows, reach
        self._strides = 4 * self._product, 4 * wide * down, 4
        self._past: Samples = np.zeros(length + early, np.float32)

    def __call__(self, samples: Samples) -> Samples:
        """Give what comes of the next frames."""
        known = np.concatenate([self._past, samples])
        self._past = known[len(samples) :]
        # The constructor: `as_strided` costs half of what the product does. A copy: BLAS takes no rows that overlap.
        windows = np.ndarray((len(samples) // self._product, *self._rows), np.float32, known, 0, self._strides)
        filtered: Samples = windows.copy() @ self._matrix
        return filtered.reshape(-1)


def convolution(response: Samples, frame_samples: int) -> Polyphase:
    """Give what convolves frames with a response: float32 (n,)."""
    # Its filter ends with the sample at the output's place: the one before that of the next.
    return Polyphase(response[None, ::-1], 1, frame_samples, -1)


def _largest_part(whole: int, most: int) -> int:
    """The largest divisor of `whole` that is at most `most`; 1 where there is no other."""
    return max(part for part in range(1, max(1, min(whole, most)) + 1) if whole % part == 0)
