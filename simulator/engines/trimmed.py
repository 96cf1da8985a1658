"""The part of what a voice says that can be heard: models and servers leave silence and breath at both ends."""

import numpy as np
from numpy.typing import NDArray

from simulator.frame import Samples

# Samples under this part of the peak (-40 dB) are breath and noise ...
_INAUDIBLE = 0.01
# ... but for so much of them, which the softest consonants need.
_MARGIN_S = 0.03


def audible(
    said: Samples | NDArray[np.int32], rate: int, *, under: float = _INAUDIBLE, margin_s: float = _MARGIN_S
) -> tuple[int, int]:
    """Give the first and one past the last sample that are kept; (0, 0) of silence. said: (n,), any scale.

    under: the part of the peak that is not heard. margin_s: so much of what is not heard is kept at both ends.
    """
    level = np.abs(said)
    loud = np.flatnonzero(level > under * level.max(initial=0))
    margin = round(margin_s * rate)
    return (max(0, int(loud[0]) - margin), min(len(said), int(loud[-1]) + 1 + margin)) if len(loud) else (0, 0)
