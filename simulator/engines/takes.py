"""A folder of takes as a voice: what somebody said once is played wherever it is to be said.

    voice: {kind: file, folder: takes}

A take is a sound file; what is said in it stands beside it (`take7.wav`, `take7.txt`), or is its name
(`what-time-do-you-open.wav`). Texts are compared by letters and digits alone.
"""

import hashlib
from functools import cached_property
from pathlib import Path

from simulator.engines import NATURAL_WPM, Utterance
from simulator.engines.kinds import VoiceSpec
from simulator.engines.trimmed import audible
from simulator.errors import ScenarioError, SessionError
from simulator.frame import freeze, silence
from simulator.sound.recordings import SOUND_SUFFIXES, open_recording
from simulator.texts import quoted, spelled

NOMINAL_HZ = 24_000
"""The rate of a text that has no sound."""


class TakesSpec(VoiceSpec, frozen=True, kw_only=True, tag="file", omit_defaults=True):
    """Recorded takes: `{kind: file, folder: takes}`; each at its own speed. language: what they speak.

    folder: where the takes lie.
    """

    folder: Path
    language: str = ""

    @property
    def label(self) -> str:
        """What it is called."""
        return f"file {self.folder.name}"

    def check(self) -> None:
        """Refuse a folder that is not there, or holds no take."""
        takes_in(self.folder)

    def speaks(self) -> str:
        """What was said of it."""
        return self.language

    def build(self) -> "Takes":
        """Make the voice."""
        return Takes(self.folder)


class Takes:
    """Text to speech by recordings."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @cached_property
    def version(self) -> str:
        """What tells the folder's files from others: names, sizes, times."""
        told = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in sorted(self._folder.iterdir())]
        return hashlib.sha256(repr(told).encode()).hexdigest()

    def synthesize(self, text: str, words_per_minute: int = NATURAL_WPM) -> Utterance:
        """Play the take of a text, trimmed at both ends; words are found by alignment. ScenarioError: there is none."""
        takes = takes_in(self._folder)
        if not spelled(text):
            return Utterance(text=text, samples=silence(0), sample_rate=NOMINAL_HZ)
        if spelled(text) not in takes:
            raise ScenarioError(f"{self._folder}: has no take of {quoted(text)}; record it, or name one of its "
                                f"{len(takes)} so with a .txt beside it")  # fmt: skip
        path = takes[spelled(text)]
        try:
            recording = open_recording(path, channels=(0,))
            samples = recording.read(0)
        except SessionError as error:
            raise ScenarioError(str(error)) from error
        first, last = audible(samples, recording.sample_rate)
        return Utterance(text=text, samples=freeze(samples[first:last].copy()), sample_rate=recording.sample_rate)


def takes_in(folder: Path) -> dict[str, Path]:
    """Give the takes of a folder by what is said in them. ScenarioError: there are none, or two say the same."""
    if not folder.is_dir():
        raise ScenarioError(f"there is no folder {folder} of takes")
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower().removeprefix(".") not in SOUND_SUFFIXES:
            continue
        beside = path.with_suffix(".txt")
        said = beside.read_text("utf-8", "replace") if beside.is_file() else path.stem.replace("-", " ")
        if spelled(said) in found:
            raise ScenarioError(f"{folder}: {found[spelled(said)].name} and {path.name} are takes of the same text")
        found[spelled(said)] = path
    if not found:
        raise ScenarioError(f"{folder}: holds no takes; they are sound files ({', '.join(SOUND_SUFFIXES[:4])} ...)")
    return found
