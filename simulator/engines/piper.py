"""Neural voices: any voice made for Piper, run by onnxruntime on espeak's phonemes; Piper itself is not needed.

    voice: piper                                  the voice that an installed package brings
    voice: en_US-joe-medium                       one of several, by its name
    voice: {kind: piper, model: ~/voices/de_DE-thorsten-high.onnx}

A voice draws noise for its sound and for its rhythm; both are left out (scales of 0), so that the same text gives the
same bytes. How long each phoneme lasts is an output of the model's one Ceil node, in steps of a fixed number of
samples: word onsets are truth, to the step. A model whose durations cannot be read tells no words; alignment finds
them.
"""

import hashlib
import threading
from collections.abc import Sequence
from functools import cached_property, lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np

from simulator.engines import NATURAL_WPM, Utterance, Word
from simulator.engines.espeak import identifier_of
from simulator.engines.kinds import VoiceSpec
from simulator.engines.onnx_file import opened, read_graph, with_output
from simulator.engines.phoneme_words import SpokenSound, sentences_of
from simulator.engines.piper_files import SUFFIX, PiperConfig, find_voice, read_config
from simulator.engines.trimmed import audible
from simulator.errors import ScenarioError, located
from simulator.frame import Samples, freeze

BETWEEN_SENTENCES_S = 0.25
_INPUTS = {"input", "input_lengths", "scales"}


class PiperSpec(VoiceSpec, frozen=True, kw_only=True, tag="piper", omit_defaults=True):
    """A neural voice: `voice: piper`, or `{kind: piper, model: voice.onnx}` with voice.onnx.json beside it.

    name: of an installed voice or its package, where no model is given. speaker: a name or a number, of a model with
    several. model: a voice's `.onnx` file.
    """

    model: Path | None = None
    name: str = ""
    speaker: str | Annotated[int, msgspec.Meta(ge=0)] = 0

    def __post_init__(self) -> None:
        if self.model is not None and self.name:
            raise ValueError("a voice has a model or a name, not both")

    @property
    def label(self) -> str:
        """What it is called."""
        return f"piper {self.model.name.removesuffix(SUFFIX) if self.model else self.name}".strip()

    def path(self) -> Path:
        """Where the model lies. ScenarioError: no such voice is installed."""
        return self.model or find_voice(self.name)

    def check(self) -> None:
        """Refuse a model that is not there or is no voice, a speaker it does not have, a language espeak lacks."""
        model = self.path()
        config = read_config(model)
        located(str(model), lambda: identifier_of(config.espeak.voice))
        _speaker(self.speaker, config, model)
        _read_model(model)

    def speaks(self) -> str:
        """The language of its phonemes."""
        return read_config(self.path()).espeak.voice.partition("-")[0]

    def build(self) -> "Piper":
        """Make the voice."""
        return Piper(self)


