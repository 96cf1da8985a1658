"""results.jsonl: a run's rows, one a line, read and written.

Rows are appended as sessions end, so the file of a run that was killed may end in half a line.
"""

import sys
from collections.abc import Collection
from pathlib import Path

import msgspec

from simulator.errors import SessionError
from simulator.files import decode_json
from simulator.results.row import Row
from simulator.score import fits
from simulator.scoring.scorer import definition_of
from simulator.texts import quoted

RESULTS = "results.jsonl"
LEFT_OUT = "cannot be used and was left out"


def append_row(run_folder: Path, row: Row) -> None:
    """Add a row to a run's results.jsonl. OSError."""
    with (run_folder / RESULTS).open("ab") as file:
        file.write(msgspec.json.encode(row) + b"\n")


def end_last_line(run_folder: Path) -> None:
    """End a line that was cut off: the next row must not be appended to half of another."""
    path = run_folder / RESULTS
    if path.is_file() and not path.read_bytes().endswith(b"\n"):
        with path.open("ab") as file:
            file.write(b"\n")


def drop_rows(run_folder: Path, session_ids: Collection[str]) -> None:
    """Take out the rows of sessions that are to be played again: others would read both. OSError."""
    path = run_folder / RESULTS
    if not session_ids or not path.is_file():
        return
    decoder = msgspec.json.Decoder(_Named)
    lines = path.read_bytes().splitlines(keepends=True)
    kept = [line for line in lines if _named(line, decoder).id not in session_ids]
    fresh = path.with_suffix(".new")
    fresh.write_bytes(b"".join(kept))
    fresh.replace(path)


class _Named(msgspec.Struct):
    id: str | None = None
    status: str = "completed"


def _named(line: bytes, decoder: "msgspec.json.Decoder[_Named]") -> _Named:
    try:
        return decoder.decode(line)
    except (msgspec.DecodeError, ValueError):
        return _Named()


def completed_ids(run_folder: Path) -> set[str]:
    """Give the ids of the sessions that a run has completed, their scores unread; none without its results.jsonl."""
    path, decoder = run_folder / RESULTS, msgspec.json.Decoder(_Named)
    if not path.is_file():
        return set()
    with path.open("rb") as file:
        last = {named.id: named.status for named in (_named(line, decoder) for line in file)}
    return {name for name, status in last.items() if name is not None and status == "completed"}


def _share_units(row: Row) -> None:
    """Let equal units be one string: of ten thousand sessions with forty metrics they would take 40 MB."""
    for score in row.scores.values():
        msgspec.structs.force_setattr(score, "unit", sys.intern(score.unit))


def read_rows(run_folder: Path) -> tuple[list[Row], list[str]]:
    """Read a run's results.jsonl: a row per session, in the order they ended, and a sentence per line left out.

    A session that a resumed run played again counts by its last row. Without the file there are no rows.
    """
    path = run_folder / RESULTS
    if not path.is_file():
        return [], []
    decoder = msgspec.json.Decoder(Row)
    latest: dict[str, Row] = {}
    notes: list[str] = []
    with path.open("rb") as file:  # line by line: a large run need not be in memory twice
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                row = row_in(line, decoder)
            except SessionError as error:
                whole = line.rstrip().endswith(b"}")
                broken = f"{LEFT_OUT}: {error}" if whole else "is not whole and was left out"
                notes.append(f"{path.name}: line {number} {broken}")
                continue
            latest.pop(row.id, None)  # so that it stands where it ended last
            latest[row.id] = row
    return list(latest.values()), notes


def row_in(line: bytes, decoder: "msgspec.json.Decoder[Row]") -> Row:
    """Read a line of results.jsonl. SessionError: it is no row."""
    row = checked(decode_json(line, decoder, where="the row"))
    _share_units(row)
    return row


def names_folder(name: str) -> bool:
    """Say whether a session's folder can be called so, inside its run's."""
    return name not in ("", ".", "..") and {"/", "\\", "\0"}.isdisjoint(name)


def checked(row: Row) -> Row:
    """Give a row as it was read. SessionError: an id that no folder can have, parts that are not those of a metric."""
    if not names_folder(row.id):
        raise SessionError(f"id is {quoted(row.id)}; allowed is the name of a folder")
    for metric, score in row.scores.items():
        definition = definition_of(metric)
        if definition is not None and not fits(definition, score.parts):
            raise SessionError(f"{metric}: a {definition.statistic} has other parts than {', '.join(score.parts)}")
    return row
