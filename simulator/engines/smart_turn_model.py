"""Smart Turn's model (v3): how probable it is that a turn is over, from how its last eight seconds sound.

The model is found inside pipecat-ai's package, of which nothing is imported. It hears what Whisper hears, a log-mel
spectrogram: 80 bands on Slaney's scale, 400 samples every 160 at 16 kHz, the last 8 s, zeros before shorter sound.
"""

from functools import cache
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from simulator.engines.activity import DETECTOR_HZ
from simulator.engines.onnx_file import opened
from simulator.engines.weights import package_folders
from simulator.errors import ScenarioError
from simulator.frame import Samples
from simulator.sound import recordings

INSTALL = "pip install --no-deps pipecat-ai, or give model: a path"
_PLACE = "audio/turn/smart_turn/data"
_SECONDS, _WINDOW, _HOP, _BANDS = 8, 400, 160, 80
# Slaney's scale: linear up to 1 kHz, 15 bands of 200/3 Hz, then 27 to each factor of 6.4.
_LINEAR_HZ, _LINEAR_BANDS, _PER_FACTOR = 1000.0, 15.0, 27 / np.log(6.4)
_FLOOR, _RANGE = 1e-10, 8.0


def model_file() -> Path:
    """Give the newest model of an installed package. ScenarioError: there is none."""
    for folder in package_folders("pipecat"):
        models = sorted((folder / _PLACE).glob("smart-turn-v3*-cpu.onnx"))
        if models:
            return models[-1]
    raise ScenarioError(f"the end-of-turn model smart_turn is not installed; {INSTALL}")


@cache
def load(path: Path) -> Any:
    """Open a model. ScenarioError: it is none, or takes something else."""
    try:
        session = opened(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ScenarioError(f"{path}: is no model of Smart Turn: {error}") from error
    taken = [(item.name, item.shape[1:]) for item in session.get_inputs()]
    if taken != [("input_features", [_BANDS, _SECONDS * DETECTOR_HZ // _HOP])]:
        raise ScenarioError(f"{path}: is no model of Smart Turn: it takes {', '.join(name for name, _ in taken)}")
    return session


def complete(session: Any, samples: Samples, sample_rate: int) -> float:
    """Give the probability, 0 to 1, that a turn is over, from its sound up to now: float32 (n,) at any rate."""
    features = log_mel(recordings.resample(samples, sample_rate, DETECTOR_HZ))
    (found,) = session.run(None, {"input_features": features[None]})
    return float(found[0, 0])


def log_mel(heard: Samples) -> Samples:
    """Give the spectrogram of the last 8 s, float32 (n,) at 16 kHz -> (80, 800), about -1 to 1.

    The sound is brought to mean 0 and variance 1 first, silence before it included; levels more than 8 decades of power
    under the loudest are cut off.
    """
    length = _SECONDS * DETECTOR_HZ
    sound = np.pad(heard, (max(0, length - len(heard)), 0))[-length:].astype(np.float32)
    sound = (sound - sound.mean()) / np.sqrt(sound.var() + np.float32(1e-7))
    padded = np.pad(sound.astype(np.float64), _WINDOW // 2, mode="reflect")
    windows = sliding_window_view(padded, _WINDOW)[::_HOP][:-1]
    powers = np.abs(np.fft.rfft(windows * np.hanning(_WINDOW + 1)[:-1])) ** 2
    levels = np.log10(np.maximum(powers @ _filters(), _FLOOR))
    return cast(Samples, ((np.maximum(levels, levels.max() - _RANGE) + 4) / 4).T.astype(np.float32))


@cache
def _filters() -> NDArray[np.float64]:
    """The triangles of the bands, each of area 1: (201 frequencies, 80 bands)."""
    top = _LINEAR_BANDS + np.log(DETECTOR_HZ / 2 / _LINEAR_HZ) * _PER_FACTOR
    places = np.linspace(0, top, _BANDS + 2)
    linear = places * _LINEAR_HZ / _LINEAR_BANDS
    corners = np.where(places < _LINEAR_BANDS, linear, _LINEAR_HZ * np.exp((places - _LINEAR_BANDS) / _PER_FACTOR))
    frequencies = np.linspace(0, DETECTOR_HZ / 2, _WINDOW // 2 + 1)[:, None]
    low, middle, high = corners[:-2], corners[1:-1], corners[2:]
    rising, falling = (frequencies - low) / (middle - low), (high - frequencies) / (high - middle)
    filters: NDArray[np.float64] = np.maximum(0, np.minimum(rising, falling)) * 2 / (high - low)
    return filters
