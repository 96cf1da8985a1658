"""Convolution of a live stream with a fixed response, frame by frame, no frame late.

A short response is multiplied out. A long one is cut into parts as long as a frame; the spectra of the frames heard so
far are multiplied with those of the parts and added up (uniformly partitioned overlap-save, see Wefers 2015).
Transforms of several frames at once are one call, which is what makes a block cheap; each row of it has the bits that
it has alone.
"""

import numpy as np
from numpy.typing import NDArray

from channels.polyphase import convolution
from simulator.frame import Samples, freeze, silence

Spectra = NDArray[np.complexfloating]

LONGEST_DIRECT = 1000
"""Samples of a response from which on transforms are cheaper in blocks, where a product of matrices takes as long as
frame by frame."""
FEW = 6
"""So many frames have the parts laid out for them, which numpy multiplies a third faster: an echo's of 100 ms."""
AHEAD = 32
"""Frames until the memory of spectra moves to its front again."""


class Convolver:
    """Convolves frames of `frame_samples` samples with a response: float32 (n,).

    At rest (nothing but silence for as long as the response) it gives `silence(n)` and costs a comparison.
    """

    def __init__(self, response: Samples, frame_samples: int) -> None:
        self._count = frame_samples
        self._length = len(response)
        direct = self._length <= LONGEST_DIRECT
        self._convolved = convolution(response, frame_samples) if direct else Partitioned(response, frame_samples)
        self._quiet = self._length + 2 * frame_samples
        """Samples of silence in a row; a response and two frames of them leave nothing of the past."""

    def __call__(self, samples: Samples) -> Samples:
        """Take whole frames, float32 (k * frame_samples,), and give as many samples, read-only."""
        count = len(samples)
        if samples is not silence(count):
            self._quiet = 0
        elif self._quiet >= self._length + 2 * self._count:
            return silence(count)
        else:
            self._quiet += count
        return freeze(self._convolved(samples))


class Partitioned:
    """Convolves in parts as long as a frame."""

    def __init__(self, response: Samples, frame_samples: int) -> None:
        self._count = frame_samples
        self._size = 2 * frame_samples
        parts = -(-len(response) // frame_samples)
        padded = np.zeros(parts * frame_samples, np.float32)
        padded[: len(response)] = response
        # The last first, as the frames of the past lie in memory.
        self._parts: Spectra = np.fft.rfft(padded.reshape(parts, frame_samples), self._size)[::-1].copy()
        self._of_few = np.repeat(self._parts[:, None], FEW, axis=1)
        self._memory: Spectra = np.zeros((parts - 1 + AHEAD, self._parts.shape[1]), self._parts.dtype)
        self._end = parts - 1
        self._last: Samples = np.zeros(frame_samples, np.float32)

    def __call__(self, samples: Samples) -> Samples:
        """Take whole frames and give as many samples."""
        frames = len(samples) // self._count
        heard = np.concatenate([self._last, samples])
        self._last = samples[len(samples) - self._count :]
        # Each frame with the one before it; the constructor, as `as_strided` costs half of what a transform does.
        rows = np.ndarray((frames, self._size), np.float32, heard, strides=(4 * self._count, 4))
        known = self._known(np.fft.rfft(rows))
        if frames == 1:
            # The sum of rows is the loop's below, in its order.
            total = np.add.reduce(known * self._parts, axis=0, keepdims=True)
        else:
            parts = self._of_few[:, :frames] if frames <= FEW else self._parts
            total = known[:frames] * parts[0]
            product = np.empty_like(total)
            for part in range(1, len(parts)):
                total += np.multiply(known[part : part + frames], parts[part], out=product)
        # numpy 1 knows transforms of float64 only.
        said = np.fft.irfft(total, self._size)[:, self._count :].astype(np.float32, copy=False)
        return said.reshape(-1)

    def _known(self, spectra: Spectra) -> Spectra:
        """Remember the spectra of new frames, and give them with those before them that still sound."""
        behind, frames = len(self._parts) - 1, len(spectra)
        if self._end + frames > len(self._memory):
            kept = self._memory[self._end - behind : self._end]
            room = np.empty((max(AHEAD, frames), spectra.shape[1]), spectra.dtype)
            self._memory, self._end = np.concatenate([kept, room]), behind
        self._memory[self._end : self._end + frames] = spectra
        self._end += frames
        return self._memory[self._end - behind - frames : self._end]
