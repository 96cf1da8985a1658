"""NeMo-Skills' folder of results: `eval-results/<set>/` with metrics.json and output.jsonl, and the table it prints.

metrics.json holds, by set and evaluation mode, what the table's columns are: avg_tokens (tokens of an answer, the rows'
num_generated_tokens), gen_seconds (from the first row's generation_start_time to the last one's generation_end_time),
success_rate, no_answer and wer in percent, num_entries. What rows do not tell is null.
Source: NeMo-Skills (00b3958) and a fork of it (2026-01), restated.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from metrics.compat.originals import write_json
from simulator.datasets.voicebench import SUBSETS
from simulator.export.predictions import write_lines

RESULTS, METRICS, ROWS = "eval-results", "metrics.json", "output.jsonl"
DEMO, VOICEBENCH = "s2s_demo.", "voicebench."
"""What the names of its sets begin with, by benchmark."""
MODE = "pass@1"
"""What NeMo-Skills calls one answer to every question."""
GREEDY = "greedy"
"""What the fork calls it where VoiceBench's own evaluators scored."""

_ANSWERS = ("generation", "pred_text", "model_output", "response")
_SUBSET = re.compile(rf"(?:^|-)({'|'.join(sorted(SUBSETS, key=len, reverse=True))})(?:-|$)")


class EvalSet(NamedTuple):
    """One set's results. values: by column, in the order of the table."""

    name: str
    mode: str
    values: Mapping[str, float | int | None]
    rows: Sequence[Mapping[str, Any]]


def summed(
    rows: Sequence[Mapping[str, Any]],
    success: Sequence[float],
    rates: Sequence[float] = (),
    *,
    answered: Sequence[bool] | None = None,
    halved: bool = False,
) -> dict[str, float | int | None]:
    """Give a set's columns. success: 0 to 1 per row; rates: error rates per row, if any.

    answered: whether each row was; None: whether it has a text of its answer. halved: no_answer as the original has it
    where rows carry two scores, which is half of the truth.
    """
    known = [bool(_answer(row).strip()) for row in rows] if answered is None else answered
    unanswered = (len(rows) - sum(known)) / len(rows)
    values: dict[str, float | int | None] = {
        "avg_tokens": _mean_tokens(rows),
        "gen_seconds": _seconds(rows),
        "success_rate": 100 * math.fsum(success) / len(rows),
        "no_answer": 100 * unanswered / (2 if halved else 1),
    }
    if rates:
        values["wer"] = round(100 * math.fsum(rates) / len(rates), 2)
    return {**values, "num_entries": len(rows)}


def write_eval_sets(folder: Path, sets: Sequence[EvalSet]) -> list[str]:
    """Write the sets' files under `folder/eval-results` and give the table's lines. ScenarioError."""
    lines: list[str] = []
    for item in sets:
        write_json(folder, f"{RESULTS}/{item.name}/{METRICS}", {item.name: {item.mode: dict(item.values)}})
        write_lines(folder / RESULTS / item.name / ROWS, item.rows)
        lines += table_lines(item)
    return lines


def table_lines(item: EvalSet) -> list[str]:
    """Give a set's table: its name amid dashes, the columns, one line of values."""
    cells = {"evaluation_mode": item.mode, **{name: _shown(name, value) for name, value in item.values.items()}}
    widths = [max(len(name), len(cell)) for name, cell in cells.items()]
    head = " | ".join(name.ljust(width) for name, width in zip(cells, widths, strict=True))
    body = " | ".join(cell.ljust(width) for cell, width in zip(cells.values(), widths, strict=True))
    return [f" {item.name} ".center(len(head), "-"), head.rstrip(), body.rstrip()]


def voicebench_sets(sources: Iterable[str]) -> dict[str, str]:
    """Name the sets of VoiceBench that prediction files are of, as the fork writes them, by file; others have none.

    Where American English is all there is of sd-qa, that is a set of its own.
    """
    found = {source: match for source in sources if (match := _SUBSET.search(source.removeprefix("result-")))}
    names = {source: f"{VOICEBENCH}{match[1].replace('-', '_')}" for source, match in found.items()}
    accents = [source for source, match in found.items() if match[1] == "sd-qa"]
    if all(re.search(r"-sd-qa-usa(-|$)", f"-{source}") for source in accents):
        names |= dict.fromkeys(accents, f"{VOICEBENCH}sd_qa_usa")
    return names


def _answer(row: Mapping[str, Any]) -> str:
    found = next((row[name] for name in _ANSWERS if name in row), "")
    return found if isinstance(found, str) else ""


def _mean_tokens(rows: Sequence[Mapping[str, Any]]) -> int | None:
    counts = [count for row in rows if isinstance(count := row.get("num_generated_tokens"), int | float)]
    return int(sum(counts) / len(counts)) if counts else None


def _seconds(rows: Sequence[Mapping[str, Any]]) -> int | None:
    begun, ended = (
        [time for row in rows if isinstance(time := row.get(f"generation_{edge}_time"), int | float)]
        for edge in ("start", "end")
    )
    return int(max(ended) - min(begun)) if begun and ended else None


def _shown(name: str, value: float | int | None) -> str:
    if value is None:
        return "-"
    return f"{value:.2f}%" if name in ("success_rate", "no_answer", "wer") else f"{value:g}"
