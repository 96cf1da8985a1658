"""A scenario played once, whoever asks: several items, several tests, several workers of pytest-xdist.

Who comes first holds a lock while it plays; the others wait for it and read where the run lies. A run is known by all
that decides it: the file, what overrides it, the seed, the trials, and which attempt it is.
"""

import fcntl
import hashlib
from collections.abc import Sequence
from pathlib import Path

import msgspec

from simulator.batch.folder import RunFolder, free_folder
from simulator.batch.run import run_plan
from simulator.cassettes.recording import RecordSetting
from simulator.doctor.addresses import missing_of
from simulator.errors import SimulatorError
from simulator.logs import logs_set_up
from simulator.planning.checks import check_startable
from simulator.planning.job import Job
from simulator.planning.plan import Wishes, make_plan, recorded
from simulator.results.row import Row


class AskedRun(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be played. attempt: 0 is the first; another plays it again. record: where its paid calls are kept, if
    anywhere. verbose: the logs tell everything, tracebacks too; it is the same run without."""

    file: Path
    overrides: Sequence[str] = ()
    seed: int | None = None
    repeat: int | None = None
    attempt: int = 0
    record: RecordSetting | None = None
    verbose: bool = False

    @property
    def wishes(self) -> Wishes:
        """What a plan is told of it."""
        return Wishes(overrides=self.overrides, seed=self.seed, repeat=self.repeat)

    @property
    def offline(self) -> bool:
        """Whether nothing may go out."""
        return self.record is not None and self.record.record == "never"

    def key(self) -> str:
        """A name for it, the same in every process."""
        told = [str(self.file.resolve()), *self.overrides, repr((self.seed, self.repeat, self.attempt))]
        return hashlib.sha256("\0".join(told).encode()).hexdigest()[:24]


class Unwatched:
    """Nobody looks at a run inside a test."""

    def begin(self, sessions: int) -> None:
        """So many are to be played."""

    def progress(self, job: Job, samples: int) -> None:
        """One has come so far."""

    def ended(self, job: Job, row: Row, wall_s: float) -> None:
        """One has ended."""


def play_once(wanted: AskedRun, notes: Path, out: Path | None = None) -> Path:
    """Give the run folder, played now or before. notes: where processes tell each other. out: where runs are kept.

    SimulatorError: it cannot be run at all; the same for everybody who asks.
    """
    notes.mkdir(parents=True, exist_ok=True)
    place = notes / wanted.key()
    with place.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        told = place.with_suffix(".run")
        if told.is_file():
            return Path(told.read_text(encoding="utf-8"))
        folder = _play(wanted, out if out is not None else notes, pages=out is not None)
        told.write_text(str(folder), encoding="utf-8")
        return folder


def _play(wanted: AskedRun, out: Path, *, pages: bool) -> Path:
    if wanted.record is not None:
        wanted.record.check()
    plan = recorded(make_plan([wanted.file], wanted.wishes), wanted.record)
    check_startable((*plan.sweeps.values(), *plan.scenarios.values()), offline=wanted.offline)
    if wanted.record is None or wanted.record.record == "always":
        missing_of(plan.scenarios, "start it first")  # where some are there, the others' own items tell it
    path, folder = free_folder(out / plan.name), None
    while folder is None:
        try:
            folder = RunFolder(path, resume=False)
        except SimulatorError:  # another worker took the name meanwhile, for a scenario of the same name
            if not path.exists():
                raise
            path = free_folder(path)
    try:
        command = ["pytest", str(wanted.file), *(f"--simulate-set={item}" for item in wanted.overrides)]
        folder.write(command, None, sweeps=plan.swept)
        with logs_set_up(verbose=wanted.verbose):
            result = run_plan(plan, folder, 1, Unwatched())
        whole = all(row.status == "completed" for row in result.rows) and not result.interrupted
        folder.write(command, 0 if whole else 3, model_hosts=result.hosts, costs=result.costs, sweeps=plan.swept)
        if pages:
            from simulator.report.run_pages import write_pages

            write_pages(plan, folder.read(result.rows), "auto")
        if result.interrupted:
            raise KeyboardInterrupt
    finally:
        folder.close()
    return folder.path
