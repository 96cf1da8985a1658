"""A live conversation from the open door to the written page; the way in is a browser page or a sound device.

Everything that takes time to load is loaded before the humans are told to speak: detectors and recogniser while they
are still in the lobby, the other party when all of them are ready.
"""

import signal
import sys
import webbrowser
from collections.abc import Callable, Sequence
from pathlib import Path

import anyio
import anyio.abc
import msgspec

from simulator import clock
from simulator.batch.job import Played, finish, play
from simulator.live.browser.passes import WATCH
from simulator.live.browser.web import LiveSite
from simulator.live.rivals import Rival, Rivals
from simulator.live.room import Room
from simulator.live.scorecard import card_of
from simulator.live.together import together
from simulator.planning.job import Job
from simulator.report.writing import write_session_pages
from simulator.results.row import Row
from simulator.results.run import SESSION_PAGE

REPORT_READ_S = 120.0
"""How long a guest may look at the scorecard before going on to the session page."""

PAGE_LOADS_S = 2.0
"""How long it may take once its line is closed."""

Tell = Callable[[str], None]


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """How the browser gets in, and what it may ask for afterwards.

    port 0: any free one. open_page: whether to open the browser. rivals: agents that the take may be put before.
    """

    port: int = 0
    open_page: bool = True
    rivals: Sequence[Rival] = ()

    def check(self) -> None:
        """Refuse what cannot be: ScenarioError."""
        from simulator.serving.listening import DoorSpec

        DoorSpec(port=self.port).check()


class LeftError(Exception):
    """The humans left before the conversation began (Ctrl-C)."""


async def talk_in_browser(job: Job, run_folder: Path, way: Way, tell: Tell) -> list[tuple[Row, Played]]:
    """Serve the pages, hold the conversation, and give its row; then those of rivals. LeftError, ScenarioError."""
    from simulator.serving.guard import AccessRules, Guard
    from simulator.serving.listening import DoorSpec, address_of, listening, web_server

    room = Room(job.scenario)
    rivals = Rivals(way.rivals, room, run_folder)
    room.on_rival = rivals.ask
    site = LiveSite(room, lambda: _page(run_folder, job), rivals.page)
    door = DoorSpec(port=way.port)
    server = web_server(Guard(site.app(), AccessRules(loopback=True, body_bytes=0)), door)
    with listening(door) as listener:
        base = address_of(listener, tls=False)
        async with together() as tasks:
            tasks.start_soon(server.serve, [listener])

            def invite() -> None:
                for role in site.passes.roles:
                    _show(site.address(base, role), role, way, tell)

            result = await hold(room, job, run_folder, tell, invite, rivals=rivals.names)
            tasks.start_soon(rivals.serve, run_folder / job.id)
            await _pages_gone(room, site, rivals)
            rivals.close()
            server.should_exit = True
    return [result, *rivals.rows]


async def _pages_gone(room: Room, site: LiveSite, rivals: Rivals) -> None:
    """Wait until the pages have come for the session page, or stay away; and until what they asked for is played."""
    left = REPORT_READ_S
    while rivals.busy or (left > 0 and not site.report_read.is_set()):
        if rivals.busy:
            left = REPORT_READ_S
        if not any(handset.attached for handset in room.handsets.values()):
            left = min(left, PAGE_LOADS_S)
        await clock.sleep(0.1)
        left -= 0.1
    await clock.sleep(0.5)  # the other human's page, if there is one


async def hold(
    room: Room,
    job: Job,
    run_folder: Path,
    tell: Tell,
    invite: Callable[[], None] = lambda: None,
    *,
    rivals: Sequence[str] = (),
) -> tuple[Row, Played]:
    """Invite the humans, hold the conversation, score it and write its page. LeftError when nobody came.

    rivals: what the scorecard offers to put the take before; a talk that failed is no take.
    """
    async with together() as tasks:
        # Before anybody is invited: who has read the address may press Ctrl-C at once.
        await tasks.start(_mind_interrupts, room, tell)
        invite()
        tasks.start_soon(anyio.to_thread.run_sync, room.warm)
        await _everybody(room)
        room.enter("loading")
        await anyio.to_thread.run_sync(room.warm)
        played = await play(job, run_folder, room.surroundings())
        room.enter("scoring", problem=played.problem)
        tell("the conversation is over; scoring it")
        row = await anyio.to_thread.run_sync(finish, job, run_folder, played)
        await anyio.to_thread.run_sync(write_session_pages, [run_folder / job.id])
        room.close()
        report = "/report" if _page(run_folder, job) else None
        room.enter(
            "over", report=report, problem=row.problem, scorecard=card_of(run_folder / job.id),
            rivals=list(rivals) if row.status == "completed" else [],
        )  # fmt: skip
        tasks.cancel_scope.cancel()
    return row, played


async def _everybody(room: Room) -> None:
    """Wait until all are ready, or one of them has left for good."""
    async with anyio.create_task_group() as tasks:

        async def left() -> None:
            await room.left.wait()
            tasks.cancel_scope.cancel()

        tasks.start_soon(left)
        await room.everybody()
        tasks.cancel_scope.cancel()
    if room.left.is_set():
        raise LeftError


async def _mind_interrupts(room: Room, tell: Tell, *, task_status: anyio.abc.TaskStatus[None]) -> None:
    """Ctrl-C hangs up, and the recording is kept and scored; before the conversation it leaves."""
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        task_status.started()
        async for _ in signals:
            if room.state in ("lobby", "loading"):
                room.left.set()
            if room.state in ("loading", "talking"):
                tell("hanging up")
                room.hang_up()


def _page(run_folder: Path, job: Job) -> Path | None:
    path = run_folder / job.id / SESSION_PAGE
    return path if path.is_file() else None


def _show(address: str, role: str, way: Way, tell: Tell) -> None:
    who = "to watch" if role == WATCH else f"to talk as the {role.partition('-')[2]}"
    tell(f"{who}, once: {address}" if role != WATCH else f"{who}: {address}")
    if role != WATCH and way.open_page and not webbrowser.open(address):
        tell("no browser could be opened here; open the address yourself")


def to_stderr(sentence: str) -> None:
    """Tell on stderr."""
    print(f"simulate: {sentence}", file=sys.stderr, flush=True)  # noqa: T201 - what the CLI shows while a session goes
