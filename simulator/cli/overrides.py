"""`--set path=value`, as every command has it that takes a scenario."""

import argparse


def add_overrides(parser: argparse.ArgumentParser) -> None:
    """Declare `--set`; what is given lies in `overrides`."""
    parser.add_argument(
        "--set", dest="overrides", action="append", default=[], metavar="path=value",
        help="override a value of the scenario, such as agent.endpoint=500ms",
    )  # fmt: skip


def add_pool(parser: argparse.ArgumentParser) -> None:
    """Declare how far scores are pooled."""
    parser.add_argument(
        "--pool",
        choices=("alike", "all"),
        default="alike",
        help="a table per scenario and agent (alike), or one over all of them (all)",
    )
    add_keep_invalid(parser)


def add_keep_invalid(parser: argparse.ArgumentParser) -> None:
    """Declare whether sessions count in which the tester was at fault."""
    parser.add_argument(
        "--keep-invalid",
        action="store_true",
        help="let invalid sessions count (those that say nothing about the agent: simulate explain validity)",
    )
