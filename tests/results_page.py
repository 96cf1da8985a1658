"""Writes docs/results.md, what a run leaves and what the columns of its tables mean: `python -m tests.results_page`."""

from collections.abc import Iterator
from pathlib import Path

from simulator.results.columns import TABLES

PAGE = Path(__file__).resolve().parent.parent / "docs" / "results.md"
HEAD = """# Results as tables
<!-- written by `python -m tests.results_page` -->

```
simulate export RUN ... --to csv|parquet|jsonl|markdown|latex --out DIR    a file per table: DIR/long.csv, DIR/turns.csv
simulate export RUN ... --to parquet --table long --out all.parquet        one table, one file
simulate export RUN ... --to latex --table agents --out paper              metrics by agents, intervals, best in bold
```

Figures of a paper, in colours that differ to every eye (matplotlib, extra `data`):

```
simulate export RUN ... --to svg|png|pdf --figure fto          floor transfer offsets, people's beside `dialogue`
simulate export RUN ... --to pdf --figure latency --out fig    response latencies, cumulative
simulate export RUN --to svg --figure raster --session ID      who speaks when in a session
simulate export RUN --to svg --figure curve --metric ID        a sweep's curve, its fit and threshold
simulate export RUN ... --to pdf --figure forest               models beside each other, a panel per unit
```

Several runs go into one table, told apart by `run`. Parquet needs pyarrow (extra `data`). CSV has empty cells for null,
JSON lines have JSON columns as objects, LaTeX needs no package. Ten thousand sessions with 46 metrics (55 MB of rows)
become Parquet in 4 s and 170 MB of memory: rows are read one by one. A session that cannot be read is told and keeps
its rows of `long` and `wide`: exit code 3.

```python
from pathlib import Path
from simulator.results import load_run

run = load_run(Path("runs/book-a-table"))
run.rows[0].value("latency.response_p50_s")  # a session's own value
run.frame("turns")  # a data frame of pandas, or of polars: frame("turns", "polars")
```

With DuckDB, which reads the files as they are:

```sql
select agent, median(fto_s) from 'DIR/turns.parquet' join 'DIR/wide.parquet' using (run, session) group by agent;
select metric, avg(value) from 'DIR/long.parquet' where invalid = '' group by metric;
select sum((parts->>'count')::double) / sum((parts->>'of')::double) from 'DIR/long.parquet'
  where metric = 'barge_in.yield_rate' and invalid = '';
```

A plain mean of `value` weighs sessions alike; values pooled as `simulate` pools them come from `parts`, which add up:
counts are summed, lists of values are joined. Invalid sessions (`invalid`) say nothing about the agent and are left out
of pooled values. Times are seconds from the session's beginning, as every page has them. Kinds: `text`, `number` (a
float), `count` (whole), `flag` (true or false), `json` (a text that is JSON). All but what names a row may be null.
"""


def page() -> str:
    """Give the whole page."""
    return "\n".join([HEAD, *(line for name in TABLES for line in _table(name))]).rstrip() + "\n"


def _table(name: str) -> Iterator[str]:
    kind = TABLES[name]
    yield f"## {name}\n"
    yield f"A row is {kind.row}.\n"
    yield "| column | kind | unit | meaning |"
    yield "|---|---|---|---|"
    for column in kind.columns:
        yield f"| `{column.name}` | {column.kind} | {column.unit} | {column.told} |"
    yield ""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
