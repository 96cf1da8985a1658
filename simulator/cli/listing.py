"""`simulate list [actors|channels|scorers|voices ...]`: what is installed, a line each."""

import argparse
import inspect

from simulator.cli import OK
from simulator.errors import ScenarioError
from simulator.plugins import GROUPS, installed, load


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("what", nargs="?", choices=(*GROUPS, "voices"), help="one group only")


def run(args: argparse.Namespace) -> int:
    """Print the kinds of every group, or of one."""
    if args.what == "voices":
        return _print_voices()
    for group in [args.what] if args.what else GROUPS:
        if not args.what:
            print(f"{group}:")
        for name in installed(group):
            print(f"  {name:<22} {_summary(group, name)}")
    return OK


def _summary(group: str, name: str) -> str:
    try:
        lines = (inspect.getdoc(load(group, name)) or "").splitlines()
    except ScenarioError as error:
        return f"not usable here: {error}"
    return lines[0] if lines else ""


def _print_voices() -> int:
    from simulator.engines import engine

    for voice in engine("espeak").voices():
        print(voice)
    return OK
