"""`dataset: {kind: fdb, path: ..., task: ...}`: Full-Duplex-Bench samples, input.wav played as the user."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec

from simulator.datasets.sample import Dataset, DatasetSample, DatasetSpec, check_recording, usable
from simulator.errors import ScenarioError, SessionError
from simulator.scoring.inputs import find_inputs

Task = Literal[
    "pause_handling", "smooth_turn_taking", "backchannel", "user_interruption",
    "user_backchannel", "talking_to_other", "background_speech", "overlap",
]  # fmt: skip

TASKS: tuple[str, ...] = get_args(Task)
_LABELS = {
    "pause_handling": "pause.json",
    "smooth_turn_taking": "turn_taking.json",
    "user_interruption": "interrupt.json",
    "user_backchannel": "metadata.json",
    "talking_to_other": "metadata.json",
    "background_speech": "metadata.json",
    "overlap": "metadata.json",
}
_OPTIONAL = ("pause.json",)
"""No scorer needs it, so a sample may lack it."""
_VERSION_1 = ("pause_handling", "smooth_turn_taking", "backchannel", "user_interruption")


class FdbDatasetSpec(DatasetSpec, frozen=True, kw_only=True, tag="fdb"):
    """Sample folders of Full-Duplex-Bench, one session each: a dataset root, or one sample folder.

    task: what is tested and so which scorers it is scored with; the folders of version 1.5 hold one of
    user_backchannel, talking_to_other, background_speech, or (`overlap`) interruptions with a metadata.json. prefix:
    `clean_` plays clean_input.wav, the side of a pair of version 1.5 without the overlap. A sample without the label
    file of its task (pause_handling and backchannel need none), or whose input.wav cannot be read, is left out with a
    note. path: the root of a dataset, or one sample's folder.
    """

    path: Path
    task: Task
    prefix: Literal["", "clean_"] = ""

    def scorers(self) -> list[str]:
        """The scorers of the task: its own in version 1.0, timing in version 1.5 (the rest needs a judge)."""
        return [f"fdb:{self.task}"] if self.task in _VERSION_1 else ["fdb:timing"]

    def read(self) -> Dataset:
        """List the samples in order of their numbers."""
        if not self.path.is_dir():
            raise ScenarioError(f"{self.path} is not a folder of Full-Duplex-Bench samples")
        samples: list[DatasetSample] = []
        notes: list[str] = []
        for item in find_inputs([self.path], ["fdb"], scorer="dataset kind fdb"):
            try:
                samples.append(self._sample(item.id, item.path))
            except SessionError as error:
                notes.append(f"{item.id}: {error}")
        found = usable(samples, notes, self.path)
        return msgspec.structs.replace(found, remarks=self._doubts(found.samples))

    def _doubts(self, samples: Sequence[DatasetSample]) -> list[str]:
        """Say of samples without an optional label what other task they are labelled for."""
        folders = [Path(sample.meta["folder"]) for sample in samples if "label" not in sample.meta]
        others = [task for task in _VERSION_1 if task in _LABELS and task != self.task]
        counts = {task: sum((folder / _LABELS[task]).is_file() for folder in folders) for task in others}
        return [f"{n} sample(s) look like {task}: they have its {_LABELS[task]}" for task, n in counts.items() if n]

    def _sample(self, name: str, folder: Path) -> DatasetSample:
        sound = folder / f"{self.prefix}input.wav"
        channel = check_recording(sound, None)
        label = _LABELS.get(self.task)
        meta: dict[str, Any] = {"folder": str(folder), "task": self.task}
        if label is not None and (label not in _OPTIONAL or (folder / label).exists()):
            meta["label"] = _read_label(folder / label)
        return DatasetSample(id=name, user_audio=sound, channel=channel, meta=meta)


def _read_label(path: Path) -> Any:
    try:
        return msgspec.json.decode(path.read_bytes())
    except FileNotFoundError:
        raise SessionError(f"{path.name} is missing") from None
    except OSError as error:
        raise SessionError(f"{path.name} cannot be read: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise SessionError(f"{path.name} is not JSON: {error}") from error
