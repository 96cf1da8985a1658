"""`simulate replay SESSION --agent ACTOR`: the recorded user, at the same moments, against another agent."""

import argparse
from pathlib import Path

from simulator.batch.folder import free_folder
from simulator.cli.actor_word import actor_named
from simulator.cli.outcome import tell_damage
from simulator.cli.places import here
from simulator.cli.run import carry_out
from simulator.logs import set_up_logs
from simulator.planning.plan import plan_of
from simulator.planning.replaying import replay_of
from simulator.session import read_session


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("session", type=here, metavar="SESSION", help="a session folder")
    parser.add_argument("--agent", required=True, metavar="ACTOR", help="a kind, or a YAML file whose `agent` is taken")
    parser.add_argument("--out", type=here, metavar="DIR", help="the run folder (default: runs/replay-of-<session>)")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.set_defaults(resume=False, dry_run=False, concurrency=1, no_probe=False, page_audio=None, verbose=False)
    parser.set_defaults(pool="alike", keep_invalid=False)


def run(args: argparse.Namespace) -> int:
    """Make the scenario of the replay and run it; gives the exit code."""
    set_up_logs(verbose=False)
    session = read_session(args.session)
    tell_damage(session)
    scenario = replay_of(args.session, actor_named(args.agent))
    args.out = args.out or free_folder(Path("runs") / f"replay-of-{session.id}")
    return carry_out(plan_of({f"replay of {args.session}": scenario}), args)