class Piper:
    """Text to speech by a Piper model; the same text gives the same bytes, in any process."""

    def __init__(self, spec: PiperSpec) -> None:
        self._spec = spec
        self._alone = threading.Lock()

    @cached_property
    def version(self) -> str:
        """The model by its bytes, what runs it, whose phonemes it speaks, and the treatment here."""
        digest = _read_model(self._path).digest
        return f"{digest}/onnxruntime-{version('onnxruntime')}/espeak-{version('espeakng-loader')}/1"

    def synthesize(self, text: str, words_per_minute: int = NATURAL_WPM) -> Utterance:
        """Say the text, sentence by sentence, trimmed at both ends; every word with its onset and end.

        A word is what stands between spaces; a text with nothing to pronounce gives no samples. ScenarioError: the
        voice is not there, or is none.
        """
        rate = self._config.audio.sample_rate
        tokens = text.split()
        parts: list[Samples] = []
        places: dict[int, tuple[int, int]] = {}
        at, timed = 0, True
        for sentence in sentences_of(text, self._config.espeak.voice):
            if parts:
                parts.append(np.zeros(round(BETWEEN_SENTENCES_S * rate), np.float32))
                at += len(parts[-1])
            samples, edges = self._say(sentence, words_per_minute)
            timed = timed and edges is not None
            for index, (start, end) in _places(sentence, edges or [0] * (len(sentence) + 1)).items():
                places[index] = (at + start, at + end)
            parts.append(samples)
            at += len(samples)
        said = np.concatenate(parts) if parts else np.zeros(0, np.float32)
        first, last = audible(said, rate)
        words = _words(tokens, places, first, last) if timed else ()
        return Utterance(text=text, samples=freeze(said[first:last].copy()), sample_rate=rate, words=words)

    def _say(self, sentence: Sequence[SpokenSound], words_per_minute: int) -> tuple[Samples, list[int] | None]:
        """Give a sentence's sound, and where each of its sounds begins and the last one ends; None where unknown."""
        ids, owners = self._ids(sentence)
        pace = self._config.inference.length_scale * NATURAL_WPM / words_per_minute
        feeds: dict[str, Any] = {
            "input": np.array([ids], np.int64),
            "input_lengths": np.array([len(ids)], np.int64),
            "scales": np.array([0, pace, 0], np.float32),
        }
        if self._config.num_speakers > 1:
            feeds["sid"] = np.array([_speaker(self._spec.speaker, self._config, self._path)], np.int64)
        with self._alone:
            found = self._session.run(None, feeds)
        samples: Samples = np.asarray(found[0], np.float32).reshape(-1)
        steps = np.asarray(found[1]).reshape(-1) if len(found) > 1 else np.zeros(0)
        total = int(steps.sum())
        if len(steps) != len(ids) or not total or len(samples) % total:
            return samples, None
        ends = (np.cumsum(steps) * (len(samples) // total)).astype(int).tolist()
        starts = [0, *ends[:-1]]
        edges = [next((start for start, owner in zip(starts, owners, strict=True) if owner >= index), ends[-1])
                 for index in range(len(sentence))]  # fmt: skip
        return samples, [*edges, starts[-1]]

    def _ids(self, sentence: Sequence[SpokenSound]) -> tuple[list[int], list[int]]:
        """Give the model's numbers, a pad behind each, and which sound each is for; unknown sounds are left out."""
        known = self._config.phoneme_id_map
        ids, owners = [*known["^"], *known["_"]], [-1] * (len(known["^"]) + len(known["_"]))
        for index, sound in enumerate(sentence):
            for number in [*known[sound.text], *known["_"]] if sound.text in known else ():
                ids.append(number)
                owners.append(index)
        return [*ids, *known["$"]], [*owners, *[len(sentence)] * len(known["$"])]

    @cached_property
    def _path(self) -> Path:
        return self._spec.path()

    @cached_property
    def _config(self) -> PiperConfig:
        return read_config(self._path)

    @cached_property
    def _session(self) -> Any:
        try:
            return opened(_read_model(self._path).graph)
        except ValueError as error:
            raise ScenarioError(f"{self._path}: is no Piper voice: {error}") from error


class _Read(msgspec.Struct, frozen=True):
    """A model that was read: its durations made an output where they can be, and the first letters of its sha256."""

    graph: bytes
    digest: str


def _read_model(path: Path) -> _Read:
    """Read a model, once while nothing changes it. ScenarioError: it is no Piper voice."""
    found = path.stat()
    return _read(path, found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=2)  # some 60 MB each: from the check to the key of what it says, to the model that is run
def _read(path: Path, changed_ns: int, size: int) -> _Read:
    del changed_ns, size  # they are the key
    model = path.read_bytes()
    try:
        graph = read_graph(model, ("Ceil",))
    except ValueError as error:
        raise ScenarioError(f"{path}: is no Piper voice: {error}") from error
    if not set(graph.inputs) >= _INPUTS:
        raise ScenarioError(f"{path}: is no Piper voice: it takes {', '.join(graph.inputs) or 'nothing'}")
    durations = graph.outputs_of["Ceil"]
    timed = with_output(model, durations[0]) if len(durations) == 1 else model
    return _Read(timed, hashlib.sha256(model).hexdigest()[:16])


def _speaker(said: str | int, config: PiperConfig, model: Path) -> int:
    """Give a speaker's number. ScenarioError: the model has no such speaker."""
    number = config.speaker_id_map.get(said) if isinstance(said, str) else said
    if number is None or number >= max(1, config.num_speakers):
        names = ", ".join(list(config.speaker_id_map)[:12])
        allowed = f"0 to {config.num_speakers - 1}" + (f", or {names}" if names else "")
        raise ScenarioError(f"{model}: the voice has no speaker {said!r}; choose one of {allowed}")
    return number


def _places(sentence: Sequence[SpokenSound], edges: Sequence[int]) -> dict[int, tuple[int, int]]:
    """Give where each word of a sentence lies: from its first sound to the end of its last."""
    found: dict[int, tuple[int, int]] = {}
    for index, sound in enumerate(sentence):
        if sound.word is not None:
            start = found.get(sound.word, (edges[index], 0))[0]
            found[sound.word] = (start, edges[index + 1])
    return found


def _words(tokens: Sequence[str], places: dict[int, tuple[int, int]], first: int, last: int) -> tuple[Word, ...]:
    """Give every token its place in the trimmed sound; one without a sound stands where the one before ended."""
    words: list[Word] = []
    at = 0
    for index, token in enumerate(tokens):
        start, end = (min(max(place, first), last) - first for place in places.get(index, (first + at, first + at)))
        words.append(Word(text=token, start=start, end=end))
        at = end
    return tuple(words)
