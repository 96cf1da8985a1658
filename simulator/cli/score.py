"""`simulate score PATH ... [--as NAME]`: score sessions again, or other projects' recordings."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from simulator.cli import OK, REFUSED
from simulator.cli.console import console
from simulator.cli.json_file import write_json_file
from simulator.cli.numbers import number, without_interval
from simulator.cli.outcome import code_of, tell_passed_over
from simulator.cli.overrides import add_pool
from simulator.cli.places import to_read
from simulator.cli.score_options import READING, add_options, convert, make_specs, read_options
from simulator.errors import located
from simulator.score import Score
from simulator.scoring.corpus import CorpusResult, CorpusScorer, Group, UnusableResult

_MOST_NOTES = 12

Tell = Callable[[str], None]
Work = Callable[[Sequence[Path], Tell], CorpusResult]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "paths",
        nargs="+",
        type=to_read,
        metavar="PATH",
        help="a session, a run (folder or URL), stereo sound files, a Full-Duplex-Bench folder, "
        "a NeMo results folder, a tau experiment, a folder of judge replies",
    )
    parser.add_argument(
        "--as",
        dest="scorers",
        action="append",
        default=[],
        metavar="NAME",
        help="a scorer (default: our own scorers on sessions); may be given several times",
    )
    add_options(parser, "an option of the scorer, such as mode=compat")
    add_pool(parser)
    parser.add_argument("--json", metavar="FILE", help="write the result as JSON (- for standard output)")
    parser.add_argument("--show", action="store_true", help="say what was measured between which two instants")


def run(args: argparse.Namespace) -> int:
    """Score what the paths hold and print a table; input folders are never written to. Gives the exit code."""
    works = _works(args.scorers, read_options(args.options), pool=args.pool, keep=args.keep_invalid)
    tell_passed_over(args.paths)
    tell = _teller(args.show, to_stderr=args.json == "-")
    results = [work(args.paths, tell) for work in works]
    unusable = [result for result in results if isinstance(result, UnusableResult)]
    if args.json != "-":
        for result in results:
            if result not in unusable:
                print_result(result)
    if args.json is not None:
        told = [result.as_json() for result in results]
        write_json_file(args.json, told[0] if len(told) == 1 else told)
    for result in unusable:
        print(f"simulate: {result.sentence()}", file=sys.stderr)
    if unusable:
        return REFUSED
    return max((code_of(result.unusable, len(result.samples)) for result in results), default=OK)


def _teller(show: bool, *, to_stderr: bool) -> Tell:
    stream = sys.stderr if to_stderr else sys.stdout

    def tell(line: str) -> None:
        if show:
            print(line, file=stream)

    return tell


def _works(names: Sequence[str], options: Mapping[str, str], *, pool: str, keep: bool) -> list[Work]:
    """Give what is to be done: each foreign definition by itself, our own scorers together.

    pool, keep: as `--pool` and `--keep-invalid` say, which are for our own.
    """
    from simulator.scoring.rescoring import Rescoring
    from simulator.scoring.scorer import DEFAULT_SCORERS, wants_words

    every = make_specs(names or DEFAULT_SCORERS, options)
    foreign = {name: spec for name, spec in every.items() if isinstance(spec, CorpusScorer)}
    own = {name: spec for name, spec in every.items() if name not in foreign}
    works: list[Work] = [spec.score_corpus for spec in foreign.values()]
    if own:
        words = any(map(wants_words, own.values()))
        reading = {key: text for key, text in options.items() if key in READING}
        rescoring: Rescoring = convert(Rescoring, reading, words=words, pool=pool, keep_invalid=keep)
        if rescoring.recognizer is not None:
            located("--set recognizer", rescoring.recognizer.check)
        scorers = {name: spec.build() for name, spec in own.items()}
        works.append(lambda paths, tell: rescoring.score(paths, scorers, tell))
    return works


def print_result(result: CorpusResult) -> None:
    """Print a result on standard output, what was left out on standard error."""
    print(f"{result.scorer} ({result.mode}): {result.n} of {len(result.samples)} samples")
    for name, group in (result.groups or {"": Group(metrics=result.metrics, told=result.told)}).items():
        if name:
            print(f"\n{name}: {group.n}")
        _print_group(group)
    _print_notes(result)


def _print_group(group: Group) -> None:
    rows = [_row(name, metric) for name, metric in group.metrics.items() if metric.value is not None]
    if rows and sys.stdout.isatty():
        _print_rich(rows)
    elif rows:
        _print_plain([("metric", "value", "unit", "n", "95 % interval"), *rows])
    for reason, names in _undefined(group).items():
        print(f"undefined ({reason}): {', '.join(names)}")
    for reason, names in without_interval(group.metrics.values()).items():
        print(f"no interval ({reason}): {', '.join(names)}")
    for line in group.told:
        print(line)


def _row(name: str, metric: Score) -> tuple[str, ...]:
    interval = f"{number(metric.ci95[0])} .. {number(metric.ci95[1])}" if metric.ci95 else ""
    told = f"{number(metric.value)} ({metric.reason})" if metric.reason else number(metric.value)
    return name, told, metric.unit, str(metric.n), interval


def _print_plain(rows: Sequence[tuple[str, ...]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _print_rich(rows: Sequence[tuple[str, ...]]) -> None:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    right: Any = {"justify": "right"}
    for title, style in (
        ("metric", {}),
        ("value", right),
        ("unit", {}),
        ("n", right),
        ("95 % interval", right),
    ):
        table.add_column(title, **style)
    for row in rows:
        table.add_row(*row)
    console().print(table)


def _undefined(group: Group) -> dict[str, list[str]]:
    reasons: dict[str, list[str]] = {}
    for name, metric in group.metrics.items():
        if metric.value is None:
            reasons.setdefault(metric.reason or "nothing was measured", []).append(name)
    return reasons


def _print_notes(result: CorpusResult) -> None:
    notes = [f"{sample.id}: {note}" for sample in result.samples for note in sample.notes]
    for note in notes[:_MOST_NOTES]:
        print(note, file=sys.stderr)
    if len(notes) > _MOST_NOTES:
        print(f"... and {len(notes) - _MOST_NOTES} more notes (--json FILE has all)", file=sys.stderr)
