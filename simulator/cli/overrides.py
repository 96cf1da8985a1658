"""`--set path=value`, as every command has it that takes a scenario."""

import argparse


def add_overrides(parser: argparse.ArgumentParser) -> None:
    """Declare `--set`; what is given lies in `overrides`."""
    parser.add_argument(
        "--set", dest="overrides", action="append", default=[], metavar="path=value",
        help="override a value of the scenario, such as agent.endpoint=500ms",
    )  # fmt: skip
