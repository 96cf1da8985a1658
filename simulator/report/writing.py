"""Writing many session pages at once: a page takes a second or two of one core, so worker processes share the work."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from simulator.errors import SimulatorError
from simulator.report.audio import PageAudio
from simulator.report.page import write_session_page
from simulator.workers import WorkerPool, interrupts_held

ALONE_UP_TO = 2
"""So few pages are written here: starting workers would take longer."""


def write_session_pages(
    folders: Sequence[Path],
    audio: PageAudio = "auto",
    *,
    workers: int | None = None,
    told: Callable[[Path, str | None], None] = lambda folder, problem: None,
) -> list[str]:
    """Write the page of every session folder; give one sentence per page that could not be written.

    workers: processes at most, by default one per core. told(folder, problem) is called as each page is done;
    problem is None when it was written.
    """
    problems: list[str] = []

    def done(folder: Path, problem: str | None) -> None:
        problems.extend([problem] if problem else [])
        told(folder, problem)

    if len(folders) <= ALONE_UP_TO:
        for folder in folders:
            done(folder, _try(folder, audio))
        return problems
    count = min(workers or os.cpu_count() or 1, len(folders))
    with WorkerPool(count) as pool:
        with interrupts_held():
            waiting = {pool.submit(_try, folder, audio): folder for folder in folders}
        for future in as_completed(waiting):
            try:
                problem = future.result()
            except BrokenProcessPool:
                pool.give_up()
                problem = f"{waiting[future].name}: no page: the process that wrote it died"
            done(waiting[future], problem)
    return problems


def _try(folder: Path, audio: PageAudio) -> str | None:
    try:
        write_session_page(folder, audio)
    except (SimulatorError, OSError) as error:
        return f"{folder.name}: no page: {error}"
    return None
