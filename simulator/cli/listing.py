"""`simulate list [actors|channels|scorers|voices ...]`: what is installed, a line each."""

import argparse
import inspect
import textwrap
from typing import Any

from simulator.cli import OK
from simulator.cli.key_table import WIDTH, key_table
from simulator.errors import ScenarioError
from simulator.plugins import GROUPS, installed, load
from simulator.reading.key_types import keys_of


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
    """Print what a kind is, and a table of its keys."""
    for line in (inspect.getdoc(spec) or spec.__name__).split("\n\n")[0].splitlines():
        print("\n".join(textwrap.wrap(line, WIDTH, break_on_hyphens=False)))
    for line in key_table(list(keys_of(spec))):
        print(line)
    return OK


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
