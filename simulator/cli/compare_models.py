"""What `simulate compare` prints of models side by side: a table in Markdown, LaTeX or CSV; other projects' reports."""

import csv
import io
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from simulator.cli import OK, REFUSED
from simulator.cli.numbers import number
from simulator.cli.outcome import outcome
from simulator.errors import ScenarioError, sentence
from simulator.files import write_whole
from simulator.plugins import load
from simulator.results.models import ModelRow, ModelTable
from simulator.results.table_files import pipes, tex
from simulator.score import Score
from simulator.scoring.comparing import ComparesFolders

ARROWS = {"higher": " ↑", "lower": " ↓", "neither": ""}
LEGEND = "↑ higher is better, ↓ lower is better, bold: the best value; in brackets 95 % intervals"


def compare_folders(kind: str, written: Sequence[str], out: Path | None) -> int:
    """Print another project's comparison of its result folders, and write it; gives the exit code."""
    spec = load("scorers", kind)()
    if not isinstance(spec, ComparesFolders):
        raise ScenarioError(f"--as {kind}: its project has no comparison of result folders; nemo_s2s has one")
    if out is not None and not out.parent.is_dir():
        raise ScenarioError(f"{out}: the folder does not exist")
    found = spec.compare_folders(written)
    if found.text is None:
        return max(outcome(found.problems, found.of), REFUSED)
    if out is not None:
        save(out, found.text)
    print(found.text)
    return outcome(found.problems, found.of) if found.problems else OK


def save(out: Path, text: str) -> None:
    """Write a table or a report. ScenarioError where it cannot be written."""
    try:
        write_whole(out, text.encode())
    except OSError as error:
        raise ScenarioError(f"--out {sentence(error)}") from error


def told_table(table: ModelTable, form: str, out: Path | None) -> None:
    """Print a table over models in this form, and write it where a file is named."""
    text = FORMS[form](table)
    if out is not None:
        save(out, text)
    sys.stdout.write(text)


def as_markdown(table: ModelTable) -> str:
    """Give the table in Markdown: groups in bold rows, the best in bold."""
    lines = [pipes(["metric", *table.names]), f"|{'|'.join(['---'] * (len(table.names) + 1))}|"]
    lines.append(pipes(["sessions", *map(str, table.sessions)]))
    for group, rows in _grouped(table).items():
        lines.append(f"| **{group}** |{' |' * len(table.names)}")
        for row in rows:
            cells = [f"**{cell}**" if place in row.best else cell for place, cell in enumerate(_cells(row))]
            lines.append(pipes([f"{row.label}{_unit(row)}{ARROWS[row.better]}", *cells]))
    return "\n".join([*lines, "", LEGEND]) + "\n"


def as_latex(table: ModelTable) -> str:
    """Give the table as a `tabular` that needs no package."""
    columns = len(table.names) + 1
    head = " & ".join(map(tex, ["metric", *table.names]))
    lines = [f"% {LEGEND}", rf"\begin{{tabular}}{{l{'r' * len(table.names)}}}", r"\hline", rf"{head} \\", r"\hline"]
    lines.append(" & ".join(["sessions", *map(str, table.sessions)]) + r" \\")
    for group, rows in _grouped(table).items():
        lines.append(rf"\multicolumn{{{columns}}}{{l}}{{\textbf{{{tex(group)}}}}} \\")
        for row in rows:
            cells = [
                rf"\textbf{{{tex(cell)}}}" if place in row.best else tex(cell) for place, cell in enumerate(_cells(row))
            ]
            lines.append(" & ".join([tex(f"{row.label}{_unit(row)}{ARROWS[row.better]}"), *cells]) + r" \\")
    return "\n".join([*lines, r"\hline", r"\end{tabular}"]) + "\n"


def as_csv(table: ModelTable) -> str:
    """Give the table as CSV: a line per metric and model, full precision."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("group", "metric", "subset", "model", "value", "low", "high", "n", "unit", "better", "best"))
    for row in table.rows:
        for place, (name, score) in enumerate(zip(table.names, row.scores, strict=True)):
            low, high = score.ci95 or (None, None)
            best = int(place in row.best)
            known = (row.group, row.metric, row.subset, name, score.value, low, high, score.n, score.unit, row.better)
            writer.writerow((*known, best))
    return text.getvalue()


FORMS: dict[str, Callable[[ModelTable], str]] = {"markdown": as_markdown, "latex": as_latex, "csv": as_csv}


def _grouped(table: ModelTable) -> dict[str, list[ModelRow]]:
    groups: dict[str, list[ModelRow]] = {}
    for row in table.rows:
        groups.setdefault(row.group, []).append(row)
    return groups


def _cells(row: ModelRow) -> list[str]:
    return [_cell(score) for score in row.scores]


def _cell(score: Score) -> str:
    if score.value is None or score.ci95 is None:
        return number(score.value)
    low, high = score.ci95
    return f"{number(score.value)} [{number(low)}, {number(high)}]"


def _unit(row: ModelRow) -> str:
    return f", {row.unit}" if row.unit else ""
