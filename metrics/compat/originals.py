"""Writing the files that the original programs write, for write=DIR."""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from simulator.errors import ScenarioError


def write_json(folder: Path | None, name: str, content: Any) -> None:
    """Write a JSON file as Python's json does, at `folder/name`; nothing without a folder."""
    if folder is not None:
        write_text(folder, name, json.dumps(content, ensure_ascii=False, indent=2))


def write_csv(folder: Path | None, name: str, rows: Sequence[Sequence[Any]]) -> None:
    """Write a CSV file, None as an empty cell, at `folder/name`; nothing without a folder."""
    if folder is None:
        return
    path = _place(folder, name)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


def write_text(folder: Path, name: str, text: str) -> None:
    """Write a text file at `folder/name`, making folders; ScenarioError when it cannot be written."""
    _place(folder, name).write_text(text, encoding="utf-8")


def write_originals(folder: Path | None, samples: Sequence[tuple[str, Mapping[str, Any], Sequence[str]]]) -> None:
    """Write every sample's own files under its id, and all raw judge replies; nothing without a folder.

    samples: (id, JSON files by name, replies). judge.jsonl has the form that judge_replies=FILE reads.
    """
    if folder is None:
        return
    for sample, files, _ in samples:
        for name, content in files.items():
            write_json(folder, f"{sample}/{name}", content)
    lines = [json.dumps({"item_id": sample, "generation": reply}) for sample, _, given in samples for reply in given]
    if lines:
        write_text(folder, "judge.jsonl", "\n".join(lines) + "\n")


def _place(folder: Path, name: str) -> Path:
    """Give the path of a name inside the folder; an id that is a path of its own never leads out of it."""
    path = folder.joinpath(*(part for part in PurePosixPath(name).parts if part not in ("/", "..")))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ScenarioError(f"write={folder}: cannot be written: {error.strerror}") from error
    return path
