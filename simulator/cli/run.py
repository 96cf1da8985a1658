"""`simulate SCENARIO.yaml`: run scenarios, print the scores, say where the files lie."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from simulator.batch.folder import RunFolder
from simulator.batch.resuming import refuse_other_settings
from simulator.batch.run import Result, run_plan
from simulator.ci.logged import log_run
from simulator.cli import EXPECTATION_FAILED, INCOMPLETE, INTERRUPTED, OK, progress, screen
from simulator.cli.ci_options import add_ci, recording_of, tell_machines, telling_of
from simulator.cli.overrides import add_overrides, add_pool
from simulator.errors import sentence
from simulator.logs import set_up_logs
from simulator.planning.checks import check_startable
from simulator.planning.plan import Plan, Wishes, make_plan, recorded
from simulator.results.summary import Summary, summarise
from simulator.scenario import UntilDecided
from simulator.texts import shown
from simulator.workers import stop_as_by_ctrl_c


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of a run."""
    parser.add_argument("scenarios", nargs="+", type=Path, metavar="SCENARIO.yaml")
    parser.add_argument("--out", type=Path, metavar="DIR", help="the run folder (default: runs/<name>)")
    parser.add_argument("--repeat", type=int, metavar="N", help="trials per scenario; trial t has seed + t")
    parser.add_argument("--seed", type=int, metavar="N", help="the first trial's seed")
    parser.add_argument(
        "--concurrency", type=_at_least_one, default=1, metavar="N", help="sessions at a time (default: 1)"
    )
    add_overrides(parser)
    parser.add_argument("--resume", action="store_true", help="go on with the run in --out: completed sessions stay")
    parser.add_argument("--dry-run", action="store_true", help="say what would run, how long and at what cost")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    add_pool(parser)
    add_ci(parser)
    parser.add_argument(
        "--page-audio",
        choices=("auto", "flac", "opus", "none"),
        default="auto",
        help="sound in the pages: FLAC up to an hour and Opus above (auto), or one of them, or none",
    )
    parser.add_argument("-v", "--verbose", action="store_true", help="a line per running session, and logs")


