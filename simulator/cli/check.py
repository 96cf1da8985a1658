"""`simulate check SCENARIO`: validate scenarios without running anything."""

import argparse
from pathlib import Path

from simulator.cli import OK, REFUSED
from simulator.cli.overrides import add_overrides
from simulator.cli.refusals import print_refusal, print_remarks
from simulator.errors import SimulatorError
from simulator.planning.checks import check_expectations, check_judges
from simulator.planning.plan import Wishes, make_plan
from simulator.recipe import is_recipe
from simulator.texts import shown


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("scenarios", nargs="+", type=Path, metavar="SCENARIO.yaml")
    add_overrides(parser)


def run(args: argparse.Namespace) -> int:
    """Check every file; what is wrong with one is told as one sentence."""
    code = OK
    for path in args.scenarios:
        try:
            if is_recipe(path):
                from simulator.cli.recipe import check_recipe

                print(shown(check_recipe(path, args.overrides)))
                continue
            plan = make_plan([path], Wishes(overrides=args.overrides))
            for scenario in plan.scenarios.values():
                check_judges(scenario)
            for scenario in (*plan.sweeps.values(), *plan.scenarios.values()):
                check_expectations(scenario)
            for name, scenario in plan.purses.items():
                points = sum(sweep == name for sweep in plan.points.values())
                print(f"{shown(scenario.name)}: fine{f', {points} points' if points else ''}")
            print_remarks(plan.remarks)
        except SimulatorError as error:
            print_refusal(error, argparse.Namespace(scenarios=[path], overrides=args.overrides))
            code = REFUSED
    return code
