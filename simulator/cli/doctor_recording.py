"""`simulate doctor SESSION|WAV`: what is wrong with a recording, and whether scores of it could be believed."""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from simulator.cli.outcome import code_of, outcome
from simulator.cli.score_options import read_options
from simulator.errors import ScenarioError, SessionError
from simulator.session import Session, is_session, read_session


def run(args: argparse.Namespace) -> int:
    """Examine a session folder, the sessions of a run, or a stereo file: 2 where none of them can be believed."""
    from simulator.scoring.trust import examine

    told: list[dict[str, Any]] = []
    problems: list[str] = []
    for session in recordings(args.path, **_channels(args.options)):
        if isinstance(session, SessionError):
            problems.append(str(session))
            continue
        try:
            found = examine(session)
        except SessionError as error:
            problems.append(str(error))
            continue
        told.append({"id": session.id, "notes": list(session.notes), "findings": found})
        if not args.json:
            _print(session, found)
    if args.json:
        import msgspec

        print(msgspec.json.encode(told).decode())
    of = len(told) + len(problems)
    refused = sum(any(finding.severity == "refuse" for finding in item["findings"]) for item in told)
    outcome(problems, of)
    return code_of(refused + len(problems), of)


def _print(session: Session, found: list[Any]) -> None:
    print(f"{session.folder}: {session.duration / session.sample_rate:.2f} s at {session.sample_rate} Hz")
    for note in session.notes:
        print(f"  note    {note}")
    for finding in found:
        print(f"  {'REFUSED' if finding.severity == 'refuse' else 'note   '} {finding.sentence}")
    if not found:
        print("  fine")


def _channels(texts: Sequence[str]) -> dict[str, int]:
    options = read_options(texts)
    for key, text in options.items():
        if key not in ("user_channel", "agent_channel") or not text.isdecimal():
            raise ScenarioError(f"--set {key}={text}: write it like --set user_channel=0 --set agent_channel=1")
    return {key: int(text) for key, text in options.items()}


def recordings(
    path: Path, user_channel: int | None = None, agent_channel: int | None = None
) -> Iterator[Session | SessionError]:
    """Give the recordings a path means, or why one of them cannot be read."""
    folders = [path] if is_session(path) else []
    if not folders and path.is_dir():
        folders = sorted(folder for folder in path.iterdir() if is_session(folder))
    if not folders:
        yield Session.of_recording(path, user_channel=user_channel, agent_channel=agent_channel)
    for folder in folders:
        try:
            yield read_session(folder)
        except SessionError as error:
            yield error
