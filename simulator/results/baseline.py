"""Baselines: what a blessed run measured, in one small JSON file that a repository can keep.

It holds a row per session with the parts of the metrics that comparisons are asked about, so that a later run is paired
with it exactly as with the run itself. Its sound is not there to be heard.
"""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import msgspec

from simulator.errors import ScenarioError, SessionError
from simulator.files import read_json
from simulator.reading.expect import read_expectation
from simulator.results.row import Row, RowScore
from simulator.results.row_file import checked
from simulator.results.run import Run
from simulator.spec import encode

FORMAT = 1
_FIGURES = 6
"""Significant figures of a measured value: a microsecond in a second, and half the bytes."""


class Baseline(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The file. expect: the expectations as a scenario writes them, by scenario."""

    format: int
    name: str
    rows: list[Row]
    expect: dict[str, list[Any]] = {}


class _Version(msgspec.Struct):
    """What any version's file can be read as."""

    format: int


def write_baseline(path: Path, run: Run, metrics: Collection[str]) -> None:
    """Write a run's completed sessions with these metrics, a line each, so that a change shows as one. OSError."""
    rows = [_slim(row, metrics) for row in run.rows if row.status == "completed"]
    expect = {name: [encode(verdict.expectation) for verdict in found] for name, found in run.verdicts.items()}
    head = msgspec.json.encode(Baseline(format=FORMAT, name=run.name, rows=[], expect=expect))
    lines = b",\n".join(msgspec.json.encode(row) for row in sorted(rows, key=lambda row: row.id))
    path.write_bytes(head.replace(b'"rows":[]', b'"rows":[\n' + lines + b"\n]", 1) + b"\n")


def read_baseline(path: Path) -> Run:
    """Read a baseline as a run whose folder is that file. SessionError when it is none."""
    try:
        version = read_json(path, _Version).format
        found = read_json(path, Baseline) if version <= FORMAT else None
    except FileNotFoundError:
        raise SessionError(f"{path}: there is no such file; write one with --write-baseline") from None
    except SessionError as error:
        raise SessionError(f"{error}; it is no baseline") from error
    if found is None:
        raise SessionError(f"{path}: is a baseline of format {version}; this version reads {FORMAT}")
    try:
        rows = {row.id: checked(row) for row in found.rows}
    except SessionError as error:
        raise SessionError(f"{path}: {error}; it is no baseline") from error
    try:
        expected = {name: [read_expectation(one, str(path)) for one in told] for name, told in found.expect.items()}
    except ScenarioError as error:
        raise SessionError(str(error)) from error
    return Run(path, list(rows.values()), expected=expected)


def as_kept(run: Run) -> Run:
    """Give a run with its values as a baseline keeps them.

    What is held against a baseline is rounded like it: a millionth that is missing from every value on one side alone
    would be a difference that is the same everywhere, and so a finding.
    """
    rows = [
        msgspec.structs.replace(row, scores={name: _rounded(score) for name, score in row.scores.items()})
        for row in run.rows
    ]
    return run.with_rows(rows)


def _slim(row: Row, metrics: Collection[str]) -> Row:
    scores = {name: _rounded(score) for name, score in row.scores.items() if name in metrics}
    return msgspec.structs.replace(row, scores=scores, problem=None, settings="")


def _rounded(score: RowScore) -> RowScore:
    values = score.parts.get("values")
    if values is None:
        return score
    parts = {**score.parts, "values": [float(f"{value:.{_FIGURES}g}") for value in values]}
    return msgspec.structs.replace(score, parts=parts)
