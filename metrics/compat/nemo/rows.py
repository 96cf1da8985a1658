"""Rows of a NeMo results folder: output.jsonl, or output_with_eval.jsonl with what an earlier scoring kept.

The second is preferred when it is there, unless everything is to be computed anew. A kept row carries its
segments and texts and needs no audio.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from metrics.compat.nemo.text import FRAME_S, TextSegment
from simulator.errors import SessionError

FRESH, KEPT = "output.jsonl", "output_with_eval.jsonl"


class NemoRow(NamedTuple):
    """One line of a results file: its JSON and where it stands (for rows without a name)."""

    entry: Mapping[str, Any]
    place: str

    @property
    def original(self) -> Mapping[str, Any]:
        """The generation's own row, out of its wrapper."""
        original = self.entry.get("original_entry", self.entry)
        return original if isinstance(original, Mapping) else {}

    @property
    def file_name(self) -> str:
        """The base name of audio_path, with its suffix; what the judge's item ids begin with."""
        return self._text("audio_path").rpartition("/")[2]

    @property
    def id(self) -> str:
        """The base name of audio_path without one final .flac or .wav; without any, the line's place."""
        name = self.file_name
        for suffix in (".flac", ".wav"):
            if name.endswith(suffix):
                return name.removesuffix(suffix)
        return name or self.place

    @property
    def generation(self) -> str:
        """The agent's stamped text, or the transcript of its audio where that is empty."""
        return self._text("generation") or _as_text(self._audio.get("transcript"))

    @property
    def sound_name(self) -> str:
        """The base name of the answer's sound file; empty where there is none."""
        return _as_text(self._audio.get("path")).rpartition("/")[2]

    @property
    def debug(self) -> Mapping[str, Any]:
        """What the server told about the generation; empty where it told nothing."""
        debug = self.original.get("debug_info")
        return debug if isinstance(debug, Mapping) else {}

    @property
    def duration_s(self) -> float | None:
        """The length that the number of frames tells; None without one."""
        frames = self.debug.get("total_frames") or 0
        return frames * FRAME_S if isinstance(frames, int | float) and frames > 0 else None

    @property
    def alignment(self) -> dict[str, Any]:
        """The alignment, tokens that are no text made empty; SessionError when its frames are no numbers."""
        found = self.debug.get("frame_alignment")
        if not isinstance(found, Mapping):
            return {}
        columns = {name: column for name, column in found.items() if isinstance(column, list)}
        if not all(isinstance(frame, int | float) for frame in columns.get("frame_idx", ())):
            raise SessionError("frame_alignment: frame_idx holds what is no number")
        return {
            name: [_as_text(token) for token in column] if name.endswith("_decoded") else column
            for name, column in columns.items()
        }

    @property
    def is_kept(self) -> bool:
        """Say whether an earlier scoring left segments and texts."""
        return bool(self.entry.get("segmentation")) and bool(self.entry.get("transcription"))

    @property
    def _audio(self) -> Mapping[str, Any]:
        audio = self.original.get("audio")
        return audio if isinstance(audio, Mapping) else {}

    def _text(self, name: str) -> str:
        return _as_text(self.original.get(name))


class KeptSpeech(NamedTuple):
    """Segments and texts of an earlier scoring."""

    user: list[TextSegment]
    agent: list[TextSegment]
    user_texts: dict[TextSegment, str]
    agent_texts: dict[TextSegment, str]
    agent_by_detection: bool


def kept_speech(row: NemoRow) -> KeptSpeech:
    """Read what an earlier scoring kept; SessionError when it is not of that form."""
    segmentation, transcription = row.entry["segmentation"], row.entry["transcription"]
    try:
        return KeptSpeech(
            user=[_segment(segment) for segment in segmentation.get("user_segments", [])],
            agent=[_segment(segment) for segment in segmentation.get("agent_segments", [])],
            user_texts=_texts(transcription.get("user", {})),
            agent_texts=_texts(transcription.get("agent", {})),
            agent_by_detection=bool(segmentation.get("used_audio_segmentation_for_agent", False)),
        )
    except (AttributeError, KeyError, TypeError) as error:
        raise SessionError(f"the kept segmentation and transcription cannot be read: {error!r}") from error


def _segment(segment: Mapping[str, Any]) -> TextSegment:
    start, end = segment["start"], segment["end"]
    if not all(isinstance(time, int | float) for time in (start, end)):
        raise TypeError(f"a segment from {start!r} to {end!r}")
    return TextSegment(start, end)


def _texts(kept: Mapping[str, Any]) -> dict[TextSegment, str]:
    """Read texts by `start-end`; a key of another form is passed over, as in the original."""
    texts: dict[TextSegment, str] = {}
    for key, text in kept.items():
        try:
            start, end = key.split("-")
            texts[TextSegment(float(start), float(end))] = _as_text(text)
        except ValueError:
            continue
    return texts


def results_file(folder: Path, *, anew: bool) -> Path:
    """Give the file whose rows are scored; SessionError when the folder has none."""
    for name in (FRESH, KEPT) if anew else (KEPT, FRESH):
        if (folder / name).is_file():
            return folder / name
    raise SessionError(f"{folder}: has neither {FRESH} nor {KEPT}")


def read_rows(file: Path) -> Iterator[NemoRow | str]:
    """Give the file's rows; a line that is no JSON object is a sentence instead."""
    for number, line in enumerate(file.read_bytes().split(b"\n"), 1):
        if not line.strip():
            continue
        place = f"{file.name}:{number}"
        try:
            entry = json.loads(line)
        except ValueError as error:
            yield f"{place}: is not JSON: {error}"
            continue
        yield NemoRow(entry, place) if isinstance(entry, dict) else f"{place}: is no JSON object"


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else ""
