"""The command line: `simulate SCENARIO.yaml ...` runs scenarios, `simulate COMMAND ...` does the rest.

Only this package prints and exits. Exit codes: 0 everything ran and every expectation held; 1 an expectation failed;
2 refused before any session started; 3 a session could not be completed; 130 Ctrl-C. A command's module is imported
when it is used, so that `simulate --help` answers at once.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module

EVERYDAY = {
    "run": "run scenarios: `simulate run call.yaml` is the same as `simulate call.yaml`",
    "talk": "take part yourself, with a microphone",
    "score": "score sessions again, or other projects' recordings",
    "report": "make the pages of a session or a run",
    "compare": "paired differences between runs, or from a baseline; a gate with --fail-on worse",
    "check": "validate a scenario without running it",
    "init": "write a folder to start from (agent, ci, dialogue, model, sweep), or a shipped scenario",
}

MORE = {
    "serve": "offer an actor to other people's clients",
    "replay": "put a recorded user before another agent",
    "shrink": "make a failing scenario as small as it can be and still fail",
    "merge": "put the parts of a run together that --shard made",
    "export": "write a session in another tool's format",
    "arena": "two answers to one input, blind: a judge or people say which is better; ratings of battles (rate)",
    "judge": "how far a judge can be believed: against people's labels (calibrate), against itself (check)",
    "list": "what is installed: actors, injectors, channels, scorers, responders, voices ...",
    "explain": "what a metric means, and how others define it",
    "schema": "the JSON Schema of a scenario, for editors",
    "doctor": "what works on this machine, or what is wrong with a recording or an endpoint",
}

COMMANDS = EVERYDAY | MORE

# A module called `list` would hide the builtin of that name in this package.
MODULES = {"list": "listing"}

SESSION_COMMANDS = ("run", "talk", "serve", "replay", "shrink")
"""Those that play sessions: what goes wrong in them leaves some behind."""

OK, EXPECTATION_FAILED, REFUSED, INCOMPLETE, INTERRUPTED = 0, 1, 2, 3, 130

USAGE = """usage: simulate SCENARIO.yaml [MORE ...] [options]
       simulate COMMAND ...

A full-duplex conversation simulator: two parties talk over one line, the session is recorded and scored.

everyday:
{everyday}
more:
{more}

options of a run (`simulate run --help` tells more):
  --out DIR  --repeat N  --seed N  --concurrency N  --set path=value  --resume  --dry-run  --json  -v

exit codes: 0 all well, 1 an expectation failed, 2 refused before it started, 3 a session failed, 130 Ctrl-C
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and give the exit code."""
    from simulator.cli.console import screens

    with screens():
        return _answer(list(sys.argv[1:] if argv is None else argv))


def _answer(arguments: list[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help"):
        print(USAGE.format(everyday=_lines(EVERYDAY), more=_lines(MORE)), end="")
        return OK
    if arguments[0] in ("-V", "--version"):
        from simulator import __version__

        print(f"duplex-simulator {__version__}")
        return OK
    first = arguments[0]
    if first in COMMANDS:
        return _guarded(first, arguments[1:])
    # os.path, not pathlib: importing pathlib would cost --help a tenth of its time
    if not first.startswith("-") and "." not in first and not os.path.exists(first):  # noqa: PTH110
        known = ", ".join(COMMANDS)
        print(f"simulate: {first!r} is no file and no command; commands are {known}", file=sys.stderr)
        return REFUSED
    return _guarded("run", arguments)


def _lines(commands: dict[str, str]) -> str:
    return "\n".join(f"  {name:<9} {text}" for name, text in commands.items())


def _guarded(name: str, arguments: Sequence[str]) -> int:
    from simulator.errors import SimulatorError, sentence

    arguments_given: argparse.Namespace | None = None
    try:
        module = import_module(f"simulator.cli.{MODULES.get(name, name)}")
        parser = argparse.ArgumentParser(prog=f"simulate {name}", allow_abbrev=False)
        module.add_arguments(parser)
        parser.set_defaults(argv=[name, *arguments])
        arguments_given = parser.parse_args(arguments)
        return int(module.run(arguments_given))
    except SimulatorError as error:
        from simulator.cli.refusals import print_refusal

        print_refusal(error, arguments_given)
        return REFUSED
    except KeyboardInterrupt:
        print("simulate: interrupted", file=sys.stderr)
        return INTERRUPTED
    except OSError as error:  # a folder that cannot be made or written, a file that cannot be read
        print(f"simulate: {sentence(error)}", file=sys.stderr)
        return REFUSED
    except Exception as error:  # noqa: BLE001 - exit code 1 says that an expectation failed, and nothing else
        print(f"simulate: {_fault(error)}", file=sys.stderr)
        return INCOMPLETE if name in SESSION_COMMANDS else REFUSED


def _fault(error: Exception) -> str:
    """Say what is a fault of ours, and where; with -v all of it is told."""
    import traceback

    from simulator.errors import sentence
    from simulator.logs import logs_are_verbose

    if logs_are_verbose():
        traceback.print_exception(error)
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"a fault of the simulator itself: {sentence(error)} ({place.filename}, line {place.lineno})"
