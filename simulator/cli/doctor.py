"""`simulate doctor [SCENARIO | SESSION | WAV ...]`: what works here, or what is wrong with a recording or an endpoint.

`--voices` writes a sample of each voice instead.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from simulator.cli import OK, REFUSED
from simulator.cli.score_options import add_options
from simulator.errors import ScenarioError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("paths", nargs="*", type=Path, help="scenarios, session folders or sound files")
    parser.add_argument(
        "--voices", nargs="?", type=Path, const=Path("voices"), metavar="FOLDER",
        help="write a sample of each voice: of those that speak here, or of those that the scenario names",
    )  # fmt: skip
    add_options(parser, "of a sound file with more than two channels: user_channel=0, agent_channel=1")
    parser.add_argument("--json", action="store_true", help="print findings as JSON")
    parser.add_argument("--clean", action="store_true", help="empty this program's cache of voices and annotations")


def run(args: argparse.Namespace) -> int:
    """Examine this machine, or what the path names."""
    if args.clean:
        return _clean()
    if args.voices is not None:
        return _voices(args.paths, args.voices)
    if not args.paths:
        return _machine(as_json=args.json)
    return _paths(args.paths, args.options, as_json=args.json)


def _paths(paths: Sequence[Path], options: Sequence[str], *, as_json: bool) -> int:
    """Examine all that is named, the scenarios first: 2 where one of them is not fine, or no recording can be used."""
    from simulator.cli.doctor_endpoints import examine_scenarios
    from simulator.cli.doctor_recording import examine_recordings

    scenarios = [path for path in paths if path.suffix in (".yaml", ".yml")]
    others = [path for path in paths if path not in scenarios]
    reached, code = examine_scenarios(scenarios, quiet=as_json)
    told, recorded = examine_recordings(others, options, quiet=as_json) if others else ([], OK)
    if as_json:
        import msgspec

        print(msgspec.json.encode([*reached, *told]).decode())
    return code or recorded


def _voices(paths: Sequence[Path], folder: Path) -> int:
    from simulator.doctor.voices import voices_here, voices_of, write_samples
    from simulator.scenario import load

    silent = 0
    try:
        named = dict.fromkeys(voice for path in paths for voice in voices_of(load(path)))
        for sample in write_samples(list(named) if paths else voices_here(), folder):
            silent += sample.file is None
            print(f"{'ok  ' if sample.file else 'FAIL'} {sample.voice}: {sample.told}")
            if sample.file:
                print(f"     {sample.file}")
    except OSError as error:
        raise ScenarioError(f"--voices {folder}: cannot be written: {error.strerror}") from error
    return REFUSED if silent else OK


def _clean() -> int:
    from simulator.engines.store import cache_folder, trim

    folder = cache_folder()
    if folder is None or not folder.is_dir():
        print("there is no cache")
        return OK
    print(f"{folder}: {trim(folder, 0) / 1e6:.1f} MB deleted")
    return OK


def _machine(*, as_json: bool) -> int:
    from simulator.doctor.machine import examine

    findings = list(examine())
    if as_json:
        import msgspec

        print(msgspec.json.encode(findings).decode())
    else:
        for finding in findings:
            mark = "ok  " if finding.usable else "FAIL" if finding.needed else "--  "
            print(f"{mark} {finding.part:<18} {finding.purpose}: {finding.detail}")
            if finding.remedy:
                print(f"     {'':<18} to use it: {finding.remedy}")
    missing = [finding.part for finding in findings if finding.needed and not finding.usable]
    if missing:
        print(f"simulate: {', '.join(missing)} must work and does not", file=sys.stderr)
    return REFUSED if missing else OK
