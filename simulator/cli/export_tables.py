"""`simulate export RUN ... --to csv|parquet|jsonl|markdown|latex`: runs as tables, a file per table."""

import argparse
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from simulator.cli.compare_models import FORMS as MODEL_FORMS
from simulator.cli.compare_models import save
from simulator.cli.outcome import outcome
from simulator.errors import ScenarioError, sentence
from simulator.results.columns import TABLES
from simulator.results.models import models_of, models_table
from simulator.results.run import Run, is_run, load_run
from simulator.results.streaming import StreamedRun, run_for_tables
from simulator.results.table_files import FORMS, TableFile
from simulator.results.tables import TabledRun, batches, columns_of

TABLE_FORMS = tuple(FORMS)
AGENTS = "agents"
"""The table of a paper: metrics by agents, pooled."""


def wants_tables(args: argparse.Namespace) -> bool:
    """Say whether tables are asked for: of sessions and sound files `csv` is one of segments, utterances and words."""
    runs = all(is_run(path) for path in args.paths)
    return args.to in FORMS and (args.to != "csv" or runs or bool(args.tables))


def write_tables(args: argparse.Namespace) -> int:
    """Write the tables of runs into --out and print where; gives the exit code."""
    suffix, _ = FORMS[args.to]
    tables = list(dict.fromkeys(args.tables))
    for table in tables:
        if table not in (*TABLES, AGENTS):
            raise ScenarioError(f"--table {table}: there is none; choose one of {', '.join((*TABLES, AGENTS))}")
    one_file = args.out.suffix == suffix
    if one_file and len(tables) > 1:
        raise ScenarioError(f"--out {args.out}: is one file, and {len(tables)} tables are asked for; name a folder")
    tables = tables or (["long"] if one_file else list(TABLES))
    runs = [_run(path) for path in args.paths]
    places = {table: args.out if one_file else args.out / f"{table}{suffix}" for table in tables}
    for place in places.values():
        if place.exists():
            raise ScenarioError(f"{place} exists; name another folder with --out")
    if AGENTS in places and args.to not in MODEL_FORMS:
        raise ScenarioError(f"--table {AGENTS}: is for {', '.join(MODEL_FORMS)}")
    _folder(args.out, one_file=one_file)
    if AGENTS in places:
        whole = [load_run(path) for path in args.paths]
        save(places[AGENTS], MODEL_FORMS[args.to](models_table(models_of(whole))))
    problems: list[str] = []
    _write(runs, {table: place for table, place in places.items() if table != AGENTS}, args.to, problems)
    for place in places.values():
        print(place)
    for run in runs:
        problems += run.notes if isinstance(run, StreamedRun) else run.left_out
    sessions = sum(len(run) if isinstance(run, StreamedRun) else len(run.rows) + len(run.left_out) for run in runs)
    return outcome(list(dict.fromkeys(problems)), max(1, sessions))


def _run(path: Path) -> StreamedRun | Run:
    if not is_run(path):
        raise ScenarioError(f"{path}: is no run folder; tables are made of runs")
    return run_for_tables(path)


def _folder(out: Path, *, one_file: bool) -> None:
    try:
        (out.parent if one_file else out).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ScenarioError(f"--out {sentence(error)}") from error


def _write(runs: Sequence[TabledRun], places: dict[str, Path], form: str, problems: list[str]) -> None:
    _, opened = FORMS[form]
    try:
        with ExitStack() as stack:
            files: dict[str, TableFile] = {}
            for table, place in places.items():
                files[table] = opened(place, columns_of(table, runs))
                stack.callback(files[table].close)
            for batch in batches(runs, list(files), problems.append) if files else ():
                files[batch.table].write(batch.rows)
    except OSError as error:
        raise ScenarioError(f"--out {sentence(error)}") from error
