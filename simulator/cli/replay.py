"""`simulate replay SESSION --agent ACTOR`: the recorded user, at the same moments, against another agent."""

import argparse
from pathlib import Path

import yaml

from simulator.batch.folder import free_folder
from simulator.cli import run as run_command
from simulator.errors import ScenarioError
from simulator.plugins import installed
from simulator.scenario import read_yaml
from simulator.session import read_session


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("session", type=Path, metavar="SESSION", help="a session folder")
    parser.add_argument("--agent", required=True, metavar="ACTOR", help="a kind, or a YAML file whose `agent` is taken")
    parser.add_argument("--out", type=Path, metavar="DIR", help="the run folder (default: runs/replay-of-<session>)")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(args: argparse.Namespace) -> int:
    """Write the scenario of the replay and run it."""
    session = read_session(args.session)
    scenario = read_yaml(args.session / "scenario.yaml")
    name = f"replay of {session.id}"
    scenario |= {
        "name": name,
        "user": {"kind": "replay", "session": str(args.session.resolve()), "party": "user"},
        "agent": actor_named(args.agent),
        "duration": f"{session.duration / session.sample_rate:.6f}s",
        # Injected speech is part of the recorded track already.
        "injectors": [item for item in scenario.get("injectors", []) if item.get("party", "user") != "user"],
    }
    scenario.pop("clock", None)
    out = args.out or free_folder(Path("runs") / f"replay-of-{session.id}")
    out.parent.mkdir(parents=True, exist_ok=True)
    path = out.parent / f".{out.name}.yaml"
    path.write_text(yaml.safe_dump(scenario, sort_keys=False, allow_unicode=True), encoding="utf-8")
    try:
        argv = [str(path), "--out", str(out), *(["--json"] if args.json else [])]
        parser = argparse.ArgumentParser()
        run_command.add_arguments(parser)
        parser.set_defaults(argv=args.argv)
        return run_command.run(parser.parse_args(argv))
    finally:
        path.unlink()


def actor_named(text: str) -> object:
    """Give the actor that a command-line word means: the `agent` of a YAML file, or a kind. ScenarioError."""
    if text.endswith((".yaml", ".yml")):
        data = read_yaml(Path(text))
        if "agent" not in data:
            raise ScenarioError(f"{text}: holds no agent")
        return data["agent"]
    if text not in installed("actors"):
        raise ScenarioError(
            f"--agent {text!r}: is no YAML file and no kind; choose one of {', '.join(installed('actors'))}"
        )
    return {"kind": text}
