"""`--to nemo` of a run: shar folders for NeMo's duplex speech-to-speech training.

A cut's `recording` is what the model hears (the user), its `target_audio` what it is to say meanwhile (the agent), from
the same first sample; the supervisions of both take turns, with `user` and `agent` as speakers.
`input_cfg.PART.yaml` beside them names the shards as NeMo's data loader wants them.
`simulate export FOLDER/test --to nemo` makes a NeMo-Skills test set of a part.
"""

from pathlib import Path

import yaml

from simulator.corpora.dialogue import CorpusDialogue
from simulator.corpora.form import Channels, Sounds
from simulator.corpora.shar import PER_SHARD, SharFolder, cut_of, recording, supervision

TARGET = "target_audio"
FIELDS = ("recording", TARGET)


class NemoForm:
    """Writes dialogues as pairs of what is heard and what is said."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._parts: dict[str, SharFolder] = {}

    @property
    def sounds(self) -> Channels:
        """Which recordings it takes."""
        return "split"

    def add(self, part: str, dialogue: CorpusDialogue, sounds: Sounds) -> None:
        """Add a dialogue to a part. OSError."""
        if part not in self._parts:
            self._parts[part] = SharFolder(self._folder / part, FIELDS)
        told = [supervision(item, dialogue.id, 0, speaker=item.party) for item in dialogue.utterances]
        cut = cut_of(dialogue, dialogue.id, 1, told)
        cut["custom"][TARGET] = recording(dialogue.id, 1, dialogue.rate, dialogue.samples)
        self._parts[part].add(cut, {"recording": sounds["user"], TARGET: sounds["agent"]})

    def close(self) -> None:
        """Finish all parts, and say where their shards are. OSError."""
        for part, shar in self._parts.items():
            shar.close()
            last = (shar.count - 1) // PER_SHARD
            shards = {"cuts": _shards("cuts", "jsonl.gz", last)} | {name: _shards(name, "tar", last) for name in FIELDS}
            entry = {"type": "lhotse_shar", "shar_path": {name: f"{part}/{path}" for name, path in shards.items()}}
            told = "# One part's shards, for NeMo's `input_cfg`; paths are relative to this folder.\n"
            place = self._folder / f"input_cfg.{part}.yaml"  # beside it: Lhotse takes every file of a part for a field
            place.write_text(told + yaml.safe_dump([entry], sort_keys=False), encoding="utf-8")


def _shards(field: str, suffix: str, last: int) -> str:
    """Name all shards of a field, in NeMo's own way of writing a range."""
    return f"{field}._OP_000000..{last:06d}_CL_.{suffix}"
