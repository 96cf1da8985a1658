"""How a refusal is told: the sentence, and under it the line of the scenario that it is about."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from simulator.errors import ScenarioError, SimulatorError


def print_refusal(error: SimulatorError, args: argparse.Namespace | None = None) -> None:
    """Print an error to stderr. args: of a command that reads scenarios, which may be shown."""
    print(f"simulate: {error}", file=sys.stderr)
    given = getattr(args, "scenarios", None) or getattr(args, "scenario", None)
    files = given if isinstance(given, list) else [given]
    if isinstance(error, ScenarioError):
        pointed = pointer(
            str(error), [file for file in files if isinstance(file, Path)], getattr(args, "overrides", ())
        )
        if pointed:
            print(pointed, file=sys.stderr)


def pointer(complaint: str, files: Sequence[Path], overrides: Sequence[str] = ()) -> str:
    """Give the line that a sentence is about, with a caret; "" where it names none of the files, or no place in one."""
    from simulator.reading.places import excerpt

    named = [file for file in files if complaint.startswith((f"{file.name}: ", f"{file}: "))]
    if not named and len(files) == 1:
        named = list(files)
    return excerpt(named[0], complaint, only_exact=bool(overrides)) if len(named) == 1 else ""
