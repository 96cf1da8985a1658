"""`simulate arena SOURCE ... --judge ENDPOINT | --listen`, and `simulate arena rate FILE`: who answers better."""

import argparse
import sys
from pathlib import Path
from typing import Any

from simulator.cli import OK
from simulator.cli.json_file import write_json_file
from simulator.cli.outcome import outcome
from simulator.cli.places import here
from simulator.cli.refusals import print_remarks
from simulator.errors import ScenarioError, SessionError
from simulator.texts import shown

RATE = "rate"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.description = "Two answers to the same input, side by side and blind: who is better, and the ratings of it."
    add = parser.add_argument
    add(
        "sources",
        nargs="+",
        metavar="SOURCE",
        help="RUN[:NAME], or FOLDER:NAME of a system's own answers; or: rate FILE",
    )
    add("--judge", metavar="ENDPOINT", help="a machine judges: MODEL@URL, or a mapping as under `judge:` in a scenario")
    add("--hears", choices=("sound", "text"), help="what it gets (default: sound, words where it takes none)")
    add("--listen", action="store_true", help="people judge, in a page on this machine")
    add("--criterion", choices=("semantic", "paralinguistic", "both"), default="both", help="what is compared")
    add("--inputs", type=Path, metavar="DIR", help="the folder of the questions (S2S-Arena's layout)")
    add("--battles", type=int, metavar="N", help="at most so many pairs; with --listen for each rater")
    add("--seed", type=int, default=0, metavar="N", help="draws sides and pairs")
    add(
        "--rater",
        action="append",
        default=[],
        metavar="NAME",
        help="who listens (--listen); may be given several times",
    )
    add("--ties", action="store_true", help="people may also say: a tie, or both bad")
    add("--twice", type=float, default=0.1, metavar="SHARE", help="the share of pairs judged a second time (0.1)")
    add("--port", type=int, default=0, metavar="N", help="the page's port (default: any free one)")
    add("--no-open", action="store_true", help="do not open a browser, only print the addresses")
    add("--out", type=here, metavar="DIR", help="battles, tables and page (default: arena, numbered; rate: none)")
    add("--json", metavar="FILE", help="write the ratings as JSON (- for standard output)")


def run(args: argparse.Namespace) -> int:
    """Judge or rate, and tell. Gives the exit code: 3 where some of it could not be used, 2 where nothing could."""
    if args.sources[0] == RATE:
        return _rate(args)
    if bool(args.judge) == args.listen:
        raise ScenarioError("say who judges: --judge ENDPOINT, or --listen; or rate what was judged: arena rate FILE")
    if not 0 <= args.twice < 1:
        raise ScenarioError(f"--twice is {args.twice:g}; allowed are 0 to below 1")
    if args.battles is not None and args.battles < 1:
        raise ScenarioError(f"--battles is {args.battles}; allowed are 1 and more")
    return _judge(args) if args.judge else _listen(args)


def _rate(args: argparse.Namespace) -> int:
    from simulator.arena.battle import read_battles

    files = [Path(word) for word in args.sources[1:]]
    if not files:
        raise ScenarioError("arena rate needs a file of battles, a JSON object a line")
    read = [read_battles(file) for file in files]
    battles = [battle for found in read for battle in found.battles]
    problems = [problem for found in read for problem in found.problems]
    if not battles:
        outcome(problems, len(problems))
        raise ScenarioError(f"{', '.join(map(str, files))}: holds no battle that can be rated")
    _finish(args, battles, args.out, files[0].stem)
    return outcome(problems, len(battles) + len(problems))


def _judge(args: argparse.Namespace) -> int:
    from simulator.arena.battle import append_battle
    from simulator.arena.machine import Machine
    from simulator.arena.page import BATTLES
    from simulator.arena.pairing import all_matches
    from simulator.arena.sources import read_field
    from simulator.judging.spec import AnyJudge
    from simulator.spec import decode

    spec = decode(args.judge, AnyJudge, source="--judge", folder=Path.cwd(), where="judge")
    field = read_field(args.sources, args.inputs)
    out = _folder(args)
    heard: Any = args.hears or ("sound" if spec.hears != "text" else None)
    machine = Machine(spec, field, args.criterion, out=out, heard=heard)
    problems: list[str] = []
    known = _known(out, args.criterion)
    battles = list(known.battles)
    judged = {battle.pair for battle in battles if battle.rater == machine.rater}
    matches = [match for match in all_matches(field, args.seed, args.battles) if match.key not in judged]
    for match in matches:
        try:
            for battle in machine.battles(match):
                append_battle(out / BATTLES, battle)
                battles.append(battle)
        except SessionError as error:
            problems.append(str(error))
    machine.finish()
    print_remarks([*field.notes, *known.problems])
    if not battles:
        outcome(problems, len(problems))
        raise ScenarioError(f"the judge gave no verdict on any of {len(matches)} pairs")
    _finish(args, battles, out, out.name)
    return outcome(problems, len(matches) + len(known.battles))


def _listen(args: argparse.Namespace) -> int:
    import anyio

    from simulator.arena.desk import Desk, ListeningRules
    from simulator.arena.listening import Door, listen
    from simulator.arena.page import BATTLES
    from simulator.arena.sources import read_field

    field = read_field(args.sources, args.inputs)
    print_remarks(field.notes)
    rules = ListeningRules(
        ties=args.ties, twice=args.twice, criterion=args.criterion, seed=args.seed, most=args.battles
    )
    door = Door(port=args.port, open_page=not args.no_open, raters=tuple(args.rater or ["listener"]))
    door.check()
    out = _folder(args)
    print_remarks(_known(out, args.criterion).problems)
    desk = Desk(field, rules, out / BATTLES)
    anyio.run(listen, desk, door, lambda sentence: print(f"simulate: {sentence}", file=sys.stderr, flush=True))
    if not desk.battles:
        raise ScenarioError("nobody judged anything")
    _finish(args, desk.battles, desk.file.parent, desk.file.parent.resolve().name)
    return OK


def _known(out: Path, criterion: str) -> Any:
    """Read what was judged before in the folder. ScenarioError: by another criterion, with which it cannot be rated."""
    from simulator.arena.battle import ReadBattles, read_battles
    from simulator.arena.page import BATTLES

    found = read_battles(out / BATTLES) if (out / BATTLES).is_file() else ReadBattles([], [])
    others = sorted({battle.criterion for battle in found.battles} - {criterion, ""})
    if others:
        raise ScenarioError(f"{out}: its battles are by the criterion {others[0]}; name another folder for {criterion}")
    return found


def _folder(args: argparse.Namespace) -> Path:
    from simulator.batch.folder import free_folder

    out: Path = args.out or free_folder(Path("runs") / "arena")
    return out


def _finish(args: argparse.Namespace, battles: Any, out: Path | None, name: str) -> None:
    """Rate, write what is wanted, and print the table."""
    from simulator.arena.page import PAGE, write_result
    from simulator.arena.result import result_of
    from simulator.arena.tables import believed_lines, rating_lines

    result = result_of(battles, seed=args.seed)
    if out is not None:
        write_result(out, result, name)
    if args.json is not None:
        write_json_file(args.json, result.standings.as_json())
    stream = sys.stderr if args.json == "-" else sys.stdout
    for line in (*rating_lines(result.standings.overall), *believed_lines(result.reliability)):
        print(shown(line), file=stream)
    print_remarks(result.told)
    if out is not None:
        print(f"page: {out / PAGE}", file=stream)
