"""`simulate merge DIR ... --out RUN`: the parts of a run (`--shard i/n`) put together, and judged as one."""

import argparse
import sys

from simulator.batch.merging import end, merge
from simulator.cli import EXPECTATION_FAILED, INCOMPLETE, OK
from simulator.cli.places import here, to_read
from simulator.cli.refusals import print_remarks
from simulator.results.run import load_run


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add = parser.add_argument
    add("folders", nargs="+", type=to_read, metavar="DIR", help="the parts, or one place that holds all of them")
    add("--out", type=here, required=True, metavar="RUN", help="the run folder that is written")


def run(args: argparse.Namespace) -> int:
    """Merge the parts, write the run's page, say what is missing and what was expected; gives the exit code."""
    from simulator.report.index import write_index_page

    merged = merge(args.folders, args.out, ["simulate", *args.argv])
    print_remarks(merged.told)
    for line in merged.missing:
        print(f"simulate: {line}", file=sys.stderr)
    whole = load_run(args.out)
    whole_run = not merged.missing and all(row.status == "completed" for row in whole.rows)
    gating = [verdict for found in whole.verdicts.values() for verdict in found if verdict.gates]
    for verdict in gating:
        print(f"{verdict.outcome}: {verdict.text}" + (f" ({verdict.reason})" if verdict.reason else ""))
    code = INCOMPLETE if not whole_run else EXPECTATION_FAILED if gating else OK
    end(args.out, code)
    if whole.rows:
        write_index_page(whole)
    print(f"{args.out} ({merged.sessions} sessions)")
    return code
