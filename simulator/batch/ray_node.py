"""What a node of a Ray cluster does for a run: play a session, or score one that a model's loop has played.

A session is played in a folder that nobody else knows: in the run's workroom where the node sees it, else in one of the
node's own, whose files then travel with the answer. So a node that is taken for dead and is not can spoil nothing.
"""

import os
import pickle
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import anyio

from simulator import clock
from simulator.batch.in_pool import run_job
from simulator.batch.job import Outcome, Played, finish, play
from simulator.batch.limits import Admission
from simulator.call.surroundings import Surroundings
from simulator.logs import set_up_logs
from simulator.planning.job import Job
from simulator.reading.secrets import names
from simulator.scenario import Scenario
from simulator.spec import encode, walk

Files = dict[str, bytes]
"""A session folder that travels: its files by their place in it."""


class Environment(dict[str, str]):
    """Variables of the driver's environment, which no log must show."""

    def __repr__(self) -> str:
        """Give the names alone."""
        return f"Environment({', '.join(self)})"


class Order(NamedTuple):
    """A session that a node is to play, for so many seconds of its own time at most.

    packed: its job, pickled; a node that cannot read it (it lacks the kind of a party) says so as of any other failure.
    attempt: where in the run's workroom; a session that is played again has another. environment: what its scenario
    names of the driver's environment.
    """

    id: str
    packed: bytes
    attempt: Path
    allowance_s: float
    environment: Environment
    verbose: bool

    def job(self) -> Job:
        """Read the job. ScenarioError."""
        job: Job = pickle.loads(self.packed)
        return job


class Heard(NamedTuple):
    """A session that was played and is to be scored, and how long that took in real seconds."""

    played: Played
    wall_s: float
    files: Files | None


class Brought(NamedTuple):
    """What a session came to, and its folder's files where they do not lie in the workroom."""

    outcome: Outcome
    files: Files | None


def environment_of(scenario: Scenario, environment: Mapping[str, str] = os.environ) -> Environment:
    """Give what the environment holds of the variables that a scenario names, or that keys of it name by default."""
    found = dict.fromkeys([*names(encode(scenario)), "OPENAI_API_KEY"])

    def note(where: str, value: object) -> None:
        if where.endswith("_env") and isinstance(value, str):
            found[value] = None

    walk(scenario, note)
    return Environment({name: environment[name] for name in found if name in environment})


def play_order(order: Order) -> Brought:
    """Play and score a session: a task of Ray's."""
    with _desk(order) as desk:
        outcome = run_job(order.job(), desk.path, order.allowance_s)
        return Brought(outcome, desk.packed())


def score_order(order: Order, heard: Heard) -> Brought:
    """Score a session that was played: a task of Ray's, on any node."""
    begin = clock.seconds()
    with _desk(order, heard.files) as desk:
        row = finish(order.job(), desk.path, heard.played)
        return Brought(Outcome(row, heard.wall_s + clock.seconds() - begin, heard.played), desk.packed())


class ModelLoop:
    """An actor of Ray's that owns the models which sessions share, and plays them side by side on its event loop.

    Of the sessions it keeps nothing: when it dies they are played again elsewhere.
    """

    def __init__(self) -> None:
        self._shared: dict[Any, Any] = {}
        self._limits = Admission(1)

    async def ready(self) -> None:
        """Answer, which says that there was a place for it."""

    async def play(self, order: Order) -> tuple[None, Heard]:
        """Play a session as soon as it finds a place in the models; what it came to goes to who scores it."""
        job = order.job()
        with _desk(order) as desk:
            begin = clock.seconds()
            try:
                async with self._limits.of(job):
                    begin = clock.seconds()
                    played = await play(job, desk.path, self._around(job, order.allowance_s))
            except anyio.get_cancelled_exc_class():  # a Ctrl-C at the driver; what was recorded is kept
                played = Played(status="interrupted", problem="interrupted by Ctrl-C")
            return None, Heard(played, clock.seconds() - begin, desk.packed())

    async def let_go(self) -> list[Any]:
        """Close what was shared; gives what it reports of itself."""
        reports = [host.report() for host in self._shared.values() if hasattr(host, "report")]
        for host in self._shared.values():
            if hasattr(host, "close"):
                await anyio.to_thread.run_sync(host.close)
        self._shared.clear()
        return reports

    def _around(self, job: Job, allowance_s: float) -> Surroundings:
        reached = [0]
        limit = allowance_s * job.scenario.sample_rate
        return Surroundings(shared=self._shared, progress=reached.append, stop=lambda: reached[-1] >= limit)


class _Desk:
    """Where a session is played on this node."""

    def __init__(self, path: Path, session: Path | None) -> None:
        self.path = path
        self._session = session

    def packed(self) -> Files | None:
        """Give the session's files, if the run's folder is not seen from here."""
        return None if self._session is None else packed(self._session)


@contextmanager
def _desk(order: Order, files: Files | None = None) -> Iterator[_Desk]:
    """Make ready to work on a session, whose files are these if it has been played elsewhere."""
    set_up_logs(verbose=order.verbose)
    os.environ.update(order.environment)  # the process is this run's alone, and ends with it
    if order.attempt.parent.is_dir() and files is None:
        order.attempt.mkdir(exist_ok=True)
        yield _Desk(order.attempt, None)
        return
    with TemporaryDirectory(prefix="simulate-") as place:
        session = Path(place) / order.id
        if files is not None:
            unpack(files, session)
        yield _Desk(Path(place), session)


def packed(folder: Path) -> Files:
    """Read a folder's files; none where it is not there. OSError."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def unpack(files: Files, folder: Path) -> None:
    """Write files where they were. OSError."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
