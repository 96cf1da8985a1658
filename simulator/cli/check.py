"""`simulate check SCENARIO`: validate scenarios without running anything."""

import argparse
from pathlib import Path

from simulator.batch.metrics import check_expectations
from simulator.batch.plan import Wishes, make_plan
from simulator.cli import OK


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("scenarios", nargs="+", type=Path, metavar="SCENARIO.yaml")
    parser.add_argument("--set", dest="overrides", action="append", default=[], metavar="path=value")


def run(args: argparse.Namespace) -> int:
    """Check each file; the first thing that is wrong is told as one sentence."""
    plan = make_plan(args.scenarios, Wishes(overrides=args.overrides))
    for scenario in plan.scenarios.values():
        check_expectations(scenario)
        print(f"{scenario.name}: fine")
    return OK
