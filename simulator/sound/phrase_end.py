"""How the sound of a phrase ends: how steeply it falls silent, and where the voice's pitch has gone.

A buffer that is flushed is gone from one moment to the next, a word that is finished dies away; a finished statement
has fallen in pitch (Ladd 2008, Intonational Phonology, ch. 3), one that is stopped midway has not. Neither says
anything alone: voices differ, and some synthetic ones end every phrase like a cut. What is measured here is to be held
against other ends of the same speaker.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from simulator.frame import Samples
from simulator.speech import PhraseEnd

BEFORE_S, AFTER_S = 3.0, 0.2
"""How much sound is looked at: as much as a phrase lasts, and the silence that tells the noise."""

_HOP_S = 0.0025
_LAST_SECOND = 400
_NOISE = slice(16, 80)
"""Hops from 40 to 200 ms behind the end."""
_DEPTH_DB = 50.0
"""What lies further under the speech counts as so far: the noise of rooms and the steps of 16 bits lie there."""
_BEFORE_HOPS, _AFTER_HOPS = 48, 24
"""The fall lies at most 120 ms before the end that a detector found, or 60 ms behind it."""
_NOTHING = 1e-12

_PITCH_RATE = 8000
_LOWEST_HZ, _HIGHEST_HZ = 60, 400
_STEP, _WINDOW, _SPECTRUM = 80, 400, 576
"""Every 10 ms, 50 ms long: three periods of the lowest voice; padded so that no lag up to one of them wraps around."""
_VOICED = 0.6
"""The least autocorrelation of a voiced frame; creak and noise stay below."""
_ALMOST = 0.9
"""The first peak this near to the highest is the period: later ones are its multiples."""
_FAINT = 1e-3
_LEAST, _LAST = 20, 6
"""Voiced frames that tell where a speaker's pitch lies, and those that are its last: 60 ms, a third of a syllable."""


def phrase_end(samples: Samples, end: int, sample_rate: int) -> PhraseEnd:
    """Say how the speech ends that ends at a sample.

    samples: float32 (n,), full scale 1.0: up to 3 s before the end, and 0.2 s behind it; what is missing there counts
    as silence.
    """
    missing = end + round(AFTER_S * sample_rate) - len(samples)
    padded = np.concatenate([samples, np.zeros(max(0, missing), np.float32)]).astype(np.float64)
    pitch = last_pitch_st(samples[:end], sample_rate)
    fall = fall_db(padded - np.median(padded), end, sample_rate)
    return PhraseEnd(fall_db=round(fall, 1), pitch_st=None if pitch is None else round(pitch, 1))


def fall_db(samples: NDArray[np.float64], end: int, sample_rate: int) -> float:
    """Give the steepest fall within 10 ms around an end, in dB, of levels between the noise's and the speech's.

    samples: float64 (n,), without an offset, 0.2 s at least behind the end.
    """
    hop = round(_HOP_S * sample_rate)
    skipped = end % hop
    last = end // hop
    whole = samples[skipped : skipped + (len(samples) - skipped) // hop * hop]
    levels = 10 * np.log10(np.maximum(np.square(whole).reshape(-1, hop).mean(axis=1), _NOTHING))
    speech = float(np.percentile(levels[max(0, last - _LAST_SECOND) : max(1, last)], 90))
    noise = float(np.percentile(levels[last + _NOISE.start : last + _NOISE.stop], 90))
    above = np.maximum(levels, max(noise, speech - _DEPTH_DB))[max(0, last - _BEFORE_HOPS) : last + _AFTER_HOPS]
    # From the louder of two hops to the loudest of those 7.5 to 12.5 ms later: a fade of 10 ms still is a fall.
    if len(above) < 7:
        return 0.0
    before = sliding_window_view(above, 2).max(axis=1)[:-5]
    after = sliding_window_view(above[4:], 3).max(axis=1)[: len(before)]
    return max(0.0, float((before[: len(after)] - after).max()))


def last_pitch_st(samples: Samples, sample_rate: int) -> float | None:
    """Give how far the last 60 ms of voice lie from the median pitch, in semitones; None where little is voiced.

    samples: float32 (n,), the speech up to its end.
    """
    voiced = pitches_hz(samples, sample_rate)
    if len(voiced) < _LEAST:
        return None
    return float(12 * np.log2(np.median(voiced[-_LAST:]) / np.median(voiced)))


def pitches_hz(samples: Samples, sample_rate: int) -> NDArray[np.float64]:
    """Give the pitch of every voiced frame, by autocorrelation of windowed frames over that of their window.

    Source: Boersma 1993, Accurate short-term analysis of the fundamental frequency (without its path finder).
    """
    import soxr

    sound = soxr.resample(samples, sample_rate, _PITCH_RATE) if sample_rate != _PITCH_RATE else samples
    if len(sound) < _WINDOW:
        return np.zeros(0)
    frames = sliding_window_view(sound.astype(np.float64), _WINDOW)[::_STEP]
    frames = frames - frames.mean(axis=1, keepdims=True)
    powers = np.square(frames).mean(axis=1)
    frames = frames[powers > max(_NOTHING, _FAINT * float(np.percentile(powers, 90)))]
    window = np.hanning(_WINDOW)
    shortest, longest = _PITCH_RATE // _HIGHEST_HZ, _PITCH_RATE // _LOWEST_HZ
    lags = slice(shortest - 1, longest + 2)
    alike = _autocorrelation(frames * window, lags) / _autocorrelation(window, lags)
    inner = alike[:, 1:-1]
    highest = inner.max(axis=1, initial=0.0)
    peaks = (inner >= alike[:, :-2]) & (inner >= alike[:, 2:]) & (inner > _ALMOST * highest[:, None])
    found = (highest >= _VOICED) & peaks.any(axis=1)
    return np.asarray(_PITCH_RATE / (shortest + peaks[found].argmax(axis=1)), np.float64)


def _autocorrelation(frames: NDArray[np.float64], lags: slice) -> NDArray[np.float64]:
    """Of each frame, in parts of that at lag 0."""
    sums = np.fft.irfft(np.abs(np.fft.rfft(frames, _SPECTRUM)) ** 2, _SPECTRUM)
    return np.asarray(sums[..., lags] / sums[..., :1])
