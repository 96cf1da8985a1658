"""`simulate score PATH ... [--as NAME]`: score sessions again, or other projects' recordings, under any definition."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from simulator.cli import OK
from simulator.corpus import CorpusResult, CorpusScorer
from simulator.errors import ScenarioError
from simulator.plugins import load
from simulator.spec import decode

Tell = Callable[[str], None]

_SHARED = ("user_channel", "force")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "paths",
        nargs="+",
        type=Path,
        metavar="PATH",
        help="a session, a run folder, stereo sound files, a Full-Duplex-Bench folder, a NeMo results folder, "
        "a tau experiment, a folder of judge replies",
    )
    parser.add_argument(
        "--as",
        dest="scorers",
        action="append",
        metavar="NAME",
        help="a scorer (default: our own scorers on sessions)",
    )
    parser.add_argument(
        "--set",
        dest="options",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="an option of the scorer",
    )
    parser.add_argument("--json", metavar="FILE", help="write the result as JSON (- for standard output)")
    parser.add_argument(
        "--show", action="store_true", help="say what was measured between which two instants"
    )


def run(args: argparse.Namespace) -> int:
    """Score what the paths hold and print a table; input folders are never written to."""
    options = read_options(args.options)
    tell = _teller(args.show, to_stderr=args.json == "-")
    results = [work(args.paths, tell) for work in _works(args.scorers or [], options)]
    if args.json != "-":
        from simulator.cli.score_table import print_result

        for result in results:
            print_result(result)
    if args.json is not None:
        _write_json(args.json, results)
    return OK


def _teller(show: bool, *, to_stderr: bool) -> Tell:
    stream = sys.stderr if to_stderr else sys.stdout

    def tell(line: str) -> None:
        if show:
            print(line, file=stream)

    return tell


def _works(
    names: Sequence[str], options: Mapping[str, str]
) -> list[Callable[[Sequence[Path], Tell], CorpusResult]]:
    """Give what is to be done: each foreign definition by itself, our own scorers together; options are checked."""
    kinds = {name: load("scorers", name) for name in dict.fromkeys(names)}
    foreign = [name for name, kind in kinds.items() if issubclass(kind, CorpusScorer)]
    own = [name for name in kinds if name not in foreign]
    works: list[Callable[[Sequence[Path], Tell], CorpusResult]] = [
        make_spec(name, kinds[name], options).score_corpus for name in foreign
    ]
    if own or not kinds:
        works.append(_own_work(own, options))
    return works


def _own_work(
    names: Sequence[str], options: Mapping[str, str]
) -> Callable[[Sequence[Path], Tell], CorpusResult]:
    from simulator.plugins import installed
    from simulator.score_sessions import Rescoring
    from simulator.scorer import DEFAULT_SCORERS

    chosen = list(names) or [name for name in DEFAULT_SCORERS if name in installed("scorers")]
    shared = {name: text for name, text in options.items() if name in _SHARED}
    rest = {name: text for name, text in options.items() if name not in _SHARED}
    if rest and len(chosen) != 1:
        raise ScenarioError(f"--set {next(iter(rest))}: options are of one scorer; name it with --as")
    scorers = {name: make_spec(name, load("scorers", name), rest).build() for name in chosen}
    work: Rescoring = decode(
        {name: _typed(text, int if name == "user_channel" else bool) for name, text in shared.items()},
        Rescoring,
        source="--set",
        folder=Path.cwd(),
        where="",
    )
    return lambda paths, tell: work.score(paths, scorers, tell)


def read_options(texts: Sequence[str]) -> dict[str, str]:
    """Read KEY=VALUE texts; ScenarioError when one has no key or no equals sign."""
    options: dict[str, str] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise ScenarioError(f"--set {text}: write it like --set mode=compat")
        options[key.strip()] = value.strip()
    return options


def make_spec(name: str, kind: Any, options: Mapping[str, str]) -> Any:
    """Make a scorer's spec from options as text; ScenarioError names the option and what is allowed."""
    fields = {field.name: field.type for field in msgspec.structs.fields(kind)}
    for key in options:
        if key not in fields:
            raise ScenarioError(
                f"--set {key}: {name} has no such option; choose one of {', '.join(sorted(fields))}"
            )
    data = {key: _typed(text, fields[key]) for key, text in options.items()}
    return decode({"kind": name, **data}, kind, source="--set", folder=Path.cwd(), where="")


def _typed(text: str, kind: Any) -> Any:
    """Turn an option's text into the plain value its type is decoded from: text stays text where text is meant."""
    kinds = set(getattr(kind, "__args__", ())) | {kind}
    if any(
        isinstance(part, type) and (issubclass(part, str | Path) or hasattr(part, "__decode__"))
        for part in kinds
    ):
        return text
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


def _write_json(target: str, results: Sequence[CorpusResult]) -> None:
    content = msgspec.json.encode(results[0] if len(results) == 1 else list(results))
    pretty = msgspec.json.format(content, indent=2) + b"\n"
    if target == "-":
        sys.stdout.write(pretty.decode())
        return
    try:
        Path(target).write_bytes(pretty)
    except OSError as error:
        raise ScenarioError(f"--json {target}: cannot be written: {error.strerror}") from error
