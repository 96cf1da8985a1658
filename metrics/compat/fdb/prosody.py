"""Pitch and intensity by Praat, with the settings and fall-backs that Full-Duplex-Bench has."""

from typing import Any

import msgspec
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from simulator.errors import ScenarioError, SessionError
from simulator.frame import Samples
from simulator.texts import install_of

STEP_S = 0.01
PITCH_FLOOR_HZ = 50.0
PITCH_CEILING_HZ = 600.0
SILENCE_FLOOR_DB = -200.0
SMALLEST_RMS = 1e-10


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """A mean and a standard deviation (ddof 1)."""

    mean: float = 0.0
    std: float = 0.0


def pitch(samples: Samples, rate: int) -> Spread:
    """Give the spread of the fundamental frequency in Hz over voiced frames; 0 and 0 when there are none.

    samples: float32 (n,). SessionError when the sound is too short for a floor of 50 Hz (60 ms).
    """
    praat = _praat()
    try:
        sound = praat.Sound(samples.astype(np.float64), sampling_frequency=rate)
        track = sound.to_pitch(time_step=STEP_S, pitch_floor=PITCH_FLOOR_HZ, pitch_ceiling=PITCH_CEILING_HZ)
    except (praat.PraatError, ValueError) as error:
        raise SessionError(f"{len(samples) / rate:.3f} s of sound is too short for a pitch") from error
    found = track.selected_array["frequency"].astype(np.float32)
    return spread(found[(found > 0) & (found <= PITCH_CEILING_HZ)])


def intensity(samples: Samples, rate: int) -> Spread:
    """Give the spread of the intensity in dB (re 20 uPa, as Praat has it).

    samples: float32 (n,). SessionError when the sound is too short for Praat (64 ms) or silent throughout.
    """
    praat = _praat()
    try:
        sound = praat.Sound(samples.astype(np.float64), sampling_frequency=rate)
        found = sound.to_intensity(time_step=STEP_S).values.T.flatten()
    except (praat.PraatError, ValueError) as error:
        raise SessionError(f"{len(samples) / rate:.3f} s of sound is too short for an intensity") from error
    found = found[found > SILENCE_FLOOR_DB].astype(np.float32)
    if len(found) == 0:
        raise SessionError(f"{len(samples) / rate:.3f} s of sound is silent: it has no intensity")
    return spread(found)


def level(samples: Samples, rate: int) -> Spread:
    """Give the spread of the level of 10 ms frames in dBFS, no scale of `intensity`; silence is -200."""
    return spread(_levels(samples, rate))


def _levels(samples: Samples, rate: int) -> NDArray[np.float32]:
    """Give the level of whole 10 ms frames in dBFS, floored at -200; of a shorter sound, of what there is."""
    frame = max(1, round(rate * STEP_S))
    if len(samples) < frame:
        power = np.mean(samples.astype(np.float32) ** 2, keepdims=True) + np.float32(SMALLEST_RMS)
        return np.asarray(20.0 * np.log10(np.sqrt(power)), np.float32)
    frames = sliding_window_view(samples.astype(np.float32, copy=False), frame)[::frame]
    rms = np.sqrt(np.mean(frames * frames, axis=1))
    return np.asarray(20.0 * np.log10(np.maximum(rms, np.float32(SMALLEST_RMS))), np.float32)


def spread(values: NDArray[np.float32]) -> Spread:
    """Give mean and standard deviation (ddof 1) of float32 values, in their own precision.

    No values: 0 and 0. All alike: exactly that value and exactly 0, which a float32 sum would miss.
    """
    if len(values) == 0:
        return Spread()
    if len(values) == 1 or bool(np.all(values == values[0])):
        return Spread(mean=float(values[0]))
    return Spread(mean=float(np.mean(values)), std=float(np.std(values, ddof=1)))


def require_praat() -> None:
    """Refuse before anything is measured when Praat is not installed: ScenarioError."""
    _praat()


def _praat() -> Any:
    try:
        import parselmouth
    except ImportError:
        raise ScenarioError(f"prosody needs praat-parselmouth; {install_of('quality')}") from None
    return parselmouth
