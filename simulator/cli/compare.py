"""`simulate compare RUN RUN ...`: paired differences of runs against the first of them, and a page to hear them."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from math import inf
from pathlib import Path

from simulator.buckets.bucket import is_url
from simulator.cli import EXPECTATION_FAILED, INCOMPLETE, OK
from simulator.cli.compare_models import compare_folders, told_table
from simulator.cli.overrides import add_keep_invalid
from simulator.cli.places import to_read
from simulator.cli.refusals import print_remarks
from simulator.errors import ScenarioError
from simulator.intervals.observations import identical
from simulator.results.asking import head_metrics
from simulator.results.baseline import as_kept, read_baseline, write_baseline
from simulator.results.models import models_of, models_table
from simulator.results.pairs import Difference, Inquiry, Pair, differences, paired, pairs_of, without_partner
from simulator.results.run import Run, load_run
from simulator.results.telling import told_apart
from simulator.results.thresholds import ThresholdDifference, threshold_differences
from simulator.scoring.scorer import definition_of
from simulator.scoring.validity import share_line

_LEAST = 1e-9
"""A difference below this is none that anybody asks for, in whatever unit."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add = parser.add_argument
    add(
        "runs",
        nargs="+",
        metavar="RUN",
        help="runs (folders, URLs); the first is what the others are held against. With --as: FOLDER[:NAME], "
        "HOST:PATH[:NAME]",
    )
    add("--as", dest="kind", metavar="SCORER", help="another project's own comparison of its folders: nemo_s2s")
    add(
        "--out",
        type=Path,
        default=None,
        metavar="FILE",
        help="the page (default: beside the first run, named after the runs); with --as, latex and csv what is printed",
    )
    add("--all", action="store_true", help="every metric (default: those of `expect`, and one of each scorer)")
    add("--metric", dest="metrics", action="append", default=[], metavar="METRIC", help="this one; may be repeated")
    add(
        "--fail-on",
        choices=("worse",),
        help="exit 1 if a metric is worse (p below 0.05, adjusted over all asked for), or has no value any more",
    )
    add(
        "--margin",
        dest="margins",
        action="append",
        default=[],
        metavar="METRIC=VALUE",
        help="exit 1 unless the interval shows that the metric is worse by no more than this",
    )
    add("--need", type=float, metavar="VALUE", help="how many more sessions would show a difference of this size")
    add("--baseline", type=Path, metavar="FILE", help="hold the runs against this blessed one")
    add("--write-baseline", type=Path, metavar="FILE", help="keep the run's metrics as a baseline, and do nothing else")
    add_keep_invalid(parser)
    add(
        "--format",
        choices=("text", "markdown", "latex", "csv", "json"),
        default="text",
        help="how differences are printed; markdown adds the table over models, latex and csv are that table alone",
    )
    add("--json", dest="format", action="store_const", const="json", help="the same as --format json")


