"""`simulate talk [SCENARIO]`: take part yourself, in a browser page or at a sound device of this machine."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from simulator.batch.folder import RunFolder, free_folder
from simulator.batch.job import Played
from simulator.batch.run import Result
from simulator.cli import INTERRUPTED, OK, screen
from simulator.cli.actor_word import actor_named
from simulator.cli.overrides import add_overrides
from simulator.cli.places import here
from simulator.cli.refusals import print_remarks
from simulator.cli.run import exit_code
from simulator.cli.shipped import shipped
from simulator.errors import ScenarioError
from simulator.events import PARTIES
from simulator.logs import set_up_logs
from simulator.planning.job import Job
from simulator.planning.plan import Wishes, make_plan
from simulator.plugins import load
from simulator.results.row import Row
from simulator.results.summary import summarise
from simulator.scenario import Scenario, check

DEFAULT = "live/cascade.yaml"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add = parser.add_argument
    add("scenario", nargs="?", type=Path, metavar="SCENARIO.yaml", help="whom to talk to (default: the cascade)")
    add(
        "--audio",
        choices=("browser", "device"),
        default="browser",
        help="a page (default), or a sound device with a view in the terminal",
    )
    add("--input", metavar="DEVICE", help="the microphone, by number or part of its name, for --audio device")
    add("--output", metavar="DEVICE", help="the loudspeaker, likewise")
    add("--devices", action="store_true", help="list the sound devices and stop")
    add("--port", type=int, default=0, metavar="N", help="the page's port (default: any free one)")
    add("--no-open", action="store_true", help="do not open a browser, only print the address")
    add("--out", type=here, metavar="DIR", help="the run folder (default: runs/talk-<name>, numbered)")
    add(
        "--rival",
        action="append",
        default=[],
        metavar="ACTOR",
        help="offer on the page, when you have hung up, to put the same take before this agent: a kind, or a YAML file "
        "whose `agent` is taken; may be repeated",
    )
    add_overrides(parser)
    add("--json", action="store_true", help="print the result as JSON")
    add("-v", "--verbose", action="store_true", help="logs")


def run(args: argparse.Namespace) -> int:
    """Hold the conversation; gives the exit code."""
    set_up_logs(verbose=args.verbose)
    if args.devices:
        from simulator.live.at_device.device import list_devices

        print(list_devices())
        return OK
    plan = make_plan([args.scenario or default_scenario()], Wishes(overrides=args.overrides, repeat=1))
    if len(plan.jobs) != 1 or plan.jobs[0].sample or plan.sweeps:
        raise ScenarioError("one talks through one scenario; this one has a sweep or a dataset")
    job = seated(plan.jobs[0])
    plan = msgspec.structs.replace(plan, jobs=[job], scenarios={job.group: job.scenario})
    hold = _way(args, job.scenario)
    folder = RunFolder(args.out or free_folder(Path("runs") / f"talk-{plan.name}"), resume=False)
    command = ["simulate", *args.argv]
    folder.write(command, None)
    held = hold(job, folder.path)
    if held is None:
        print("simulate: nobody talked", file=sys.stderr)
        folder.discard()
        return INTERRUPTED
    for row, played in held:
        folder.append(row, row.duration_s or 0.0, played.pacing)
    row, _ = held[0]
    summary = summarise(plan.scenarios, [row])
    code = exit_code(Result(rows=[row]), summary, expected=1)
    folder.write(command, code)
    _write_index(folder.path)
    if args.json:
        print(msgspec.json.encode(summary.as_json(str(folder.path), code)).decode())
    else:
        screen.print_summary(summary, folder.path)
    return code


def default_scenario() -> Path:
    """The scenario of `simulate talk` alone: beside the package when it is installed, in the checkout otherwise."""
    return shipped("scenarios") / DEFAULT


def seated(job: Job) -> Job:
    """Seat a human in the job's scenario: where it has none, you are the user. ScenarioError."""
    scenario = job.scenario
    if not any(scenario.actor(party).traits().live for party in PARTIES):
        print_remarks([f"{job.group} has no human; you take the user's seat"])
        scenario = msgspec.structs.replace(scenario, user=load("actors", "human")())
        check(scenario, job.group)
    return msgspec.structs.replace(job, scenario=scenario)


def _way(args: argparse.Namespace, scenario: Scenario) -> Any:
    """Give what holds the conversation: hold(job, folder) -> its row, None when nobody talked."""
    import anyio

    from simulator.live.talk import LeftError, Way, talk_in_browser, to_stderr

    if args.audio == "device":
        if args.rival:
            raise ScenarioError("--rival is offered on a page; with --audio device use simulate replay afterwards")
        from simulator.live.at_device.terminal import choose, talk_at_device

        chosen = choose(args.input, args.output, scenario)
        conversation: Any = lambda job, folder: [anyio.run(talk_at_device, job, folder, chosen, to_stderr)]  # noqa: E731
    else:
        way = Way(port=args.port, open_page=not args.no_open, rivals=_rivals(args.rival, scenario))
        way.check()
        conversation = lambda job, folder: anyio.run(talk_in_browser, job, folder, way, to_stderr)  # noqa: E731

    def hold(job: Job, folder: Path) -> list[tuple[Row, Played]] | None:
        try:
            return conversation(job, folder)  # type: ignore[no-any-return]
        except LeftError:
            return None

    return hold


def _rivals(words: Sequence[str], scenario: Scenario) -> list[Any]:
    """The agents that the take may be put before. ScenarioError."""
    from simulator.live.rivals import Rival

    if words and scenario.agent.traits().live:
        raise ScenarioError("--rival puts the user's take before another agent; here a human is the agent")
    rivals = [Rival(Path(word).stem, actor_named(word)) for word in words]
    if live := next((rival.name for rival in rivals if rival.spec.traits().live), None):
        raise ScenarioError(f"--rival {live}: a human is no agent that a take can be put before")
    if len({rival.id for rival in rivals}) < len(rivals):
        raise ScenarioError(f"--rival: two are called alike among {', '.join(rival.name for rival in rivals)}")
    return rivals


def _write_index(folder: Path) -> None:
    from simulator.report.index import write_index_page
    from simulator.results.run import load_run

    write_index_page(load_run(folder))
