"""`simulate doctor [SCENARIO | SESSION | WAV]`: what works here, or what is wrong with a recording or an endpoint."""

import argparse
import sys
from pathlib import Path

from simulator.cli import OK, REFUSED


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("path", nargs="?", type=Path, help="a scenario, a session folder or a sound file")
    parser.add_argument("--json", action="store_true", help="print findings as JSON")
    parser.add_argument("--clean", action="store_true", help="empty this program's cache of voices and annotations")


def run(args: argparse.Namespace) -> int:
    """Examine this machine, or what the path names."""
    if args.clean:
        return _clean()
    if args.path is None:
        return _machine(as_json=args.json)
    if args.path.suffix in (".yaml", ".yml"):
        from simulator.cli.doctor_endpoints import run as run_endpoints

        return run_endpoints(args)
    from simulator.cli.doctor_recording import run as run_recording

    return run_recording(args)


def _clean() -> int:
    from simulator.engines.cache import cache_folder, trim

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
