"""A run whose rows are read as they are needed: of a million sessions never more than one is in memory.

For tables, which go over the rows once. Everything that pools needs them all.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path

import msgspec

from simulator.errors import SessionError
from simulator.reading.expect import Verdict
from simulator.results.row import Row
from simulator.results.row_file import RESULTS, row_in
from simulator.results.run import Run, load_run
from simulator.session import is_session


class _Sketch(msgspec.Struct):
    """Of a row what is needed to know which rows there are, and what they measured."""

    id: str
    scores: dict[str, msgspec.Raw] = {}


class StreamedRun:
    """The rows of a run, from its results.jsonl. Of two rows of one session the last one counts.

    notes: a sentence per line that could not be read, once the rows have been gone over.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = folder.resolve().name
        self.notes: list[str] = []
        self._last: dict[str, int] = {}
        metrics: dict[str, None] = {}
        decoder = msgspec.json.Decoder(_Sketch)
        for number, line in self._lines():
            try:
                sketch = decoder.decode(line)
            except (msgspec.DecodeError, ValueError, RecursionError):
                if line.rstrip().endswith(b"}"):  # else a kill cut it in two
                    self._last[f"\0{number}"] = number  # gone over like the others, and told then
                continue
            self._last.pop(sketch.id, None)
            self._last[sketch.id] = number
            if not metrics.keys() >= sketch.scores.keys():
                metrics |= dict.fromkeys(sketch.scores)
        self.metrics: Sequence[str] = tuple(metrics)

    def __len__(self) -> int:
        return len(self._last)

    @property
    def rows(self) -> Iterator[Row]:
        """Its sessions, in the order they ended last."""
        self.notes.clear()
        wanted, decoder = set(self._last.values()), msgspec.json.Decoder(Row)
        for number, line in self._lines():
            if number not in wanted:
                continue
            try:
                yield row_in(line, decoder)
            except SessionError as error:
                self.notes.append(f"{self.folder / RESULTS}: line {number} cannot be used and was left out: {error}")

    @cached_property
    def verdicts(self) -> Mapping[str, Sequence[Verdict]]:
        """The judged expectations by scenario, which all rows are needed for; none where no session is left."""
        left = any(is_session(path) for path in self.folder.iterdir())
        return load_run(self.folder).verdicts if left else {}

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        with (self.folder / RESULTS).open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, line


def run_for_tables(folder: Path) -> StreamedRun | Run:
    """Open a run for its tables: from its rows where it has any, else from its sessions. SessionError: it is none."""
    path = folder / RESULTS
    return StreamedRun(folder) if path.is_file() and path.stat().st_size else load_run(folder)
