"""`simulate doctor SESSION|WAV`: what is wrong with a recording, and whether scores of it could be believed."""

import argparse
from pathlib import Path

from simulator.cli import OK, REFUSED
from simulator.session import Session, is_session, read_session


def run(args: argparse.Namespace) -> int:
    """Examine a session folder, the sessions of a run, or a stereo file."""
    from simulator.scoring.trust import examine

    code = OK
    told = []
    for session in recordings(args.path):
        found = examine(session)
        told.append({"id": session.id, "notes": list(session.notes), "findings": found})
        code = max(code, REFUSED if any(finding.severity == "refuse" for finding in found) else OK)
        if not args.json:
            print(f"{session.folder}: {session.duration / session.sample_rate:.2f} s at {session.sample_rate} Hz")
            for note in session.notes:
                print(f"  note    {note}")
            for finding in found:
                print(f"  {'REFUSED' if finding.severity == 'refuse' else 'note   '} {finding.sentence}")
            if not found:
                print("  fine")
    if args.json:
        import msgspec

        print(msgspec.json.encode(told).decode())
    return code


def recordings(path: Path) -> list[Session]:
    """Give the recordings a path means. SessionError when there is none."""
    if is_session(path):
        return [read_session(path)]
    inner = sorted(folder for folder in path.iterdir() if is_session(folder)) if path.is_dir() else []
    return [read_session(folder) for folder in inner] or [Session.of_recording(path)]
