"""How a refusal is told: the sentence, and under it the line of the scenario that it is about; and how a remark is."""

import argparse
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from simulator.errors import ScenarioError, SimulatorError
from simulator.texts import remark


def print_refusal(error: SimulatorError, args: argparse.Namespace | None = None) -> None:
    """Print an error to stderr. args: of a command that reads scenarios, which may be shown."""
    print(f"simulate: {error}", file=sys.stderr)
    given = getattr(args, "scenarios", None) or getattr(args, "scenario", None)
    files = [file for file in (given if isinstance(given, list) else [given]) if isinstance(file, Path)]
    if isinstance(error, ScenarioError):
        pointed = pointer(str(error), files, getattr(args, "overrides", ()))
        if pointed:
            print(pointed, file=sys.stderr)
        _annotate(str(error), files)


def print_remarks(remarks: Iterable[str]) -> None:
    """Print to stderr what is to be known of what goes on all the same."""
    for told in remarks:
        print(remark(told), file=sys.stderr)


def _annotate(complaint: str, files: Sequence[Path]) -> None:
    """Show a refusal beside the line in a pull request, where this runs in a workflow of GitHub."""
    from simulator.ci.github import annotation, on_github
    from simulator.reading.places import place_of

    if not on_github():
        return
    named = _named(complaint, files) or list(files[:1])
    file, line = str(named[0]) if named else "", 0
    if named and named[0].is_file():
        place = place_of(named[0].read_text(encoding="utf-8", errors="replace"), complaint)
        line = place.line if place is not None else 0
    print(annotation("error", complaint, file, line, title="refused"), file=sys.stderr)


def pointer(complaint: str, files: Sequence[Path], overrides: Sequence[str] = ()) -> str:
    """Give the line that a sentence is about, with a caret; "" where it names none of the files, or no place in one.

    overrides: `path=value` as given to --set; of a place that one of them wrote, that is what is shown.
    """
    from simulator.reading.places import excerpt
    from simulator.reading.secrets import mask_command

    written = _override(complaint, overrides)
    if written:
        return f"  --set {mask_command([written])[0]}"
    named = _named(complaint, files)
    if not named and len(files) == 1:
        named = list(files)
    return excerpt(named[0], complaint, only_exact=bool(overrides)) if len(named) == 1 else ""


def _override(complaint: str, overrides: Sequence[str]) -> str:
    """The last override that wrote the place that a sentence is about; "" where the file did."""
    from simulator.reading.places import path_of

    place, _ = path_of(complaint) or ("", "")
    of_place = (
        override
        for override in reversed(overrides)
        if re.match(rf"\$\.{re.escape(override.partition('=')[0].strip())}(?![\w-])", place)
    )
    return next(of_place, "")


def _named(complaint: str, files: Sequence[Path]) -> list[Path]:
    """The files that a sentence begins with."""
    return [file for file in files if complaint.startswith((f"{file.name}: ", f"{file}: "))]
