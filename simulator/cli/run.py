"""`simulate SCENARIO.yaml`: run scenarios, print the scores, say where the files lie."""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import contextmanager
from pathlib import Path

import msgspec

from simulator.batch.concurrency import AUTO, automatic, free_memory, usable_cores
from simulator.batch.folder import RunFolder
from simulator.batch.resuming import refuse_other_settings
from simulator.batch.run import Assign, Result, assign, assign_elsewhere, run_plan, shares_process
from simulator.batch.shards import RunPart, Shard
from simulator.ci.logged import log_run
from simulator.cli import EXPECTATION_FAILED, INCOMPLETE, INTERRUPTED, OK, progress, screen
from simulator.cli.ci_options import add_ci, recording_of, tell_machines, telling_of
from simulator.cli.dry_run import tell_plan
from simulator.cli.overrides import add_overrides, add_pool
from simulator.cli.places import to_write
from simulator.cli.refusals import print_remarks
from simulator.cli.run_place import RunPlace
from simulator.errors import ScenarioError, sentence
from simulator.logs import set_up_logs
from simulator.planning.checks import check_startable
from simulator.planning.plan import Plan, Wishes, make_plan, recorded
from simulator.recipe import is_recipe
from simulator.results.row import Row
from simulator.results.row_file import completed_ids
from simulator.results.run import Run
from simulator.results.summary import Summary, summarise
from simulator.texts import shown
from simulator.workers import heed_ctrl_c, stop_as_by_ctrl_c


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of a run."""
    parser.add_argument("scenarios", nargs="+", type=Path, metavar="SCENARIO.yaml")
    parser.add_argument(
        "--out",
        type=to_write,
        metavar="DIR",
        help="the run folder, or a URL like s3://bucket/run (default: runs/<name>)",
    )
    parser.add_argument("--repeat", type=int, metavar="N", help="trials per scenario; trial t has seed + t")
    parser.add_argument("--seed", type=int, metavar="N", help="the first trial's seed")
    parser.add_argument(
        "--concurrency",
        type=_sessions_at_a_time,
        metavar="N",
        help="sessions at a time, or auto: as many as cores, memory and a model's slots carry (default: 1; with --on: "
        "auto)",
    )
    parser.add_argument(
        "--on",
        metavar="ray[://HOST:PORT]",
        help="play the sessions on a Ray cluster: at this address, or one of this machine's cores (extra `ray`)",
    )
    add_overrides(parser)
    parser.add_argument(
        "--shard", metavar="I/N", help="play part I of N alone, by itself; `simulate merge` puts the parts together"
    )
    parser.add_argument("--resume", action="store_true", help="go on with the run in --out: completed sessions stay")
    parser.add_argument("--only", choices=("generate", "score", "judge"), help="of a recipe this stage alone")
    parser.add_argument("--dry-run", action="store_true", help="say what would run, how long and at what cost")
    parser.add_argument("--no-probe", action="store_true", help="do not look whether far ends are there before the run")
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


def _sessions_at_a_time(text: str) -> int | str:
    if text == AUTO:
        return AUTO
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 on, nor {AUTO}")
    return int(text)


def _settled(concurrency: int | str | None, plan: Plan) -> int:
    """Give how many sessions of a plan to play at a time."""
    if concurrency != AUTO:
        return int(concurrency or 1)
    shares = [shares_process(job) for job in plan.jobs]
    return automatic(plan.jobs, shares, cores=usable_cores(), free_bytes=free_memory())


def run(args: argparse.Namespace) -> int:
    """Run the scenarios, or a recipe; gives the exit code."""
    set_up_logs(verbose=args.verbose)
    recipes = [path for path in args.scenarios if is_recipe(path)]
    if recipes and len(args.scenarios) > 1:
        raise ScenarioError(f"{recipes[0]}: is a recipe, which is carried out by itself")
    if recipes:
        from simulator.cli.recipe import run_recipe

        return run_recipe(recipes[0], args, carry_out)
    if args.only is not None:
        raise ScenarioError(f"--only {args.only}: is for recipes, and {args.scenarios[0]} is a scenario")
    plan = make_plan(args.scenarios, Wishes(overrides=args.overrides, repeat=args.repeat, seed=args.seed))
    return carry_out(plan, args)


def carry_out(plan: Plan, args: argparse.Namespace) -> int:
    """Check a plan, run it as the arguments say, print what came of it; gives the exit code."""
    heed_ctrl_c()
    stop_as_by_ctrl_c()
    recording = recording_of(args)
    offline = recording is not None and recording.record == "never"
    check_startable((*plan.sweeps.values(), *plan.scenarios.values()), offline=offline)
    plan = recorded(plan, recording)
    telling_of(args)
    for note in plan.notes:  # of samples that cannot be played
        print(f"simulate: {note}", file=sys.stderr)
    print_remarks(plan.remarks)
    shard: str | None = getattr(args, "shard", None)
    part = RunPart(plan, None if shard is None else Shard.read(shard))
    at_a_time = _settled(args.concurrency, part.plan)
    if args.dry_run:
        return tell_plan(part.plan, args, at_a_time)
    with RunPlace(args.out or _default_folder(plan, part.shard), resume=args.resume) as place:
        if not args.no_probe and (recording is None or recording.record == "always"):
            _look_for_far_ends(part.plan, completed_ids(place.folder) if args.resume else set())
        with _assigning(args) as assigned:
            folder = RunFolder(place.folder, resume=args.resume)
            try:
                part.begin(folder)
                return _play(part, folder, args, at_a_time, assigned, place=place)
            finally:
                folder.close()


@contextmanager
def _assigning(args: argparse.Namespace) -> Iterator[Assign]:
    """Give who plays what while the block runs: executors of this machine, or the cluster that `--on` names."""
    on: str | None = getattr(args, "on", None)
    if on is None:
        yield assign
        return
    if getattr(args, "record", None) is not None:
        raise ScenarioError("--on and --record: recorded calls lie on one machine; record or replay them without --on")
    from simulator.batch.ray_cluster import ray_cluster

    with ray_cluster(on):
        from simulator.batch.on_ray import OnRay

        yield assign_elsewhere(OnRay(args.concurrency if isinstance(args.concurrency, int) else None))


def _default_folder(plan: Plan, shard: Shard | None) -> Path:
    """Where a run goes: the parts of one lie together, in a folder that `simulate merge` takes."""
    runs = Path("runs")
    return runs / plan.name if shard is None else runs / f"{plan.name}.shards" / f"{shard.number}-of-{shard.of}"


def _play(
    part: RunPart, folder: RunFolder, args: argparse.Namespace, at_a_time: int, assigned: Assign, *, place: RunPlace
) -> int:
    """Run a plan, or a part of it, into its folder and print what came of it; gives the exit code."""
    plan = part.plan
    refuse_other_settings(plan, folder)
    command = ["simulate", *args.argv]
    folder.write(command, None, sweeps=plan.swept)
    place.begin(folder)
    watcher = progress.watcher(plan, quiet=args.json, verbose=args.verbose)
    with watcher:
        result = run_plan(plan, folder, at_a_time, watcher, assigned)
    _tell_unkept(plan, result.rows, folder)
    played = {row.scenario for row in result.rows}
    summary = summarise(
        # Of a staircase's levels those it came to.
        {name: item for name, item in plan.scenarios.items() if name in played or not (plan.flights or part.shard)},
        result.rows,
        swept=plan.swept,
        pool_all=args.pool == "all",
        keep_invalid=args.keep_invalid,
    )
    part.ended(folder, result.rows, spared=result.spared)
    code = exit_code(result, summary, expected=result.planned + len(plan.notes) - result.spared)
    if part.shard is not None and code == EXPECTATION_FAILED:
        code = OK  # what is expected of all trials is judged when all are there
    try:
        folder.write(command, code, model_hosts=result.hosts, costs=result.costs, sweeps=plan.swept)
        _write_pages(plan, folder.read(result.rows), args.page_audio)
    except OSError as error:
        print(f"simulate: {folder.path}: {sentence(error)}", file=sys.stderr)
        code = code if code == INTERRUPTED else INCOMPLETE
    code = place.finish(code)
    if args.json:
        print(msgspec.json.encode(summary.as_json(place.at, code)).decode())
    else:
        screen.print_summary(summary, folder.path, place.at, verbose=args.verbose)
    code = _told(plan, summary, folder.path, args, code)
    place.leave()
    return code


def _tell_unkept(plan: Plan, rows: Sequence[Row], folder: RunFolder) -> None:
    """Say of which sessions `--record` keeps nothing to replay, as it says nothing about the agent."""
    if plan.record is None:
        return
    for row in rows:
        if row.status == "completed" and row.invalid and (folder.path / row.id / "trace.jsonl").is_file():
            _complained(f"{row.id}: is not kept for a replay, as it is invalid: {row.invalid}; record it again")


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
    print_remarks([line])


def _look_for_far_ends(plan: Plan, done: Set[str]) -> None:
    """Say which scenarios have a far end that is not there; ScenarioError when that is all of those still to be played.

    done: the ids of sessions that an earlier run completed.
    """
    from simulator.doctor.addresses import missing_of

    over = {job.group for job in plan.jobs} - {job.group for job in plan.jobs if job.id not in done}
    left = {name: scenario for name, scenario in plan.scenarios.items() if name not in over}
    print_remarks(missing_of(left, "start it, or try all the same with --no-probe"))


def exit_code(result: Result, summary: Summary, *, expected: int) -> int:
    """Give the exit code of a run: 130 before 3 before 1 before 0. expected: the sessions there should be."""
    if result.interrupted:
        return INTERRUPTED
    if len(result.rows) < expected or any(row.status != "completed" for row in result.rows):
        return INCOMPLETE
    return EXPECTATION_FAILED if summary.failed() else OK


def _write_pages(plan: Plan, run: Run, page_audio: str | None) -> None:
    from simulator.report.run_pages import write_pages

    write_pages(plan, run, page_audio)
