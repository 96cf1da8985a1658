"""Active speech level by ITU-T P.56: how loud somebody is while speaking, pauses left out."""

import numpy as np
from numpy.typing import NDArray

from simulator.frame import Samples

# ITU-T P.56 (12/2011), method B.
_TIME_CONSTANT_S = 0.03
_HANGOVER_S = 0.2
_MARGIN_DB = 15.9
# The envelope is measured at this rate; the recommendation asks for at least 600 Hz.
_ENVELOPE_HZ = 1000
# Thresholds 6 dB apart, from -6 dBFS down to 30 dB below the 16-bit thresholds of the recommendation.
_THRESHOLDS = 0.5 ** np.arange(1, 21)
_SCAN = 512


def active_level_dbfs(samples: Samples, sample_rate: int) -> float:
    """Give the active speech level in dB relative to full scale (a full-scale square wave is 0 dBFS).

    samples: float32 (n,), full scale 1.0, at `sample_rate` Hz. -inf for silence, and for sound so short or so
    faint that it never counts as active.
    """
    block = max(1, sample_rate // _ENVELOPE_HZ)
    envelope = _envelope(samples, block, sample_rate / block)
    hangover = round(_HANGOVER_S * sample_rate / block)
    energy = float(np.sum(np.square(samples, dtype=np.float64)))
    active = np.array([_active(envelope, threshold, hangover) for threshold in _THRESHOLDS]) * block
    reached = active > 0
    if energy == 0 or not reached.any():
        return float("-inf")
    levels = 10 * np.log10(energy / active[reached])
    margins = levels - 20 * np.log10(_THRESHOLDS[reached])
    return _at_margin(levels, margins)


def _envelope(samples: Samples, block: int, rate_hz: float) -> NDArray[np.float64]:
    """Smooth the rectified signal twice; float64 (ceil(n / block),)."""
    padded = np.zeros(-(-len(samples) // block) * block)
    np.abs(samples, out=padded[: len(samples)])
    means = padded.reshape(-1, block).mean(axis=1)
    decay = float(np.exp(-1 / (rate_hz * _TIME_CONSTANT_S)))
    return _smooth(_smooth(means, decay), decay)


def _smooth(values: NDArray[np.float64], decay: float) -> NDArray[np.float64]:
    """Give y[i] = decay * y[i-1] + (1 - decay) * x[i], computed a stretch at a time by cumulative sums."""
    smooth = np.empty_like(values)
    powers = decay ** np.arange(1, _SCAN + 1)
    last = 0.0
    for start in range(0, len(values), _SCAN):
        part = values[start : start + _SCAN]
        scale = powers[: len(part)]
        smooth[start : start + _SCAN] = scale * (last + np.cumsum((1 - decay) * part / scale))
        last = float(smooth[start + len(part) - 1])
    return smooth


def _active(envelope: NDArray[np.float64], threshold: float, hangover: int) -> int:
    """Count the points at which the envelope reaches the threshold, or did at most `hangover` points ago."""
    index = np.arange(len(envelope))
    latest = np.maximum.accumulate(np.where(envelope >= threshold, index, -hangover - 1))
    return int(np.count_nonzero(index - latest <= hangover))


def _at_margin(levels: NDArray[np.float64], margins: NDArray[np.float64]) -> float:
    """Interpolate the level at which it lies 15.9 dB above its threshold; margins grow as thresholds fall."""
    above = int(np.searchsorted(margins, _MARGIN_DB))
    if above in (0, len(margins)):
        return float("-inf") if above else float(levels[0])
    share = (_MARGIN_DB - margins[above - 1]) / (margins[above] - margins[above - 1])
    return float(levels[above - 1] + share * (levels[above] - levels[above - 1]))
