"""`simulate shrink SCENARIO`: the fewest turns, injectors and channels, and the shortest time, that still fail."""

import argparse
import sys
from pathlib import Path
from typing import Any

from simulator.ci.shrinking import Shrinking, Shrunk
from simulator.cli import OK
from simulator.cli.overrides import add_overrides
from simulator.errors import ScenarioError
from simulator.files import write_whole
from simulator.logs import set_up_logs
from simulator.reading.overrides import override_value
from simulator.reading.secrets import mask
from simulator.reading.yaml_file import read_yaml
from simulator.reading.yaml_text import yaml_text
from simulator.texts import shown

MOST_RUNS = 200


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("scenario", type=Path, metavar="SCENARIO.yaml")
    add_overrides(parser)
    parser.add_argument("--out", type=Path, metavar="FILE", help="what is written (default: SCENARIO.shrunk.yaml)")
    parser.add_argument(
        "--most", type=int, default=MOST_RUNS, metavar="N", help=f"play at most N sessions (default: {MOST_RUNS})"
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="no line for every try")


def run(args: argparse.Namespace) -> int:
    """Shrink a scenario and write what is left; gives the exit code."""
    set_up_logs(verbose=False)
    out: Path = args.out or args.scenario.with_suffix(".shrunk.yaml")
    if out.exists():
        raise ScenarioError(f"{out}: is there already; name another file with --out")
    if out.resolve().parent != args.scenario.resolve().parent:
        raise ScenarioError(f"{out}: lies in another folder than the scenario, whose paths are relative to its own")
    if args.most < 1:
        raise ScenarioError(f"--most {args.most}: at least one session is to be played")
    data = read_yaml(args.scenario)
    for override in args.overrides:
        override_value(data, override)
    shrunk = Shrinking(data, args.scenario.parent, most=args.most, tell=_silent if args.quiet else _say).shrink()
    write_whole(out, (_head(args.scenario, shrunk) + _yaml(shrunk.data)).encode())
    print(
        f"{_counted(shrunk)}, after {shrunk.runs} sessions{'' if shrunk.whole else ' (no more were allowed: --most)'}"
    )
    for line in _reasons(shrunk):
        print(f"still fails: {line}")
    print(f"written: {out}")
    return OK


def _say(line: str) -> None:
    print(f"simulate: {shown(line)}", file=sys.stderr)


def _silent(line: str) -> None:
    """Say nothing."""


def _counted(shrunk: Shrunk) -> str:
    counts = [f"{shrunk.after[name]:g} of {count:g} {name}" for name, count in shrunk.before.items() if count]
    return ", ".join(counts)


def _reasons(shrunk: Shrunk) -> list[str]:
    return [shown(shrunk.failure.problem)] if shrunk.failure.problem else sorted(shrunk.failure.expectations)


def _head(scenario: Path, shrunk: Shrunk) -> str:
    lines = [f"{scenario.name}, shrunk: {_counted(shrunk)}", *(f"still fails: {one}" for one in _reasons(shrunk))]
    return "".join(f"# {shown(line)}\n" for line in lines)


def _yaml(data: dict[str, Any]) -> str:
    return yaml_text(mask(data))
