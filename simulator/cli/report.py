"""`simulate report PATH`: make the page of a session again, or a run's index with the pages of all its sessions."""

import argparse
from pathlib import Path

from simulator.cli.outcome import outcome, tell_damage
from simulator.cli.places import here
from simulator.cli.refusals import print_remarks
from simulator.errors import SessionError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("paths", nargs="+", type=here, metavar="PATH", help="a session folder, or a run folder")
    parser.add_argument(
        "--page-audio",
        choices=("auto", "flac", "opus", "none"),
        default="auto",
        help="sound in the pages: FLAC up to an hour and Opus above (auto), or one of them, or none",
    )
    parser.add_argument(
        "--only", nargs="+", default=None, metavar="ID", help="of a run, only these sessions and the index"
    )
    parser.add_argument("--index-only", action="store_true", help="of a run, only the index")


def run(args: argparse.Namespace) -> int:
    """Write the pages and say where they lie."""
    problems: list[str] = []
    pages = 0
    for path in args.paths:
        try:
            made, failed = _report(path, args)
        except SessionError as error:
            made, failed = 0, [str(error)]
        pages += made + len(failed)
        problems += failed
    return outcome(problems, pages)


def _report(path: Path, args: argparse.Namespace) -> tuple[int, list[str]]:
    """Give how many sessions were read for it, and a sentence for each that could not be."""
    from simulator.report.page import write_session_page
    from simulator.results.run import SESSION_PAGE, is_run
    from simulator.session import is_session

    if is_session(path):
        _annotate(path)
        write_session_page(path, args.page_audio)
        print(path / SESSION_PAGE)
        return 1, []
    if not is_run(path):
        raise SessionError(f"{path}: neither a session folder nor a run folder")
    return _report_run(path, args)


def _report_run(path: Path, args: argparse.Namespace) -> tuple[int, list[str]]:
    from simulator.report.index import write_index_page
    from simulator.report.writing import write_session_pages
    from simulator.results.run import RUN_PAGE, load_run
    from simulator.session import is_session

    found = load_run(path)
    known = [row.id for row in found.rows]
    wanted = [] if args.index_only else args.only if args.only is not None else known
    for name in wanted:
        if name not in known:
            raise SessionError(f"{path}: has no session {name!r}; results.jsonl names {', '.join(known[:5])} ...")
    problems = list(found.left_out)
    folders: list[Path] = []
    for folder in (path / name for name in wanted if is_session(path / name)):
        try:
            _annotate(folder)
            folders.append(folder)
        except SessionError as error:
            problems.append(f"{folder.name}: no page: {error}")
    problems += write_session_pages(folders, args.page_audio, told=_tell)
    write_index_page(found)
    print(path / RUN_PAGE)
    unread = len(found.left_out)
    return (len(wanted) or len(known)) + unread - len(problems), problems


def _tell(folder: Path, problem: str | None) -> None:
    from simulator.results.run import SESSION_PAGE

    if problem is None:
        print(folder / SESSION_PAGE, flush=True)


def _annotate(folder: Path) -> None:
    """Say what of a session is damaged, and annotate one that is not."""
    from simulator.batch.again import annotate_missing
    from simulator.session import read_session

    session = read_session(folder)
    tell_damage(session)
    if annotate_missing(session):
        print_remarks([f"{folder.name}: speech.json was missing or damaged and has been made again"])
