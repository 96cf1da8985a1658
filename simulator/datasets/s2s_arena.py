"""`dataset: {kind: s2s_arena, path: ...}`: S2S-Arena's spoken requests, a folder per task."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from simulator.datasets.content import AskedRow, ContentDatasetSpec, limited
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

    def questions(self) -> Iterator[AskedRow | str]:
        """Give the clips in order of their paths; ScenarioError where there is no folder."""
        if not self.path.is_dir():
            raise ScenarioError(f"{self.path} is no folder of S2S-Arena's clips")
        root = self.path / _INPUT if (self.path / _INPUT).is_dir() else self.path
        clips = [file for file in sorted(root.rglob("*")) if file.suffix.lower().removeprefix(".") in SOUND_SUFFIXES]
        rows = (_row(root, clip, number) for number, clip in enumerate(clips) if self._is_wanted(root, clip))
        for row in limited(rows, self.limit):
            says = [str(row.fields["transcript"])] if row.fields.get("transcript") else []
            yield AskedRow(row.place, row, {**row.fields, "dataset": "s2s_arena"}, says=says)

    def _is_wanted(self, root: Path, clip: Path) -> bool:
        return not self.tasks or bool(set(self.tasks) & set(clip.relative_to(root).parts[:-1]))


def _row(root: Path, clip: Path, number: int) -> TableRow:
    inside = clip.relative_to(root)
    task = inside.parts[0] if len(inside.parts) > 1 else root.name
    fields = {"task": task, "subset": task, "split": "test", **_about(clip)}
    return TableRow(inside.with_suffix("").as_posix(), number, fields, lambda: [clip])


def _about(clip: Path) -> Mapping[str, Any]:
    """Give what lies beside a clip about it; a file that cannot be read says nothing."""
    told: dict[str, Any] = {}
    text = clip.with_suffix(".txt")
    if text.is_file():
        told["transcript"] = text.read_text(encoding="utf-8", errors="replace").strip()
    for name in _ABOUT:
        try:
            found = json.loads((clip.parent / name).read_bytes())
        except (OSError, ValueError):
            continue
        if isinstance(found, list):
            found = {Path(str(item.get("filename", ""))).stem: item for item in found if isinstance(item, dict)}
        item = found.get(clip.stem, found.get(clip.name)) if isinstance(found, dict) else None
        told |= item if isinstance(item, dict) else {}
    return told
