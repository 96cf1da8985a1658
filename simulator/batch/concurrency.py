"""`--concurrency auto`: as many sessions at a time as cores and free memory carry, or a model has slots."""

import os
from collections.abc import Sequence
from pathlib import Path

from simulator.planning.job import Job

AUTO = "auto"
WORKER_BYTES = 400 * 2**20
"""Of a worker with its recogniser and detector: 300 MB are measured, and sessions are longer than those."""
_MEMINFO = Path("/proc/meminfo")


def automatic(jobs: Sequence[Job], shares: Sequence[bool], *, cores: int, free_bytes: int | None) -> int:
    """Give how many of the jobs to play at a time.

    shares: which of them share something in one process (a model host). Where any does it is 1, which means to that
    loop: as many as find a slot. free_bytes: None where nobody knows.
    """
    if any(shares):
        return 1
    carried = cores if free_bytes is None else min(cores, free_bytes // WORKER_BYTES)
    return max(1, min(carried, len(jobs)))


def usable_cores() -> int:
    """Give the cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def free_memory(meminfo: Path = _MEMINFO) -> int | None:
    """Give the bytes that can be had without swapping; None where the system does not say."""
    try:
        lines = meminfo.read_text().splitlines()
    except OSError:
        return None
    found = [line.split() for line in lines if line.startswith("MemAvailable:")]
    return int(found[0][1]) * 1024 if found else None
