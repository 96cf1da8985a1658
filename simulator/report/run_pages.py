"""Pages of a run: which sessions get one, written in worker processes after the sessions have ended."""

import sys

from simulator.planning.plan import Plan
from simulator.results.run import Run
from simulator.texts import remark


def write_pages(plan: Plan, run: Run, page_audio: str | None) -> None:
    """Write the session pages that the scenarios ask for, and the run's index; a page that fails is told on stderr."""
    report = {name: scenario.report for name, scenario in plan.scenarios.items()}
    if set(report.values()) == {"none"}:
        return
    from simulator.report.index import write_index_page
    from simulator.report.writing import write_session_pages
    from simulator.results.policy import sessions_to_show

    names = sessions_to_show(run, report)
    folders = [run.folder / name for name in names if (run.folder / name).is_dir()]  # what never began has none
    problems = write_session_pages(folders, page_audio or "auto")  # type: ignore[arg-type]
    write_index_page(run)
    for problem in problems:
        print(remark(problem), file=sys.stderr)  # noqa: T201 - a page is no reason to fail a run, but is missed
