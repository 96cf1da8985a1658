"""The options of a run that a CI asks for: `--junit`, `--history`; and GitHub's annotations on the output."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from simulator.cassettes.recording import DEFAULT_FOLDER, RecordSetting
from simulator.ci.history import RUNS
from simulator.ci.telling import Telling, flaky_lines, tell
from simulator.cli.refusals import print_remarks
from simulator.errors import ScenarioError
from simulator.results.summary import Summary
from simulator.texts import shown


def add_ci(parser: argparse.ArgumentParser) -> None:
    """Declare what a CI asks for."""
    parser.add_argument(
        "--junit", type=Path, metavar="FILE", help="write JUnit XML: a case per expectation and scenario"
    )
    parser.add_argument(
        "--history", type=Path, metavar="DIR", help="remember what became of this run, and say what is flaky"
    )
    parser.add_argument(
        "--history-runs", type=_runs, default=RUNS, metavar="N", help=f"of so many runs (default: {RUNS})"
    )

    parser.add_argument(
        "--record",
        choices=("always", "missing", "never"),
        help="keep paid calls and sessions and replay them: always new, only those that are missing, or never go out",
    )
    parser.add_argument(
        "--cassettes", type=Path, metavar="DIR", help=f"where they are kept (default: {DEFAULT_FOLDER})"
    )


def recording_of(args: argparse.Namespace) -> RecordSetting | None:
    """Give where paid calls are kept, if anybody said so. ScenarioError: a folder that cannot be, or is missing."""
    record, folder = getattr(args, "record", None), getattr(args, "cassettes", None)
    if record is None:
        if folder is not None:
            raise ScenarioError("--cassettes: say with --record whether what is kept there is used")
        return None
    recording = RecordSetting(str((folder or DEFAULT_FOLDER).absolute()), record)
    recording.check()
    return recording


def _runs(text: str) -> int:
    if not text.isdecimal() or int(text) < 2:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 2 on")
    return int(text)


def telling_of(args: argparse.Namespace) -> Telling:
    """Give whom a run tells. ScenarioError: a place that cannot be."""
    wanted = Telling(
        junit=getattr(args, "junit", None),
        history=getattr(args, "history", None),
        runs=getattr(args, "history_runs", RUNS),
    )
    wanted.check()
    return wanted


def tell_machines(
    wanted: Telling, summary: Summary, folder: Path, sources: Mapping[str, str], *, as_json: bool
) -> None:
    """Tell machines of a run, and people what is flaky. as_json: the output is for somebody else alone. OSError."""
    out = sys.stderr if as_json else sys.stdout
    told = tell(wanted, summary, folder, sources, say=lambda line: print(line, file=out))
    print_remarks(told.notes)
    for line in flaky_lines(told):
        print(shown(line), file=out)
