"""Pages of a run: which sessions get one, written in worker processes after the sessions have ended."""

from pathlib import Path

from simulator.batch.plan import Plan


def write_pages(plan: Plan, folder: Path, page_audio: str | None) -> None:
    """Write the session pages that the scenarios ask for, and the run's index."""
