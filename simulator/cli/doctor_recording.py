"""`simulate doctor SESSION|WAV ...`: what is wrong with a recording, and whether scores of it could be believed."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from simulator.cli.outcome import code_of, outcome
from simulator.cli.score_options import read_options
from simulator.errors import ScenarioError, SessionError
from simulator.session import Session, is_session, read_session


def examine_recordings(
    paths: Sequence[Path], options: Sequence[str], *, quiet: bool
) -> tuple[list[dict[str, Any]], int]:
    """Examine session folders, sessions of runs, stereo files; the exit code is 2 where none can be believed."""
    from simulator.scoring.trust import examine

    told: list[dict[str, Any]] = []
    problems: list[str] = []
    chosen = _channels(options)
    for session in (session for path in paths for session in recordings(path, **chosen)):
        if isinstance(session, SessionError):
            problems.append(str(session))
            continue
        try:
            found = examine(session)
        except SessionError as error:
            problems.append(str(error))
            continue
        told.append({"id": session.id, "notes": list(session.notes), "findings": found})
        if not quiet:
            _print(session, found)
    of = len(told) + len(problems)
    refused = sum(any(finding.severity == "refuse" for finding in item["findings"]) for item in told)
    outcome(problems, of)
    return told, code_of(refused + len(problems), of)


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
    for source in folders or [path]:
        try:
            yield (
                read_session(source)
                if folders
                else Session.of_recording(source, user_channel=user_channel, agent_channel=agent_channel)
            )
        except SessionError as error:
            yield error
