"""`simulate schema`: the JSON Schema of a scenario with every installed kind, for editors to complete from."""

import argparse
import json

from simulator.cli import OK
from simulator.schema import scenario_schema


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No arguments."""


def run(_args: argparse.Namespace) -> int:
    """Print the schema."""
    print(json.dumps(scenario_schema(), indent=2))
    return OK
