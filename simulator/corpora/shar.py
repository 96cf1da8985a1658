"""Lhotse's shar layout, as its reader wants it: cuts in gzipped JSON lines, each field's data in tars beside them.

    train/cuts.000000.jsonl.gz, train/recording.000000.tar, and target_audio.000000.tar where a cut has one

A tar holds for every cut, in order, `<id>.flac` and `<id>.json`, the manifest of the recording with a placeholder for
where its sound is. The same dialogues give the same bytes.
"""

import gzip
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from simulator.corpora.dialogue import CorpusDialogue, CorpusUtterance

PER_SHARD = 200
"""Dialogues of a shard: of a minute each they are 200 MB."""


class SharFolder:
    """A part of a corpus that is being written. fields: what is recorded of every cut. OSError.

    count: of the cuts so far.
    """

    def __init__(self, folder: Path, fields: Sequence[str] = ("recording",)) -> None:
        folder.mkdir(parents=True)
        self._folder = folder
        self._fields = fields
        self.count = 0
        self._cuts: gzip.GzipFile | None = None
        self._tars: dict[str, tarfile.TarFile] = {}

    def add(self, cut: Mapping[str, Any], sounds: Mapping[str, bytes]) -> None:
        """Add a cut with the FLAC of each field, whose manifest it holds: as its own, or among what is custom."""
        if self.count % PER_SHARD == 0:
            self._next(self.count // PER_SHARD)
        self.count += 1
        assert self._cuts is not None
        line = json.dumps(cut, ensure_ascii=False, separators=(",", ":")) + "\n"
        self._cuts.write(line.encode())
        for field in self._fields:
            manifest = cut[field] if field in cut else cut["custom"][field]
            _put(self._tars[field], f"{cut['id']}.flac", sounds[field])
            _put(self._tars[field], f"{cut['id']}.json", json.dumps(manifest).encode())

    def close(self) -> None:
        """Finish the shard."""
        if self._cuts is not None:
            self._cuts.close()
            self._file.close()
        for tar in self._tars.values():
            tar.close()

    def _next(self, number: int) -> None:
        self.close()
        place = self._folder / f"cuts.{number:06d}.jsonl.gz"
        self._file = place.open("wb")
        self._cuts = gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=self._file, mtime=0)
        self._tars = {field: self._tar(field, number) for field in self._fields}

    def _tar(self, field: str, number: int) -> tarfile.TarFile:
        return tarfile.TarFile(self._folder / f"{field}.{number:06d}.tar", "w")


def recording(name: str, channels: int, rate: int, samples: int) -> dict[str, Any]:
    """Give the manifest of a recording whose sound lies beside it."""
    numbers = list(range(channels))
    return {
        "id": name,
        "sources": [{"type": "shar", "channels": numbers, "source": ""}],
        "sampling_rate": rate,
        "num_samples": samples,
        "duration": samples / rate,
        "channel_ids": numbers,
    }


def cut_of(
    dialogue: CorpusDialogue, name: str, channels: int, supervisions: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """Give a dialogue as a cut: one channel a MonoCut, two a MultiCut."""
    return {
        "id": name,
        "start": 0,
        "duration": dialogue.duration,
        "channel": 0 if channels == 1 else list(range(channels)),
        "supervisions": list(supervisions),
        "recording": recording(name, channels, dialogue.rate, dialogue.samples),
        "custom": dialogue.custom(),
        "type": "MonoCut" if channels == 1 else "MultiCut",
    }


def supervision(item: CorpusUtterance, recording_id: str, channel: int, speaker: str = "") -> dict[str, Any]:
    """Give an utterance as a supervision: its words are its alignment. speaker: instead of its own."""
    found: dict[str, Any] = {
        "id": item.id,
        "recording_id": recording_id,
        "start": item.start,
        "duration": item.duration,
        "channel": channel,
        "text": item.text,
        "speaker": speaker or item.speaker,
        "custom": {
            "party": item.party,
            "voice": item.speaker,
            "role": item.role,
            "told": item.told,
            "injected": item.injected,
            "cut": item.cut,
            "overlapped": bool(item.overlaps),
            "overlaps": [list(span) for span in item.overlaps],
            "words_cut": [place for place, word in enumerate(item.words) if word.cut],
        },
    }
    if item.words:
        found["alignment"] = {"word": [[word.text, word.start, word.duration, None] for word in item.words]}
    return found


def _put(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))
