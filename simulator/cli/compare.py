"""`simulate compare RUN RUN ...`: paired differences of runs against the first of them, and a page to hear them."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from simulator.cli import OK
from simulator.cli.console import console
from simulator.errors import ScenarioError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "runs",
        nargs="+",
        type=Path,
        metavar="RUN",
        help="run folders; the first is what the others are held against",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=None,
        metavar="FILE",
        help="the page (default: beside the first run, named after the runs)",
    )
    parser.add_argument("--json", action="store_true", help="print the differences as JSON")


def run(args: argparse.Namespace) -> int:
    """Write the comparison page and print the differences."""
    from simulator.report.compare import paired, write_compare_page
    from simulator.results.pairs import differences
    from simulator.results.run import load_run

    if len(args.runs) < 2:
        raise ScenarioError("compare needs two runs or more; found one")
    first, *others = (load_run(path) for path in args.runs)
    found = {other.folder: differences(paired(first, other)) for other in others}
    out = args.out or first.folder.parent / f"{'-vs-'.join(path.resolve().name for path in args.runs)}.html"
    if not out.parent.is_dir():
        raise ScenarioError(f"{out}: the folder does not exist")
    write_compare_page(args.runs, out)
    if args.json:
        print(
            msgspec.json.encode(
                {
                    "page": str(out),
                    "first": str(first.folder),
                    "against": {str(path): items for path, items in found.items()},
                }
            ).decode()
        )
        return OK
    for path, items in found.items():
        _print_table(first.name, path.resolve().name, items)
    print(out)
    return OK


def _print_table(first: str, second: str, items: Sequence[Any]) -> None:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=f"{second} minus {first}", title_justify="left")
    for name in ("metric", first, second, "difference", "95 % interval", ""):
        left, folds = name in ("metric", ""), name in ("metric", first, second)
        table.add_column(name, justify="left" if left else "right", overflow="fold", no_wrap=not folds)
    for item in items:
        if item.value is not None:
            interval = f"{item.ci95[0]:+.3f} .. {item.ci95[1]:+.3f}" if item.ci95 else ""
            word = {"better": "better", "worse": "worse"}.get(item.tone, "")
            table.add_row(item.metric, f"{item.first:.3f}", f"{item.second:.3f}", f"{item.value:+.3f}", interval, word)
    console().print(table)
