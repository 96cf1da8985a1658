"""`dataset: {kind: s2s_arena, path: ...}`: S2S-Arena's spoken requests, a folder per task."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from simulator.datasets.content import AskedRow, ContentDatasetSpec, limited
from simulator.datasets.source import SampleSource
from simulator.datasets.tables import TableRow
from simulator.errors import ScenarioError
from simulator.sound.recordings import SOUND_SUFFIXES

_INPUT = "input"
_ABOUT = ("metadata.json", "samples.json")


class S2sArenaDatasetSpec(ContentDatasetSpec, frozen=True, kw_only=True, tag="s2s_arena"):
    """Task folders of clips (`input/TASK/CLIP.wav`): the folder `input`, the one above it, or a task's own.

    tasks: names of folders; without them all. A clip's name is its path without the suffix, which is how systems name
    their answers. Beside it CLIP.txt is what is said; metadata.json of a task (by clip, or a list with `filename`) may
    tell transcript, target, level and whatever else is known.
    """

    tasks: list[str] = []

    def questions(self, source: SampleSource) -> Iterator[AskedRow | str]:
        """Give the clips in order of their paths; ScenarioError where there is no folder."""
        if source.alone:
            raise ScenarioError(f"{source} is no folder of S2S-Arena's clips")
        clips = [file for file in source.files() if file.suffix.lower().removeprefix(".") in SOUND_SUFFIXES]
        inside = [clip for clip in clips if clip.parts[0] == _INPUT]
        folder = _ClipFolder(source, _INPUT if inside else "")
        rows = (folder.row(clip, number) for number, clip in enumerate(inside or clips) if self._is_wanted(clip))
        for row in limited(rows, self.limit):
            says = [str(row.fields["transcript"])] if row.fields.get("transcript") else []
            yield AskedRow(row.place, row, {**row.fields, "dataset": "s2s_arena"}, says=says)

    def _is_wanted(self, clip: PurePosixPath) -> bool:
        return not self.tasks or bool(set(self.tasks) & set(clip.parts[:-1]))


class _ClipFolder:
    """Clips and what lies beside them. below: the folder that their names leave out."""

    def __init__(self, source: SampleSource, below: str) -> None:
        self._source, self._below = source, below
        self._files = frozenset(source.files())

    def row(self, clip: PurePosixPath, number: int) -> TableRow:
        """Give what is known of a clip."""
        inside = clip.relative_to(self._below)
        task = inside.parts[0] if len(inside.parts) > 1 else PurePosixPath(str(self._source)).name
        fields = {"task": task, "subset": task, "split": "test", **self._about(clip)}
        return TableRow(inside.with_suffix("").as_posix(), number, fields, lambda: [self._source.local(clip)])

    def _about(self, clip: PurePosixPath) -> Mapping[str, Any]:
        """Give what lies beside a clip about it; a file that cannot be read says nothing."""
        told: dict[str, Any] = {}
        text = self._content(clip.with_suffix(".txt"))
        if text is not None:
            told["transcript"] = text.decode(errors="replace").strip()
        for name in _ABOUT:
            try:
                found = json.loads(self._content(clip.parent / name) or b"null")
            except ValueError:
                continue
            if isinstance(found, list):
                found = {Path(str(item.get("filename", ""))).stem: item for item in found if isinstance(item, dict)}
            item = found.get(clip.stem, found.get(clip.name)) if isinstance(found, dict) else None
            told |= item if isinstance(item, dict) else {}
        return told

    def _content(self, file: PurePosixPath) -> bytes | None:
        if file not in self._files:
            return None
        with self._source.open(file) as opened:
            return opened.read()
