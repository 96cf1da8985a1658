"""The table that `simulate score` prints: metrics, what is undefined and why, what was left out."""

import sys
from collections.abc import Sequence
from typing import Any

from simulator.cli.console import console
from simulator.cli.numbers import number, without_interval
from simulator.score import Score
from simulator.scoring.corpus import CorpusResult, Group

_MOST_NOTES = 12


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
