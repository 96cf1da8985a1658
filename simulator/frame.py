"""Audio frames: the one thing that actors, lines and recorders exchange.

Samples are float32, full scale 1.0, mono, read-only. What is said is kept on the int16 grid (multiples of 1/32768),
so that conversation.wav is exactly what was said and a replay hears exactly what was heard.
"""

from functools import lru_cache

import msgspec
import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
Pcm16 = NDArray[np.int16]

PCM_SCALE = 32768.0
# Arrays of no dimension: numpy takes a third longer to work with a number, of its own or of Python's.
_SCALE = np.array(PCM_SCALE, np.float32)
_STEP = np.array(1 / PCM_SCALE, np.float32)
_TOP, _BOTTOM = np.array(32767 / PCM_SCALE, np.float32), np.array(-1, np.float32)
_TOP_PCM, _BOTTOM_PCM = np.array(32767, np.float32), np.array(-32768, np.float32)


class AudioFrame(msgspec.Struct, frozen=True, gc=False):
    """A stretch of sound at a place on the session timeline.

    start: int, samples since the beginning of the session. samples: float32 (n,), full scale 1.0, read-only.
    """

    start: int
    samples: Samples


@lru_cache(maxsize=4096)  # the lengths of blocks, each a view of a few bytes
def silence(count: int) -> Samples:
    """Give `count` samples of digital silence, always the same array: `samples is silence(n)` asks for silence.

    float32 (count,), read-only. Ears, mixing and noise skip their work on it, which a test by value could not save.
    """
    return _zeros(1 << max(16, (count - 1).bit_length()))[:count]


@lru_cache(maxsize=32)
def _zeros(count: int) -> Samples:
    return freeze(np.zeros(count, np.float32))


def freeze(samples: Samples) -> Samples:
    """Make the array read-only and return it."""
    samples.setflags(write=False)
    return samples


def energies(samples: Samples, count: int) -> NDArray[np.float32]:
    """Give the energy (sum of squares) of every frame of `count` samples of a block: float32 (n,) -> (n / count,).

    To the bit what np.dot gives frame by frame: what ears decide must not depend on how many frames they are handed.
    """
    frames = samples.reshape(-1, count)
    if _vecdot is not None:
        return _vecdot(frames, frames)  # type: ignore[no-any-return]
    return np.array([np.dot(frame, frame) for frame in frames], np.float32)


_vecdot = getattr(np, "vecdot", None)  # numpy 2; equal to np.dot in every bit, which a test holds


def to_grid(samples: Samples) -> Samples:
    """Put samples on the int16 grid, clipped to full scale; float32 (n,) in, a new read-only float32 (n,) out.

    Values already on the grid are unchanged.
    """
    grid = samples * _SCALE
    np.rint(grid, out=grid)
    grid *= _STEP
    # The two halves of np.clip: its wrapper costs more than a frame of 20 ms.
    np.maximum(grid, _BOTTOM, out=grid)
    np.minimum(grid, _TOP, out=grid)
    return freeze(grid)


def from_pcm16(pcm: NDArray[np.int16]) -> Samples:
    """Convert int16 samples to float32, full scale 1.0; any shape, read-only."""
    return freeze(pcm.astype(np.float32) * _STEP)


def to_pcm16(samples: Samples) -> Pcm16:
    """Convert float32 samples, full scale 1.0, to int16: rounded to nearest, clipped; any shape."""
    scaled = samples * _SCALE
    np.rint(scaled, out=scaled)
    np.maximum(scaled, _BOTTOM_PCM, out=scaled)
    np.minimum(scaled, _TOP_PCM, out=scaled)
    return scaled.astype(np.int16)
