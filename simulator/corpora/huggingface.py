"""`--to huggingface`: Parquet files that `datasets.load_dataset(FOLDER)` reads, sound as FLAC inside (extra `data`)."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from simulator.corpora.dialogue import CorpusDialogue
from simulator.corpora.form import Channels, Sounds
from simulator.errors import ScenarioError
from simulator.events import PARTIES
from simulator.results.table_files import NO_PYARROW

PER_FILE = 200
"""Dialogues of a Parquet file."""
_TEXT, _NUMBER, _WHOLE, _FLAG = ({"dtype": name, "_type": "Value"} for name in ("string", "float64", "int64", "bool"))
_SPANS = [{"start": _NUMBER, "end": _NUMBER}]
_WORDS = [{"text": _TEXT, "start": _NUMBER, "end": _NUMBER, "cut": _FLAG}]
_UTTERANCES = [
    {
        "id": _TEXT, "party": _TEXT, "speaker": _TEXT, "start": _NUMBER, "end": _NUMBER, "text": _TEXT, "role": _TEXT,
        "injected": _FLAG, "cut": _FLAG, "told": _FLAG, "words": _WORDS, "overlaps": _SPANS,
    }
]  # fmt: skip


def features(channels: Channels, rate: int) -> dict[str, Any]:
    """Give the columns as `datasets` writes them: of stereo one `audio`, else one of each party."""
    sound = {"sampling_rate": rate, "_type": "Audio"}
    names = ("audio",) if channels == "stereo" else tuple(f"audio_{party}" for party in PARTIES)
    return {
        "id": _TEXT, "scenario": _TEXT, "topic": _TEXT, "seed": _WHOLE, "duration": _NUMBER,
        "user_voice": _TEXT, "agent_voice": _TEXT, **dict.fromkeys(names, sound),
        "utterances": _UTTERANCES, "overlaps": _SPANS,
    }  # fmt: skip


class HuggingFaceForm:
    """Writes dialogues as rows. ScenarioError without pyarrow."""

    def __init__(self, folder: Path, channels: Channels) -> None:
        try:
            import pyarrow
            from pyarrow import parquet
        except ImportError as error:
            raise ScenarioError(f"--to huggingface {NO_PYARROW}") from error
        self._arrow, self._parquet = pyarrow, parquet
        self._folder = folder / "data"
        self._channels = channels
        self._waiting: dict[str, list[dict[str, Any]]] = {}
        self._written: dict[str, int] = {}
        self._rate = 0

    @property
    def sounds(self) -> Channels:
        """Which recordings it takes."""
        return self._channels

    def add(self, part: str, dialogue: CorpusDialogue, sounds: Sounds) -> None:
        """Add a dialogue to a part. OSError. ScenarioError: it has another rate than the others."""
        if self._rate not in (0, dialogue.rate):
            raise ScenarioError(f"{dialogue.id}: has {dialogue.rate} Hz, others have {self._rate}; export them apart")
        self._rate = dialogue.rate
        rows = self._waiting.setdefault(part, [])
        rows.append(_row(dialogue, sounds))
        if len(rows) == PER_FILE:
            self._flush(part)

    def close(self) -> None:
        """Write what waits. OSError."""
        for part in self._waiting:
            self._flush(part)

    def _flush(self, part: str) -> None:
        rows = self._waiting[part]
        if not rows:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        number = self._written.get(part, 0)
        found = features(self._channels, self._rate)
        schema = self._arrow.schema(
            [(name, self._kind(form)) for name, form in found.items()],
            metadata={"huggingface": json.dumps({"info": {"features": found}})},
        )
        table = self._arrow.Table.from_pylist(rows, schema=schema)
        # Sound is compressed already: groups of a few rows are what a reader can take without reading all.
        self._parquet.write_table(table, self._folder / f"{part}-{number:05d}.parquet", row_group_size=50)
        self._written[part] = number + 1
        self._waiting[part] = []

    def _kind(self, form: Any) -> Any:
        """Give the Arrow type of a feature."""
        arrow = self._arrow
        if isinstance(form, list):
            return arrow.list_(self._kind(form[0]))
        if form.get("_type") == "Audio":
            return arrow.struct([("bytes", arrow.binary()), ("path", arrow.string())])
        if form.get("_type") == "Value":
            return {
                "string": arrow.string(),
                "float64": arrow.float64(),
                "int64": arrow.int64(),
                "bool": arrow.bool_(),
            }[form["dtype"]]
        return arrow.struct([(name, self._kind(inner)) for name, inner in form.items()])


def _row(dialogue: CorpusDialogue, sounds: Sounds) -> dict[str, Any]:
    names: Mapping[str, str] = {"both": "audio", **{party: f"audio_{party}" for party in PARTIES}}
    return {
        "id": dialogue.id,
        "scenario": dialogue.scenario,
        "topic": dialogue.topic,
        "seed": dialogue.seed,
        "duration": dialogue.duration,
        **{f"{party}_voice": dialogue.voices[party] for party in PARTIES},
        **{
            names[what]: {"bytes": flac, "path": f"{dialogue.id}{'' if what == 'both' else f'-{what}'}.flac"}
            for what, flac in sounds.items()
        },
        "utterances": [
            {
                "id": item.id, "party": item.party, "speaker": item.speaker, "start": item.start,
                "end": round(item.start + item.duration, 6), "text": item.text, "role": item.role,
                "injected": item.injected,
                "cut": item.cut, "told": item.told, "overlaps": _spans(item.overlaps),
                "words": [
                    {
                        "text": word.text, "start": word.start, "end": round(word.start + word.duration, 6),
                        "cut": word.cut,
                    }
                    for word in item.words
                ],
            }
            for item in dialogue.utterances
        ],
        "overlaps": _spans(dialogue.overlaps),
    }  # fmt: skip


def _spans(spans: tuple[tuple[float, float], ...]) -> list[dict[str, float]]:
    return [{"start": start, "end": end} for start, end in spans]
