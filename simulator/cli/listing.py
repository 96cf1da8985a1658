"""`simulate list [actors|channels|scorers|voices ...]`: what is installed, a line each; a kind's keys as a table."""

import argparse
import inspect
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

from simulator.cli import OK
from simulator.errors import ScenarioError
from simulator.plugins import GROUPS, installed, load
from simulator.reading.key_types import Key, inner_structs, keys_of

WIDTH = 100
HEAD = ("key", "type", "unit", "default", "what it is")
MOST = (27, 18, 9, 14)
"""The widest that all columns but the last may become; what is longer goes over several lines."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("what", nargs="?", choices=(*GROUPS, "voices"), help="one group only")
    parser.add_argument("kind", nargs="?", help="one kind of it, with its keys and their defaults")


def run(args: argparse.Namespace) -> int:
    """Print the kinds of every group, or of one."""
    if args.what == "voices":
        return _print_voices()
    if args.kind is not None:
        return _print_keys(load(args.what, args.kind))
    for group in [args.what] if args.what else GROUPS:
        if not args.what:
            print(f"{group}:")
        for name in installed(group):
            print(f"  {name:<22} {_summary(group, name)}")
    return OK


def _print_keys(spec: Any) -> int:
    """Print what a kind is and a table of its keys, then the same of every mapping that stands inside one."""
    known = _print_struct(spec, (inspect.getdoc(spec) or spec.__name__).split("\n\n")[0])
    for words, struct in inner_structs(spec):
        inside = [key.name for key in known if words in key.type]
        print(f"\n{', '.join(dict.fromkeys(inside))}: {words}")
        known += _print_struct(struct, (inspect.getdoc(struct) or "").split(". ")[0].rstrip(".") + ".")
    return OK


def _print_struct(struct: type[Any], told: str) -> list[Key]:
    """Print what it is and its keys; gives these."""
    print("\n".join(textwrap.wrap(" ".join(told.split()), WIDTH, break_on_hyphens=False)))
    keys = list(keys_of(struct))
    for line in key_table(keys):
        print(line)
    return keys


def _summary(group: str, name: str) -> str:
    try:
        lines = (inspect.getdoc(load(group, name)) or "").splitlines()
    except ScenarioError as error:
        return f"not usable here: {error}"
    return lines[0] if lines else ""


def _print_voices() -> int:
    from simulator.engines.espeak import voices
    from simulator.engines.piper_files import installed_voices

    for voice in [*voices(), *installed_voices()]:
        print(voice)
    return OK


def key_table(keys: Sequence[Key]) -> Iterator[str]:
    """Give the lines of the table; none for a kind without keys."""
    if not keys:
        return
    rows = [HEAD, *((key.name, key.type, key.unit, key.default, key.text) for key in keys)]
    widths = [min(most, max(len(row[column]) for row in rows)) for column, most in enumerate(MOST)]
    widths.append(WIDTH - 2 - sum(widths) - 2 * len(widths))
    for number, row in enumerate(rows):
        yield from _lines(row, widths)
        if number == 0:
            yield "  " + "  ".join("-" * width for width in widths)


def _lines(row: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    """A row's lines; a cell that is longer than its column goes on in the next one."""
    cells = [textwrap.wrap(text, width, break_on_hyphens=False) for text, width in zip(row, widths, strict=True)]
    for line in range(max(map(len, cells))):
        parts = (cell[line] if line < len(cell) else "" for cell in cells)
        yield "  " + "  ".join(f"{part:<{width}}" for part, width in zip(parts, widths, strict=True)).rstrip()
