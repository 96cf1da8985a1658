"""Convolution of a live stream with a fixed response, frame by frame, no frame late.

The response is cut into parts as long as a frame; the spectra of the frames heard so far are multiplied with those of
the parts and added up (uniformly partitioned overlap-save, see Wefers 2015). Transforms of several frames at
once are one call, which is what makes a block cheap; each row of it has the bits that it has alone.
"""

import numpy as np
from numpy.typing import NDArray

from simulator.frame import Samples, freeze, silence

Spectra = NDArray[np.complexfloating]


class Convolver:
    """Convolves frames of `frame_samples` samples with a response: float32 (n,).

    At rest (nothing but silence for as long as the response) it gives `silence(n)` and costs a comparison.
    """

    def __init__(self, response: Samples, frame_samples: int) -> None:
        self._count = frame_samples
        self._size = 2 * frame_samples
        parts = -(-len(response) // frame_samples)
        padded = np.zeros(parts * frame_samples, np.float32)
        padded[: len(response)] = response
        self._parts = np.fft.rfft(padded.reshape(parts, frame_samples), self._size)
        self._past: Spectra = np.zeros((parts - 1, self._parts.shape[1]), self._parts.dtype)
        self._last: Samples = np.zeros(frame_samples, np.float32)
        self._quiet = parts + 1
        """Frames of silence in a row; from `parts` + 1 on nothing of the past is left."""

    def __call__(self, samples: Samples) -> Samples:
        """Take whole frames, float32 (k * frame_samples,), and give as many samples, read-only."""
        count = len(samples)
        if samples is silence(count):
            if self._quiet > len(self._parts):
                return silence(count)
            self._quiet += count // self._count
        else:
            self._quiet = 0
        frames = count // self._count
        spectra = self._heard(samples, frames)
        known = np.concatenate([self._past, spectra]) if len(self._past) else spectra
        self._past = known[frames:]
        behind = len(self._parts) - 1
        if frames == 1:
            # Row by row in the same order as below, in two calls.
            total = np.add.reduce(known[::-1] * self._parts, axis=0, keepdims=True)
        else:
            total = known[behind : behind + frames] * self._parts[0]
            for part in range(1, behind + 1):
                total += known[behind - part : behind - part + frames] * self._parts[part]
        said = np.fft.irfft(total, self._size)[:, self._count :].astype(np.float32, copy=False)
        return freeze(said.reshape(-1) if frames > 1 else said[0])

    def _heard(self, samples: Samples, frames: int) -> Spectra:
        """The spectra of each frame with the one before it."""
        rows = np.empty((frames, self._size), np.float32)
        rows[:, self._count :] = samples.reshape(frames, self._count)
        rows[0, : self._count] = self._last
        rows[1:, : self._count] = rows[:-1, self._count :]
        self._last = samples[len(samples) - self._count :]
        return np.fft.rfft(rows)
