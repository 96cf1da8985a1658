"""Tables as files: CSV, JSON lines, Parquet (pyarrow, extra `data`), Markdown and LaTeX; written as rows come."""

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any, Protocol

import msgspec

from simulator.errors import ScenarioError
from simulator.results.columns import Column
from simulator.results.tables import Values
from simulator.texts import install_of

NO_PYARROW = f"needs pyarrow: {install_of('data')}"
_ROWS_AT_ONCE = 4_000
"""Of a Parquet file: so many rows are a row group."""

_TEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "_": r"\_", "%": r"\%", "&": r"\&", "#": r"\#", "$": r"\$",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "↑": r"$\uparrow$", "↓": r"$\downarrow$",
    "·": r"$\cdot$", "…": r"\ldots{}", "<": r"$<$", ">": r"$>$", "|": r"$|$",
}  # fmt: skip


class TableFile(Protocol):
    """A table that is being written."""

    def write(self, rows: Sequence[Values]) -> None:
        """Add rows. OSError."""
        ...

    def close(self) -> None:
        """Finish it. OSError."""
        ...


class TextTable:
    """A table whose rows are lines. head, foot: the lines before and after them."""

    def __init__(self, path: Path, head: str, line: Callable[[Values], str], foot: str = "") -> None:
        self._file = path.open("w", encoding="utf-8", newline="")
        self._line = line
        self._foot = foot
        self._file.write(head)

    def write(self, rows: Sequence[Values]) -> None:
        """Add rows. OSError."""
        self._file.writelines(map(self._line, rows))

    def close(self) -> None:
        """Finish it. OSError."""
        self._file.write(self._foot)
        self._file.close()


class CsvTable:
    """A CSV file: empty cells for null, full precision."""

    def __init__(self, path: Path, columns: Sequence[Column]) -> None:
        self._file: IO[str] = path.open("w", encoding="utf-8", newline="")
        self._writer = csv.writer(self._file, lineterminator="\n")
        self._writer.writerow([column.name for column in columns])

    def write(self, rows: Sequence[Values]) -> None:
        """Add rows. OSError."""
        self._writer.writerows(rows)

    def close(self) -> None:
        """Finish it. OSError."""
        self._file.close()


class ParquetTable:
    """A Parquet file, compressed, its texts by dictionary."""

    def __init__(self, path: Path, columns: Sequence[Column]) -> None:
        arrow, parquet = _pyarrow()
        kinds = {
            "text": arrow.string(), "json": arrow.string(), "number": arrow.float64(), "count": arrow.int64(),
            "flag": arrow.bool_(),
        }  # fmt: skip
        self._schema = arrow.schema([(column.name, kinds[column.kind]) for column in columns])
        self._writer = parquet.ParquetWriter(path, self._schema, compression="zstd")
        self._arrow = arrow
        self._rows: list[Values] = []

    def write(self, rows: Sequence[Values]) -> None:
        """Add rows. OSError."""
        self._rows += rows
        if len(self._rows) >= _ROWS_AT_ONCE:
            self._flush()

    def close(self) -> None:
        """Finish it. OSError."""
        if self._rows:
            self._flush()
        self._writer.close()

    def _flush(self) -> None:
        arrays = [
            self._arrow.array(values, type=field.type)
            for values, field in zip(zip(*self._rows, strict=True), self._schema, strict=True)
        ]
        self._writer.write_table(self._arrow.Table.from_arrays(arrays, schema=self._schema))
        self._rows = []


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise ScenarioError(f"--to parquet: {NO_PYARROW}") from None
    return pyarrow, pyarrow.parquet


def json_lines(path: Path, columns: Sequence[Column]) -> TableFile:
    """Open JSON lines: an object a row, JSON columns as they are and not as texts."""
    names = [column.name for column in columns]
    plain = [column.kind == "json" for column in columns]

    def line(row: Values) -> str:
        values = [
            msgspec.Raw(value.encode()) if is_json and value is not None else value
            for value, is_json in zip(row, plain, strict=True)
        ]
        return msgspec.json.encode(dict(zip(names, values, strict=True))).decode() + "\n"

    return TextTable(path, "", line)


def markdown(path: Path, columns: Sequence[Column]) -> TableFile:
    """Open a Markdown table."""
    head = f"{pipes([column.name for column in columns])}\n|{'---|' * len(columns)}\n"
    return TextTable(path, head, lambda row: pipes([_cell(value) for value in row]) + "\n")


def latex(path: Path, columns: Sequence[Column]) -> TableFile:
    """Open a LaTeX `tabular` that needs no package; numbers stand to the right."""
    sides = "".join("r" if column.kind in ("number", "count") else "l" for column in columns)
    head = " & ".join(tex(column.name) for column in columns)
    return TextTable(
        path,
        f"\\begin{{tabular}}{{{sides}}}\n\\hline\n{head} \\\\\n\\hline\n",
        lambda row: " & ".join(tex(_cell(value)) for value in row) + " \\\\\n",
        "\\hline\n\\end{tabular}\n",
    )


FORMS: dict[str, tuple[str, Callable[[Path, Sequence[Column]], TableFile]]] = {
    "csv": (".csv", CsvTable),
    "parquet": (".parquet", ParquetTable),
    "jsonl": (".jsonl", json_lines),
    "markdown": (".md", markdown),
    "latex": (".tex", latex),
}
"""By name: the ending of its files, and what opens one."""


def tex(text: str) -> str:
    """Give a text as LaTeX prints it."""
    return "".join(_TEX.get(letter, letter) for letter in text)


def pipes(cells: Sequence[str]) -> str:
    """Give a row of a Markdown table, without a line feed at its end."""
    return f"| {' | '.join(cell.replace('|', '/').replace(chr(10), ' ') for cell in cells)} |"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
