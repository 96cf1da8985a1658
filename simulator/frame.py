"""Audio frames: the one thing that actors, lines and recorders exchange.

Samples are float32, full scale 1.0, mono, read-only. What is said is kept on the int16 grid (multiples of 1/32768),
so that conversation.wav is exactly what was said and a replay hears exactly what was heard.
"""

from functools import lru_cache

import msgspec
import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

PCM_SCALE = 32768.0
_TOP = np.float32(32767 / PCM_SCALE)
_BOTTOM = np.float32(-1.0)


class AudioFrame(msgspec.Struct, frozen=True, gc=False):
    """A stretch of sound at a place on the session timeline.

    start: int, samples since the beginning of the session. samples: float32 (n,), full scale 1.0, read-only.
    """

    start: int
    samples: Samples


@lru_cache(maxsize=64)
def silence(count: int) -> Samples:
    """Give `count` samples of digital silence, always the same array: `samples is silence(n)` asks for silence.

    float32 (count,), read-only. Ears, mixing and noise skip their work on it, which a test by value could not save.
    """
    zeros = np.zeros(count, np.float32)
    zeros.flags.writeable = False
    return zeros


def freeze(samples: Samples) -> Samples:
    """Make the array read-only and return it."""
    samples.flags.writeable = False
    return samples


def to_grid(samples: Samples) -> Samples:
    """Put samples on the int16 grid, clipped to full scale; float32 (n,) in, a new read-only float32 (n,) out.

    Values already on the grid are unchanged. NaN becomes silence: a recorder must never hold what int16 cannot.
    """
    grid = samples * np.float32(PCM_SCALE)
    np.rint(grid, out=grid)
    grid *= np.float32(1 / PCM_SCALE)
    np.clip(grid, _BOTTOM, _TOP, out=grid)
    return freeze(grid)


def from_pcm16(pcm: NDArray[np.int16]) -> Samples:
    """Convert int16 samples to float32, full scale 1.0; any shape, read-only."""
    return freeze(pcm.astype(np.float32) * np.float32(1 / PCM_SCALE))


def to_pcm16(samples: Samples) -> NDArray[np.int16]:
    """Convert float32 samples, full scale 1.0, to int16: rounded to nearest, clipped; any shape."""
    scaled: Samples = np.clip(np.rint(samples * np.float32(PCM_SCALE)), -32768, 32767)
    return scaled.astype(np.int16)
