"""Prediction files for tests: rows written as other projects' programs write them, and scored."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from simulator.scoring.corpus import CorpusResult, CorpusScorer


def write_rows(path: Path, rows: Iterable[Mapping[str, Any] | str]) -> Path:
    """Write rows a line each; a text is written as it is."""
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def scored(scorer: CorpusScorer, folder: Path, rows: Iterable[Mapping[str, Any] | str]) -> CorpusResult:
    """Score rows of one file."""
    return scorer.score_corpus([write_rows(folder / "rows.jsonl", rows)])


def values(result: CorpusResult) -> dict[str, float | None]:
    """Every metric's value."""
    return {name: score.value for name, score in result.metrics.items()}


def shown(result: CorpusResult, name: str) -> list[Any]:
    """One value of every sample, in order."""
    return [sample.metrics[name] for sample in result.samples]
