"""VoiceBench's prediction files of a run: what its judging and evaluating scripts read, a file per model and set."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from simulator.annotation.answers import answer_of
from simulator.export.predictions import file_name, row_of, write_lines
from simulator.session import Session


def write(sessions: Sequence[Session], folder: Path) -> list[Path]:
    """Write the answers that the agents told in annotated sessions; give the files, in the order of their first row."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for session in sessions:
        rows.setdefault(file_name(session), []).append(row_of(session, answer_of(session, heard=False).text))
    paths = [folder / f"{name}.jsonl" for name in rows]
    for path, lines in zip(paths, rows.values(), strict=True):
        write_lines(path, lines)
    return paths