def run(args: argparse.Namespace) -> int:
    """Write the comparison page, print the differences, and say whether they pass; gives the exit code."""
    if args.kind is not None:
        return compare_folders(args.kind, args.runs, args.out)
    runs = [load_run(to_read(path)) for path in args.runs]
    print_remarks(f"{one.folder}: {note}" for one in runs for note in one.notes)
    if args.keep_invalid:
        runs = [run.keeping_invalid() for run in runs]
    if args.write_baseline is not None:
        return _write_baseline(runs, args)
    if args.baseline is not None:
        baseline = read_baseline(args.baseline)
        runs = [baseline.keeping_invalid() if args.keep_invalid else baseline, *map(as_kept, runs)]
    alone = args.format == "markdown" and len(runs) == 1 and len(models_of(runs)) > 1
    if args.format in ("latex", "csv") or alone:
        return _tell_models(runs, args)
    _refuse_twins(runs)
    if len(runs) < 2:
        raise ScenarioError("compare needs two runs or more, or a run and --baseline FILE; found one")
    asked = _asked(runs, args)
    shifts = {str(other.folder): threshold_differences(runs[0], other) for other in runs[1:]}
    pairs = {str(other.folder): pairs_of(runs[0], other) for other in runs[1:]}
    gated = args.format != "markdown" or args.fail_on or args.margins  # a table over models stands without pairs
    for other in runs[1:]:
        # Two sweeps may have met at no level, and have thresholds all the same.
        if gated and not shifts[str(other.folder)]:
            paired(runs[0], other)
    found = {folder: differences(mine, asked) for folder, mine in pairs.items()}
    page = _write_page(runs, args) if all(pairs.values()) and not _table_alone(args) else None
    notes = _notes(runs, pairs)
    if args.format == "json":
        from simulator.cli.compare_tables import as_json

        print(as_json(found, runs[0].folder, page, notes, shifts))
    else:
        _print(found, shifts, runs, args, notes)
    if page is not None and args.format == "text":
        print(page)
    if args.fail_on:
        _tell_unjudged(found)
    if any(one.left_out for one in runs):
        return INCOMPLETE
    return EXPECTATION_FAILED if any(_fails(item, args) for items in found.values() for item in items) else OK


def _tell_models(runs: Sequence[Run], args: argparse.Namespace) -> int:
    """Print the table over models alone: they need not have met the same sessions, nor be of several runs."""
    models = models_of(runs)
    if len(models) < 2:
        raise ScenarioError("compare needs two models or more: several runs, or a run with several agents; found one")
    if args.fail_on or args.margins:
        raise ScenarioError(f"--format {args.format} judges nothing; --fail-on and --margin need another")
    _refuse_unmeasured(runs, args.metrics)
    told_table(models_table(models, metrics=args.metrics, everything=args.all), args.format, args.out)
    return INCOMPLETE if any(one.left_out for one in runs) else OK


def _asked(runs: Sequence[Run], args: argparse.Namespace) -> Inquiry:
    margins = dict(map(_margin, args.margins))
    _refuse_unmeasured(runs, (*args.metrics, *margins))
    if args.need is not None and not _LEAST <= args.need < inf:
        raise ScenarioError(f"--need {args.need:g}: a difference of {_LEAST:g} or more, in the unit of the metrics")
    chosen = None if args.all else args.metrics or head_metrics(runs)
    return Inquiry(metrics=chosen, margins=margins, need=args.need)


def _refuse_twins(runs: Sequence[Run]) -> None:
    """Differences are told by the folder of the run that is held against the first."""
    folders = [str(one.folder) for one in runs[1:]]
    twice = next((folder for folder in folders if folders.count(folder) > 1), None)
    if twice is not None:
        raise ScenarioError(f"{twice} is to be held against {runs[0].folder} twice; name each run once")


def _refuse_unmeasured(runs: Sequence[Run], metrics: Sequence[str]) -> None:
    measured = {metric for one in runs for metric in one.metrics}
    for metric in metrics:
        if metric not in measured:
            raise ScenarioError(f"{metric}: no session of these runs was scored by it; `--all` shows what there is")
        if definition_of(metric) is None:
            raise ScenarioError(f"{metric}: no installed scorer defines it, so nobody knows how to pool it")


def _margin(text: str) -> tuple[str, float]:
    metric, equals, value = text.partition("=")
    try:
        margin = float(value)
    except ValueError:
        margin = -1.0
    if not equals or not 0 <= margin < inf:
        raise ScenarioError(f"--margin {text}: write it like --margin barge_in.yield_rate=0.05")
    return metric.strip(), margin


