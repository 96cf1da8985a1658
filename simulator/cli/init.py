"""`simulate init [WHAT] [DIR]`: write a folder to start from, or a scenario that is shipped, where you are."""

import argparse
import shutil
from collections.abc import Iterator
from pathlib import Path

from simulator.choices import suggestion
from simulator.cli import OK
from simulator.cli.shipped import shipped
from simulator.errors import ScenarioError

FIRST = "first_call"
BEGINS_AS = {"ci": "agent"}
"""Starts that have all files of another one, and their own."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "what", nargs="?", default=FIRST, metavar="WHAT",
        help="a folder to start from, or a scenario by its name (default: first_call); `list` tells which there are",
    )  # fmt: skip
    parser.add_argument("folder", nargs="?", type=Path, metavar="DIR", help="where to (default: a folder of that name)")


def run(args: argparse.Namespace) -> int:
    """Write the files, none over another; say what was written and how it is run."""
    starts, scenarios = _starts(), _scenarios()
    if args.what == "list":
        print("\n".join([*(f"{name}/" for name in starts), *scenarios]))
        return OK
    if args.what not in starts | scenarios:
        raise ScenarioError(
            f"there is nothing called {args.what!r} to start from; {suggestion(args.what, [*starts, *scenarios])}"
        )
    folder = args.folder or Path(Path(args.what).name)
    written = list(_written(starts[args.what] if args.what in starts else scenarios[args.what], folder))
    taken = [target for _, target in written if target.exists()]
    if taken:
        raise ScenarioError(f"{taken[0]} is there already; name another folder: simulate init {args.what} DIR")
    for source, target in written:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        print(target)
    _tell_how([target for _, target in written])
    return OK


def _starts() -> dict[str, Path]:
    return {path.name: path for path in sorted(shipped("starts").iterdir()) if path.is_dir()}


def _scenarios() -> dict[str, Path]:
    """The scenarios by their names, those of a folder as FOLDER/NAME."""
    root = shipped("scenarios")
    return {path.relative_to(root).with_suffix("").as_posix(): path for path in sorted(root.rglob("*.yaml"))}


def _written(start: Path, folder: Path) -> Iterator[tuple[Path, Path]]:
    """What is written where: a start's files, or a scenario with the recordings that lie beside it."""
    if start.is_dir():
        places = (start.parent / BEGINS_AS.get(start.name, start.name), start)
        found = {path.relative_to(place): path for place in places for path in place.rglob("*") if path.is_file()}
        yield from ((found[name], folder / name) for name in sorted(found) if "__pycache__" not in name.parts)
        return
    yield start, folder / start.name
    text = start.read_text(encoding="utf-8")
    for source in sorted((start.parent / "recordings").glob("*")):
        if f"recordings/{source.name}" in text:
            yield source, folder / "recordings" / source.name


def _tell_how(written: list[Path]) -> None:
    """Repeat what the files say of how they are run, in the lines of their heads that are set in."""
    for path in written:
        if path.suffix == ".yaml":
            lines = path.read_text(encoding="utf-8").splitlines()
            told = [f"  {line.removeprefix('#   ')}" for line in lines if line.startswith("#   ")]
            print("\n".join(["", f"in {path.parent}:", *(told or [f"  simulate {path.name}"])]))
