"""The same take before other agents: asked for on the scorecard, played on the virtual clock, its numbers beside."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import anyio

from simulator.actor import ActorSpec
from simulator.batch.job import Played, finish, play
from simulator.call.surroundings import Surroundings
from simulator.errors import SimulatorError, sentence
from simulator.live.room import Room
from simulator.live.scorecard import card_of
from simulator.planning.job import Job
from simulator.planning.plan import plan_of
from simulator.planning.replaying import replay_of
from simulator.report.writing import write_session_pages
from simulator.results.row import Row
from simulator.results.run import SESSION_PAGE
from simulator.scenario import slug


class Rival(NamedTuple):
    """An agent that the take may be put before. name: how the page calls it."""

    name: str
    spec: ActorSpec

    @property
    def id(self) -> str:
        """Of its session."""
        return f"before-{slug(self.name)}"


class Rivals:
    """Plays what pages ask for, one at a time and each once; what came of it is told to the room.

    rows: those of the sessions that were played.
    """

    def __init__(self, rivals: Sequence[Rival], room: Room, run_folder: Path) -> None:
        self._rivals = rivals
        self._room = room
        self._folder = run_folder
        self._asked: list[int] = []
        self._woken = anyio.Event()
        self._closed = False
        self.rows: list[tuple[Row, Played]] = []

    @property
    def names(self) -> list[str]:
        """What may be asked for, by number."""
        return [rival.name for rival in self._rivals]

    @property
    def busy(self) -> bool:
        """Whether something was asked for and has not been answered."""
        return len(self.rows) < len(self._asked)

    def ask(self, number: int) -> None:
        """Ask for one; a number that is none, or was asked for before, is ignored."""
        if 0 <= number < len(self._rivals) and number not in self._asked:
            self._asked.append(number)
            self._woken.set()

    def close(self) -> None:
        """Take no more wishes."""
        self._closed = True
        self._woken.set()

    async def serve(self, take: Path) -> None:
        """Play what is asked for, until it is closed. take: the session folder of the talk."""
        while not self._closed:
            await self._woken.wait()
            self._woken = anyio.Event()
            while self.busy:
                await self._answer(self._asked[len(self.rows)], take)

    async def _answer(self, number: int, take: Path) -> None:
        row, played = await anyio.to_thread.run_sync(self._played, self._rivals[number], take)
        self.rows.append((row, played))
        report = f"/rival/{number}" if self.page(number) else None
        card = card_of(self._folder / row.id)
        self._room.tell("rival", number=number, problem=row.problem, scorecard=card, report=report)

    def page(self, number: int) -> Path | None:
        """Give the session page of one that was played."""
        if not 0 <= number < len(self._rivals):
            return None
        path = self._folder / self._rivals[number].id / SESSION_PAGE
        return path if path.is_file() else None

    def _played(self, rival: Rival, take: Path) -> tuple[Row, Played]:
        """Play and score it, in a thread: on an event loop of its own, so that the pages' lines go on."""
        try:
            plan = plan_of({rival.name: replay_of(take, rival.spec)})
        except SimulatorError as error:
            problem = sentence(error)
            row = Row(id=rival.id, scenario=rival.id, status="failed", problem=problem)
            return row, Played(status="failed", problem=problem)
        job = Job(id=rival.id, group=rival.id, scenario=plan.jobs[0].scenario)
        played = anyio.run(play, job, self._folder, Surroundings())
        row = finish(job, self._folder, played)
        write_session_pages([self._folder / job.id])
        return row, played
