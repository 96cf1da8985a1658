"""NeMo's demo scorer over a corpus: what a run keeps, the judge's part, the original's own files."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from metrics.compat.nemo.eval_results import DEMO, GREEDY, METRICS, RESULTS, ROWS, EvalSet, summed, table_lines
from metrics.compat.nemo.judge import Question, questions, ratings, sample_scores, summary
from metrics.compat.nemo.rows import KEPT, NemoRow
from metrics.compat.nemo.sample import HeardSides
from metrics.compat.options import SegmentSides, TextSides
from metrics.compat.places import Places
from simulator.errors import ScenarioError
from simulator.score import Score
from simulator.scoring.corpus import CorpusResult
from simulator.scoring.judge import Judge
from simulator.spec import encode

_UNITS = {"avg_rating": "1-5", "judge_score": "0-100", "count": "count"}


class ScoredRow(NamedTuple):
    """A scored sample: the name its judge items begin with, and its line of output_with_eval.jsonl."""

    file_name: str
    line: dict[str, Any]


class Records:
    """What one run of the scorer reads once and keeps: options, the judge, and every sample in order."""

    def __init__(
        self,
        *,
        segments: Mapping[str, SegmentSides],
        texts: Mapping[str, TextSides],
        judge: Judge | None,
        wording: str,
    ) -> None:
        self.segments = segments
        self.texts = texts
        self.judge = judge
        self.wording = wording
        self.places = Places()
        self.rows: list[ScoredRow | None] = []
        """Every sample in order; None where it was skipped."""
        self.replies: Mapping[str, Sequence[str]] = {}
        """The judge's raw replies by item id."""

    def questions(self) -> list[Question]:
        """Give the judge's questions about every scored sample."""
        return [
            question
            for name, row in zip(self.places.names, self.rows, strict=True)
            if row is not None
            for question in questions(name, row.file_name, row.line, self.wording)
        ]


def scored_row(name: str, row: NemoRow | None, heard: HeardSides, metrics: Mapping[str, Any]) -> ScoredRow:
    """Give a sample's line as the original keeps it; a session of ours stands for a row with its name."""
    original = {"audio_path": f"{name}.wav"} if row is None else dict(row.original)
    file_name = f"{name}.wav" if row is None else row.file_name or name
    sample = heard.sample
    line = {
        "original_entry": original,
        "eval_metrics": dict(metrics),
        "segmentation": {
            "user_segments": [segment._asdict() for segment in sample.user],
            "agent_segments": [segment._asdict() for segment in sample.agent],
            "used_audio_segmentation_for_agent": heard.agent_by_detection,
        },
        "transcription": {
            side: {f"{place.start:.3f}-{place.end:.3f}": text for place, text in texts.items()}
            for side, texts in (("user", sample.user_texts), ("agent", sample.agent_texts))
        },
    }
    return ScoredRow(file_name, line)


def judged(result: CorpusResult, records: Records, *, tries: int, strict: bool) -> CorpusResult:
    """Ask the judge about every sample and add `llm_judge.*` and every sample's `llm_judge_scores`.

    compat looks a sample's scores up without the suffix of its file, as the original does, although its own
    item ids carry it; strict tries both.
    """
    assert records.judge is not None
    given = ratings(records.judge, records.questions(), tries)
    found = given.found
    records.replies = given.replies
    metrics = dict(result.metrics)
    for group, values in summary(found).items():
        metrics |= {
            metric: Score(id=metric, value=float(value), unit=_UNITS[name], n=int(values["count"]))
            for name, value in values.items()
            for metric in (f"llm_judge.{group}.{name}",)
        }
    if not found:
        name = "llm_judge.overall.avg_rating"
        reason = "no reply of the judge holds a rating"
        metrics[name] = Score(id=name, value=None, unit=_UNITS["avg_rating"], n=0, reason=reason)
    samples = list(result.samples)
    for index, row in enumerate(records.rows):
        if row is None:
            continue
        stem = row.file_name.rpartition(".")[0] or row.file_name
        row.line["llm_judge_scores"] = sample_scores(found, (stem, row.file_name) if strict else (stem,))
        unrated = [
            f"{item}: {problem}" for item, problem in given.problems.items() if item.rpartition("_")[0] == row.file_name
        ]
        samples[index] = msgspec.structs.replace(
            samples[index],
            metrics={**samples[index].metrics, "llm_judge_scores": row.line["llm_judge_scores"]},
            notes=[*samples[index].notes, *unrated],
        )
    return msgspec.structs.replace(result, metrics=metrics, samples=samples)


def write_files(
    folder: Path, result: CorpusResult, records: Records, flags: Mapping[str, object], set_name: str
) -> list[str]:
    """Write metrics.json, output_with_eval.jsonl, llm_judge_input.jsonl; with a judge its raw replies too.

    The first of them once more as `eval-results/s2s_demo.<set_name>/`, which comparisons read. Gives its table's lines.
    """
    tree: dict[str, Any] = {}
    for name, metric in result.metrics.items():
        *parents, leaf = name.split(".")
        branch = tree
        for parent in parents:
            branch = branch.setdefault(parent, {})
        branch[leaf] = int(metric.value) if metric.unit == "count" and metric.value is not None else metric.value
    try:
        folder.mkdir(parents=True, exist_ok=True)
        whole = {"dataset_metrics": tree, "args": encode(dict(flags))}
        columns, name = _columns(records), f"{DEMO}{set_name}"
        own = folder / RESULTS / name
        own.mkdir(parents=True, exist_ok=True)
        for place, content in ((folder, whole), (own, {**whole, name: {GREEDY: columns}})):
            (place / METRICS).write_text(json.dumps(content, indent=2), encoding="utf-8")
        _write_lines(own / ROWS, (row.line["original_entry"] for row in records.rows if row is not None))
        _write_lines(folder / KEPT, (row.line for row in records.rows if row is not None))
        _write_lines(folder / "llm_judge_input.jsonl", _judge_input(records.questions()))
        if records.replies:
            _write_lines(folder / "judge.jsonl", _raw_replies(records.replies))
    except OSError as error:
        raise ScenarioError(f"write={folder}: cannot be written: {error.strerror}") from error
    return table_lines(EvalSet(name, GREEDY, columns, ())) if columns else []


def _columns(records: Records) -> dict[str, float | int | None]:
    """Give the columns that NeMo-Skills has of every set; a row succeeds that the agent answered."""
    rows = [row.line for row in records.rows if row is not None]
    if not rows:
        return {}
    answered = [bool(row["segmentation"]["agent_segments"]) for row in rows]
    return summed([row["original_entry"] for row in rows], list(map(float, answered)), answered=answered)


def _judge_input(asked: Sequence[Question]) -> Iterable[dict[str, Any]]:
    for question in asked:
        yield {
            "item_id": question.item_id,
            "category": "open",
            "subset_for_metrics": question.subset,
            "messages": question.messages,
        }


def _raw_replies(replies: Mapping[str, Sequence[str]]) -> Iterable[dict[str, Any]]:
    for item, given in replies.items():
        yield from ({"item_id": item, "generation": reply} for reply in given)


def _write_lines(path: Path, lines: Iterable[Mapping[str, Any]]) -> None:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
