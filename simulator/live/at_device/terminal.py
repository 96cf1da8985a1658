"""`--audio device`: a live conversation at a sound device, seen in the terminal."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import anyio

from simulator import clock
from simulator.batch.job import Played
from simulator.errors import RemoteError, ScenarioError
from simulator.live.at_device.device import Chosen, DeviceLine, choose_devices
from simulator.live.at_device.terminal_view import TerminalView
from simulator.live.handset import Handset
from simulator.live.lobby import Lobby
from simulator.live.room import Room
from simulator.live.talk import Tell, hold
from simulator.live.together import together
from simulator.planning.job import Job
from simulator.results.row import Row
from simulator.scenario import Scenario

FRAMES_PER_S = 8


def choose(microphone: str | None, loudspeaker: str | None, scenario: Scenario) -> Chosen:
    """Find the devices before anything starts. ScenarioError: none there, or two humans for one device."""
    if scenario.user.traits().live and scenario.agent.traits().live:
        raise ScenarioError("both parties are human; one device seats one human, so use --audio browser")
    return choose_devices(microphone, loudspeaker)


async def talk_at_device(job: Job, run_folder: Path, chosen: Chosen, tell: Tell) -> tuple[Row, Played]:
    """Open the device, try the line, hold the conversation. LeftError, ScenarioError."""
    room = Room(job.scenario)
    (handset,) = room.handsets.values()
    tell(f"microphone: {chosen.input_name}, {chosen.input_rate} Hz")
    tell(f"loudspeaker: {chosen.output_name}, {chosen.output_rate} Hz")
    line = DeviceLine(handset, chosen)
    try:
        await line.open()
        async with together() as tasks:
            lobby = Lobby(handset)
            tasks.start_soon(lobby.run)
            async with _shown(room, line, lobby, tasks, tell):
                result = await hold(room, job, run_folder, tell)
            tasks.cancel_scope.cancel()
    finally:
        line.close()
    return result


@asynccontextmanager
async def _shown(
    room: Room, line: DeviceLine, lobby: Lobby, tasks: anyio.abc.TaskGroup, tell: Tell
) -> AsyncIterator[None]:
    """Show the room while the block runs: a moving view on a terminal, sentences in a pipe."""
    (handset,) = room.handsets.values()
    view = TerminalView(room)

    def press(key: str) -> None:
        if key == "q" and room.state == "lobby":
            room.left.set()
        elif key == "q":
            room.hang_up()
        elif key == "\n" and room.state == "lobby":
            room.ready(handset.party)
        elif key == "e" and room.state == "lobby":
            tasks.start_soon(_test_echo, lobby, view)
        else:
            room.press(key)

    if not sys.stderr.isatty():
        tasks.start_soon(_refresh, room, line)
        tasks.start_soon(_try, room, handset, lobby, tell, True)
        yield
        return
    from rich.console import Console
    from rich.live import Live

    # The command's own stderr escapes what steers a terminal; this one draws.
    screen = Console(file=getattr(sys.stderr, "styled", sys.stderr))
    with keys(press) as listening, Live(view, console=screen, refresh_per_second=FRAMES_PER_S):
        tasks.start_soon(_refresh, room, line)

        def note(sentence: str) -> None:
            view.note = sentence

        tasks.start_soon(_try, room, handset, lobby, note, not listening)
        yield


async def _refresh(room: Room, line: DeviceLine) -> None:
    while True:
        line.tell_state()
        room.tell_delay()
        await clock.sleep(0.5)


async def _try(room: Room, handset: Handset, lobby: Lobby, tell: Tell, at_once: bool) -> None:
    """Try the line with a click; without a keyboard the conversation begins after it."""
    try:
        measured = await lobby.click_test()
    except RemoteError:
        return
    if measured is None:
        tell("a click did not come back: the delay is known by its parts only")
    else:
        tell(f"mouth to ear, both ways: {measured:.0f} ms")
    if at_once:
        room.ready(handset.party)


async def _test_echo(lobby: Lobby, view: TerminalView) -> None:
    view.note = "listening for a tone …"
    try:
        view.note = (await lobby.echo_test()).verdict()
    except RemoteError:
        view.note = ""


@contextmanager
def keys(press: Callable[[str], None]) -> Iterator[bool]:
    """Call `press` on the event loop for every key until the block ends; gives False where no terminal reads keys."""
    if not sys.stdin.isatty():
        yield False
        return
    try:
        import termios
        import tty
    except ImportError:  # no POSIX terminal
        yield False
        return
    loop, file = asyncio.get_running_loop(), sys.stdin.fileno()
    before = termios.tcgetattr(file)
    tty.setcbreak(file)

    def read() -> None:
        # Past Python's own buffer: what waits in there would only come out with the next key.
        pressed = os.read(file, 64).decode(errors="ignore")
        if not pressed:
            loop.remove_reader(file)
        for key in pressed:
            press(key)

    loop.add_reader(file, read)
    try:
        yield True
    finally:
        loop.remove_reader(file)
        termios.tcsetattr(file, termios.TCSADRAIN, before)