def _write_baseline(runs: Sequence[Run], args: argparse.Namespace) -> int:
    if len(runs) != 1:
        raise ScenarioError(f"--write-baseline keeps one run; found {len(runs)}")
    metrics = runs[0].metrics if args.all else args.metrics or head_metrics(runs)
    write_baseline(args.write_baseline, runs[0], metrics)
    lost = sum(row.status != "completed" for row in runs[0].rows)
    if lost:
        told = f"{lost} of {len(runs[0].rows)} sessions were not completed and are not in it"
        print(f"simulate: {args.write_baseline}: {told}", file=sys.stderr)
    print(args.write_baseline)
    return INCOMPLETE if lost or runs[0].left_out else OK


def _table_alone(args: argparse.Namespace) -> bool:
    """Whether --out names a file for the table over models, and not the page."""
    return args.format == "markdown" and args.out is not None and args.out.suffix == ".md"


def _write_page(runs: Sequence[Run], args: argparse.Namespace) -> Path | None:
    """Write the page; against a baseline, which has no sound, only where it is asked for."""
    from simulator.report.compare import write_compare_page

    if args.baseline is not None and args.out is None:
        return None
    beside = Path() if is_url(args.runs[0]) else runs[0].folder.parent
    out: Path = args.out or beside / f"{'-vs-'.join(one.name for one in runs)}.html"
    if not out.parent.is_dir():
        raise ScenarioError(f"{out}: the folder does not exist")
    write_compare_page(runs, out)
    return out


def _notes(runs: Sequence[Run], pairs: Mapping[str, Sequence[Pair]]) -> list[str]:
    """What to know beside the numbers: what was left out, and that one side is told and another is not."""
    lines = [
        f"{one.name}: {line}"
        for one in runs
        for line in share_line([row.id for row in one.rows if row.invalid], len(one.rows))
    ]
    for other in runs[1:]:
        mine = pairs[str(other.folder)]
        lines += [*without_partner(runs[0], other, mine), *identical(pair.origin for pair in mine)]
    unknown = dict.fromkeys(name for one in runs for name in one.metrics if definition_of(name) is None)
    lines += [f"left out, as no installed scorer defines them: {', '.join(unknown)}"] if unknown else []
    return [*dict.fromkeys(lines), *told_apart({one.name: one.rows for one in runs})]


def _fails(item: Difference, args: argparse.Namespace) -> bool:
    """A margin always decides; a metric that lost its value does where what is worse does."""
    lost = item.tone == "undefined" and item.second is None
    return item.not_inferior is False or (args.fail_on == "worse" and (item.tone == "worse" or lost))


def _tell_unjudged(found: Mapping[str, Sequence[Difference]]) -> None:
    """Say of which run nothing could be judged: a pass for want of numbers must not look like one by them."""
    for folder, items in found.items():
        if any(item.p is not None or item.tone == "undefined" for item in items):
            continue
        few = next((item.reason for item in items if item.value is not None and item.reason), None)
        why = few or next((item.reason for item in items if item.reason), "the runs share no metric")
        what = f"nothing of {folder} could be judged worse" if len(found) > 1 else "nothing could be judged worse"
        print_remarks([f"{what}: {why}{' (--repeat)' if few else ''}"])


def _print(
    found: dict[str, list[Difference]],
    shifts: dict[str, list[ThresholdDifference]],
    runs: Sequence[Run],
    args: argparse.Namespace,
    notes: Sequence[str],
) -> None:
    from simulator.cli import compare_tables as tables

    show = tables.print_markdown if args.format == "markdown" else tables.print_table
    for other, items in zip(runs[1:], found.values(), strict=True):
        if items or not (shifts[str(other.folder)] or args.format == "markdown"):
            show(runs[0].name, other.name, items, need=args.need)
        tables.print_shifts(runs[0].name, other.name, shifts[str(other.folder)], markdown=args.format == "markdown")
    if args.format == "markdown":
        print("\n### models\n")
        table = models_table(models_of(runs), metrics=args.metrics, everything=args.all)
        told_table(table, "markdown", args.out if _table_alone(args) else None)
    for note in notes:
        print(f"\n{note}" if args.format == "markdown" else note)
