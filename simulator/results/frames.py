"""Tables of a run as data frames: of pandas, or polars, whichever is installed; neither is needed for anything else."""

from importlib import import_module
from typing import Any

from simulator.errors import ScenarioError
from simulator.results.columns import TABLES, Column
from simulator.results.tables import TabledRun, Tell, Values, batches, columns_of

ENGINES = ("pandas", "polars")
_PANDAS = {"text": "string", "json": "string", "number": "float64", "count": "Int64", "flag": "boolean"}


def frame_of(run: TabledRun, table: str, engine: str | None = None, tell: Tell = lambda _note: None) -> Any:
    """Give a table of a run as a data frame. engine: `pandas` or `polars`; the first of them that is installed.

    tell: is told of sessions that cannot be read. ScenarioError: no such table, or no such package here.
    """
    if table not in TABLES:
        raise ScenarioError(f"{table!r} is no table of a run; there are {', '.join(TABLES)}")
    package = _engine(engine)
    columns = columns_of(table, [run])
    rows = [row for batch in batches([run], [table], tell) for row in batch.rows]
    return _polars(package, columns, rows) if package.__name__ == "polars" else _pandas(package, columns, rows)


def _engine(wanted: str | None) -> Any:
    if wanted is not None and wanted not in ENGINES:
        raise ScenarioError(f"{wanted!r} makes no data frames here; choose one of {', '.join(ENGINES)}")
    for name in ENGINES if wanted is None else (wanted,):
        try:
            return import_module(name)
        except ImportError:
            continue
    raise ScenarioError(f"a data frame needs {' or '.join(ENGINES) if wanted is None else wanted}: pip install pandas")


def _pandas(package: Any, columns: tuple[Column, ...], rows: list[Values]) -> Any:
    held = [list(values) for values in zip(*rows, strict=True)] if rows else [[] for _ in columns]
    return package.DataFrame(
        {
            column.name: package.array(values, dtype=_PANDAS[column.kind])
            if column.kind != "number"
            else package.Series(values, dtype="float64")
            for column, values in zip(columns, held, strict=True)
        }
    )


def _polars(package: Any, columns: tuple[Column, ...], rows: list[Values]) -> Any:
    kinds = {
        "text": package.String, "json": package.String, "number": package.Float64, "count": package.Int64,
        "flag": package.Boolean,
    }  # fmt: skip
    return package.DataFrame(rows, schema={column.name: kinds[column.kind] for column in columns}, orient="row")