def _at_least_one(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 on")
    return int(text)


def run(args: argparse.Namespace) -> int:
    """Run the scenarios; gives the exit code."""
    set_up_logs(verbose=args.verbose)
    plan = make_plan(args.scenarios, Wishes(overrides=args.overrides, repeat=args.repeat, seed=args.seed))
    return carry_out(plan, args)


def carry_out(plan: Plan, args: argparse.Namespace) -> int:
    """Check a plan, run it as the arguments say, print what came of it; gives the exit code."""
    stop_as_by_ctrl_c()
    recording = recording_of(args)
    offline = recording is not None and recording.record == "never"
    check_startable((*plan.sweeps.values(), *plan.scenarios.values()), offline=offline)
    plan = recorded(plan, recording)
    telling_of(args)
    for note in (*plan.notes, *plan.remarks):
        print(f"simulate: {note}", file=sys.stderr)
    if args.dry_run:
        return _tell_plan(plan, as_json=args.json)
    folder = RunFolder(args.out or Path("runs") / plan.name, resume=args.resume)
    try:
        return _play(plan, folder, args)
    finally:
        folder.close()


def _play(plan: Plan, folder: RunFolder, args: argparse.Namespace) -> int:
    """Run a plan into its folder and print what came of it; gives the exit code."""
    refuse_other_settings(plan, folder)
    command = ["simulate", *args.argv]
    folder.write(command, None, sweeps=plan.swept)
    watcher = progress.watcher(plan, quiet=args.json, verbose=args.verbose)
    with watcher:
        result = run_plan(plan, folder, args.concurrency, watcher)
    played = {row.scenario for row in result.rows}
    summary = summarise(
        # Of a staircase's levels those it came to.
        {name: item for name, item in plan.scenarios.items() if name in played or not plan.flights},
        result.rows,
        swept=plan.swept,
        pool_all=args.pool == "all",
        keep_invalid=args.keep_invalid,
    )
    code = exit_code(result, summary, expected=result.planned + len(plan.notes) - result.spared)
    try:
        folder.write(command, code, model_hosts=result.hosts, costs=result.costs, sweeps=plan.swept)
        _write_pages(plan, folder, args.page_audio)
    except OSError as error:
        print(f"simulate: {folder.path}: {sentence(error)}", file=sys.stderr)
        code = code if code == INTERRUPTED else INCOMPLETE
    if args.json:
        print(msgspec.json.encode(summary.as_json(folder.path, code)).decode())
    else:
        screen.print_summary(summary, folder.path, verbose=args.verbose)
    return _told(plan, summary, folder.path, args, code)


def _told(plan: Plan, summary: Summary, folder: Path, args: argparse.Namespace, code: int) -> int:
    """Tell machines what came of a run; gives the exit code, which says so where that could not be written."""
    try:
        log_run(plan.scenarios, summary, folder, code=code, say=_said(args), complain=_complained)
        tell_machines(telling_of(args), summary, folder, plan.sources, as_json=args.json)
    except OSError as error:
        print(f"simulate: {sentence(error)}", file=sys.stderr)
        return code if code == INTERRUPTED else INCOMPLETE
    return code


def _said(args: argparse.Namespace) -> Callable[[str], None]:
    return lambda line: print(shown(line), file=sys.stderr if args.json else sys.stdout)


def _complained(line: str) -> None:
    print(f"simulate: {shown(line)}", file=sys.stderr)


def exit_code(result: Result, summary: Summary, *, expected: int) -> int:
    """Give the exit code of a run: 130 before 3 before 1 before 0. expected: the sessions there should be."""
    if result.interrupted:
        return INTERRUPTED
    if len(result.rows) < expected or any(row.status != "completed" for row in result.rows):
        return INCOMPLETE
    return EXPECTATION_FAILED if summary.failed() else OK


def _tell_plan(plan: Plan, *, as_json: bool) -> int:
    lines: list[dict[str, Any]] = []
    for name, lengths in plan.lengths_s().items():
        scenario = plan.purses[name]
        points = [plan.scenarios[point] for point, sweep in plan.points.items() if sweep == name]
        clock = "wall" if any(item.wall() for item in points or [scenario]) else "virtual"
        models = dict.fromkeys(model for item in points or [scenario] for model in item.priced_models())
        lines.append(
            {
                "scenario": scenario.name,
                **({"points": len(points)} if points else {}),
                "sessions": len(lengths),
                "until": "decided" if isinstance(scenario.repeat, UntilDecided) else None,
                "seconds_each": max(lengths),
                "clock": clock,
                "wall_seconds": sum(lengths) if clock == "wall" else None,
                "billed": list(models),
                "cost": scenario.max_cost,
            }
        )
    if as_json:
        print(msgspec.json.encode(lines).decode())
        return OK
    for line in lines:
        wall = f", at least {line['wall_seconds']:.0f} s of real time" if line["wall_seconds"] else ""
        billed = ", ".join(line["billed"])
        cost = f"billed as {billed}, {_limit(line['cost'])}" if billed else "nothing to pay"
        print(
            f"{shown(line['scenario'])}: {'at most ' if line['until'] else ''}{line['sessions']} session(s) "
            f"{'at ' + str(line['points']) + ' points ' if 'points' in line else ''}"
            f"of up to {line['seconds_each']:.0f} s on the "
            f"{line['clock']} clock{wall}; {cost}"
        )
    return OK


def _limit(max_cost: float | None) -> str:
    return "without a limit (max_cost)" if max_cost is None else f"at most {max_cost:g}"


def _write_pages(plan: Plan, folder: RunFolder, page_audio: str | None) -> None:
    from simulator.report.run_pages import write_pages

    write_pages(plan, folder.path, page_audio)
