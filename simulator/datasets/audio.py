"""`dataset: {kind: audio, path: ...}`: recordings of users, in a folder or named by a manifest."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec

from simulator.datasets.sample import Dataset, DatasetSample, DatasetSpec, check_recording, usable
from simulator.errors import ScenarioError, SessionError
from simulator.scoring.inputs import find_inputs, passed_over, sample_ids
from simulator.sound.recordings import SOUND_SUFFIXES

_MANIFESTS = (".jsonl", ".json")
_SOUND_KEYS = ("audio_path", "audio_filepath")
_REFERENCE_KEYS = ("reference", "expected_answer", "answer")
"""What the manifests of the field call a right answer."""


class AudioDatasetSpec(DatasetSpec, frozen=True, kw_only=True, tag="audio"):
    """Recordings of users, one session each: a sound file, a folder of them, or a manifest.

    A manifest holds one JSON object per line with `audio_path` (or `audio_filepath`), relative to it, such as NeMo's
    test.jsonl. `text` is what is said in it, `reference` (`expected_answer`, `answer`) what a right answer holds, its
    system message the prompt; its other fields go along as the sample's meta. channel: of recordings with several. What
    cannot be read is left out with a note. path: the file, the folder or the manifest.
    """

    path: Path
    channel: Annotated[int, msgspec.Meta(ge=0)] | None = None

    def read(self) -> Dataset:
        """List the samples: a folder's in order of name, a manifest's in its own order."""
        if not self.path.exists():
            raise ScenarioError(f"{self.path} does not exist")
        if self.path.suffix in _MANIFESTS and self.path.is_file():
            return self._of_manifest()
        samples: list[DatasetSample] = []
        notes = passed_over([self.path])
        for item in find_inputs([self.path], ["wav"], scorer="dataset kind audio"):
            try:
                channel = check_recording(item.path, self.channel)
            except SessionError as error:
                notes.append(f"{item.id}: {error}")
                continue
            samples.append(DatasetSample(id=item.id, user_audio=item.path, channel=channel))
        return usable(samples, notes, self.path)

    def _of_manifest(self) -> Dataset:
        samples: list[DatasetSample] = []
        notes: list[str] = []
        for place, row in _rows(self.path):
            try:
                samples.append(self._sample(row))
            except SessionError as error:
                notes.append(f"{place}: {error}")
        names = sample_ids([(self.path.parent, sample.user_audio or self.path, sample.id) for sample in samples])
        named = [msgspec.structs.replace(sample, id=name) for sample, name in zip(samples, names, strict=True)]
        return usable(named, notes, self.path)

    def _sample(self, row: object) -> DatasetSample:
        if isinstance(row, str):
            raise SessionError(row)
        if not isinstance(row, dict):
            raise SessionError("is no JSON object")
        named = next((row[key] for key in _SOUND_KEYS if isinstance(row.get(key), str)), None)
        if not named:
            raise SessionError("has no audio_path")
        path = self.path.parent / named
        channel = check_recording(path, self.channel)
        meta = {key: value for key, value in row.items() if key not in (*_SOUND_KEYS, "messages")}
        system = _system_message(row)
        return DatasetSample(
            id=_stem(path.name),
            user_audio=path,
            channel=channel,
            text=_first_text(row, ("text",)),
            prompt=system,
            reference=_first_text(row, _REFERENCE_KEYS),
            meta=meta | ({"system": system} if system else {}),
        )


def _rows(manifest: Path) -> Iterator[tuple[str, object]]:
    """Give the manifest's lines with their places; a line that is no JSON is a sentence."""
    try:
        lines = manifest.read_bytes().split(b"\n")
    except OSError as error:
        raise ScenarioError(f"{manifest}: cannot be read: {error.strerror}") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield f"{manifest.name}:{number}", msgspec.json.decode(line)
        except msgspec.DecodeError as error:
            yield f"{manifest.name}:{number}", f"is not JSON: {error}"


def _system_message(row: Mapping[str, Any]) -> str:
    messages = row.get("messages")
    for message in messages if isinstance(messages, list) else []:
        if isinstance(message, dict) and message.get("role") == "system":
            content = message.get("content")
            return content if isinstance(content, str) else ""
    return ""


def _first_text(row: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    return next((row[key] for key in keys if isinstance(row.get(key), str)), "")


def _stem(name: str) -> str:
    stem, _, suffix = name.rpartition(".")
    return stem if suffix in SOUND_SUFFIXES else name
